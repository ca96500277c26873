"""Loads of given vectors with a journal, in a file or in the server, against the same loads without one, in turns.

    python -m benchmarks.ingest_journal [DOCUMENTS] [ROUNDS] [TOKENS]

Documents have a text of 60 words, a number and a vector of TOKENS tokens. Each load goes into a fresh index of one
server that is started for this. For each kind of journal, `ratio` is the time with it over that without, and
`cpu_ratio` the processor time of client and server with it over that without, which other programs disturb less.
`unchanged_per_second` is how many documents a repeated load compares with its journal.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.ingest_scaling import MODEL, OPTIONS, text_and_vector
from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved
from opensearch_neural_sparse import IndexJournal, Load, NeuralSparseStore, SparseDocument
from opensearch_neural_sparse.devserver import DevServer

WITHOUT, FILE, SERVER = "without", "file", "server"
MakeJournal = Callable[[], str | IndexJournal | None]


def documents(count: int, tokens: int) -> list[SparseDocument]:
    """Return documents with vectors."""
    chance, made = random.Random(0), []
    for number in range(count):
        text, vector = text_and_vector(chance, tokens)
        made.append(SparseDocument(id=str(number), text=text, metadata={"n": number}, vector=vector))
    return made


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of this process and others."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def load(rows: list[SparseDocument], server: DevServer, make: MakeJournal, cpu: list[float]) -> None:
    """Load rows into a fresh index, and note the processor time."""
    journal, before = make(), cpu_seconds(server.pids)
    with NeuralSparseStore(f"journal-{uuid.uuid4().hex[:12]}", url=server.url, model=MODEL) as store:
        store.create(settings={"number_of_shards": 1, "refresh_interval": "-1"})
        report = store.ingest(Load(rows, journal=journal), options=OPTIONS)
        if report.written != len(rows):
            raise RuntimeError(str(report))
        store.refresh()  # what is in memory only would be written at the cost of the next load
        cpu.append(cpu_seconds(server.pids) - before)
        store.delete_index()


def main(count: int = 100_000, rounds: int = 3, tokens: int = 140) -> None:
    """Print the ratios."""
    rows, numbers = documents(count, tokens), itertools.count()
    cpu: dict[str, list[float]] = {name: [] for name in (WITHOUT, FILE, SERVER)}
    with tempfile.TemporaryDirectory() as folder, DevServer.running(own=True, heap="1g") as server:
        journals: dict[str, MakeJournal] = {
            WITHOUT: lambda: None,
            FILE: lambda: str(Path(folder, str(next(numbers)))),
            SERVER: lambda: IndexJournal(f"of-a-load-{next(numbers)}", url=server.url),
        }
        for make in journals.values():  # warms the server up
            load(rows, server, make, [])
        note("warm")
        candidates = {name: partial(load, rows, server, make, cpu[name]) for name, make in journals.items()}
        seconds = time_interleaved(candidates, rounds=rounds)
        results: dict[str, Any] = {
            name: ratio_of_medians(seconds[name], seconds[WITHOUT])
            | ratio_of_medians(cpu[name], cpu[WITHOUT], "cpu_ratio")
            | {"unchanged_per_second": repeated(rows, server.url, journals[name])}
            for name in (FILE, SERVER)
        }
        for name, found in (("seconds", seconds), ("cpu_seconds", cpu)):
            results[name] = {kind: [round(each, 2) for each in values] for kind, values in found.items()}
    print_report({**results, "documents": count, "rounds": rounds, "tokens": tokens})


def repeated(rows: list[SparseDocument], url: str, make: MakeJournal) -> int:
    """Return how many documents a second a repeated load compares with its journal."""
    journal = make()
    with NeuralSparseStore(f"journal-{uuid.uuid4().hex[:12]}", url=url, model=MODEL) as store:
        store.create()
        store.ingest(Load(rows, journal=journal), options=OPTIONS)
        start = time.perf_counter()
        if store.ingest(Load(rows, journal=journal), options=OPTIONS).unchanged != len(rows):
            raise RuntimeError("A repeated load wrote documents.")
        seconds = time.perf_counter() - start
        store.delete_index()
    return round(len(rows) / seconds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
