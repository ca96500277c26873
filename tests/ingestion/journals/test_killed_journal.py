"""A program that records in a file is killed at random moments, those among them when rows move to the table."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from opensearch_neural_sparse import SqliteJournal
from opensearch_neural_sparse.ingestion.journals.journal import LoadTarget

TARGET = LoadTarget(source="articles", index="articles-1", uuid="u", model="")
KILLS = 8
ROWS = 10
PROGRAM = f"""
import sys
from opensearch_neural_sparse import SqliteJournal
from opensearch_neural_sparse.ingestion.journals import journal_rows
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry, LoadTarget

journal_rows.MANY = 3 * {ROWS}
journal = SqliteJournal(sys.argv[1])
run = journal.begin(LoadTarget(source="articles", index="articles-1", uuid="u", model=""), restart=False)
group = int(sys.argv[2])
while True:
    names = [str(hash((group, number))) for number in range({ROWS})]
    journal.entries(names)
    journal.commit([JournalEntry(name, str(group).encode(), "place", run) for name in names])
    print(group, *names, flush=True)
    group += 1
"""


def test_everything_that_a_killed_program_recorded_is_found(tmp_path: Path) -> None:
    path, chance = tmp_path / "journal", random.Random(7)
    recorded: dict[str, bytes] = {}
    for kill in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path), str(1000 * kill)], stdout=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            for _ in range(chance.randint(1, 60)):
                group, *names = program.stdout.readline().split()
                recorded |= dict.fromkeys(names, group.encode())
            program.kill()
            for line in program.stdout:
                group, *names = line.split()
                recorded |= dict.fromkeys(names[:ROWS] if len(names) == ROWS else [], group.encode())
        journal = SqliteJournal(path)
        journal.begin(TARGET, restart=False)
        found = {name: entry.content for name, entry in journal.entries([*recorded]).items()}
        journal.close()
        assert found == recorded
    assert 0 <= journal.status().rows - len(recorded) <= KILLS * ROWS  # recorded, and killed before it said so
