"""Rows in memory and in the table, against a dict."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from threading import RLock
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from opensearch_neural_sparse.ingestion.journals import journal_rows
from opensearch_neural_sparse.ingestion.journals.journal import Gone, JournalEntry
from opensearch_neural_sparse.ingestion.journals.journal_rows import ROWS_TABLE, JournalRows
from opensearch_neural_sparse.sqlite_files import insert_rows

NAMES = [f"row {number}" for number in range(12)]
RUNS = st.integers(1, 3)
ENTRIES = st.builds(
    JournalEntry,
    st.sampled_from(NAMES),
    st.binary(max_size=2),
    st.just("place"),
    RUNS,
    st.sampled_from([None, "shard"]),
)


class RowsAgainstADict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.database = sqlite3.connect(":memory:")
        self.database.execute(ROWS_TABLE)
        self.rows = JournalRows(self.database, RLock())
        self.known: dict[str, JournalEntry] = {}

    @rule(entries=st.lists(ENTRIES, max_size=5))
    def add(self, entries: list[JournalEntry]) -> None:
        self.rows.add(entries)
        self.known |= {entry.id: entry for entry in entries}

    @rule()
    def store(self) -> None:
        self.rows.store()

    @rule()
    def open_stored_rows(self) -> None:
        self.rows.store()
        self.rows = JournalRows(self.database, RLock())

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=4))
    def drop(self, names: list[str]) -> None:
        self.rows.drop(names)
        self.known = {name: entry for name, entry in self.known.items() if name not in names}

    @rule(run=RUNS)
    def pages(self, run: int) -> None:
        self.rows.store()
        assert [entry for page in self.rows.pages() for entry in page] == sorted(self.known.values())
        gone = [Gone(each.id, each.routing, each.place) for each in sorted(self.known.values()) if each.run < run]
        assert [each for page in self.rows.gone(run) for each in page] == gone

    @invariant()
    def rows_are_those_of_the_dict(self) -> None:
        assert self.rows.entries([*NAMES, "other"]) == self.known
        for run in (1, 2, 3):
            assert self.rows.counts(run) == (len(self.known), sum(entry.run == run for entry in self.known.values()))

    def teardown(self) -> None:
        self.database.close()


TestRows = RowsAgainstADict.TestCase
TestRows.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)


def test_entries_that_come_while_others_are_stored_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_rows, "ROWS_PER_TRANSACTION", 2)
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(ROWS_TABLE)
        rows = JournalRows(database, RLock())
        former = [JournalEntry(name, b"former", "place", 1) for name in "abcd"]
        later = [JournalEntry(name, b"later", "place", 2) for name in "ade"]

        def insert(*given: Any) -> None:
            insert_rows(*given)
            rows.add(later)

        monkeypatch.setattr(journal_rows, "insert_rows", insert)
        rows.add(former)
        rows.store()
        expected = {entry.id: entry for entry in [*former, *later]}
        assert rows.entries([*"abcde"]) == expected
        monkeypatch.undo()
        rows.store()
        assert JournalRows(database, RLock()).entries([*"abcde"]) == expected


def test_pages_hold_all_rows_of_a_large_table() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(ROWS_TABLE)
        rows = JournalRows(database, RLock())
        rows.add([JournalEntry(f"{number:06d}", b"x", "place", 1) for number in range(1203)])
        rows.store()
        pages = [[entry.id for entry in page] for page in rows.pages()]
    assert len(pages) > 2
    assert [name for page in pages for name in page] == [f"{number:06d}" for number in range(1203)]
