"""Rows of a journal: a table of SQLite, and the newest of them in memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, starmap
from threading import RLock
from typing import Any

from opensearch_neural_sparse.ingestion.journals.journal import Gone, JournalEntry
from opensearch_neural_sparse.sqlite_files import KEYS_PER_QUERY, insert_rows, select_by_keys

ROWS_TABLE = (
    "CREATE TABLE rows (id TEXT PRIMARY KEY, content BLOB, place TEXT, run INTEGER, routing TEXT) WITHOUT ROWID"
)
MANY = 100_000
"""Number of rows in memory, some 30 MB, from which on they are to be stored."""
ROWS_PER_TRANSACTION = 5000


class JournalRows:
    """The rows of a journal by id, the newest of them in memory.

    Ids come in an order of their own: random ones, stored a few at a time, would each change another page of the table.
    Stored by many and in the table's order, they share pages. Those in memory are plain tuples, which the garbage
    collector does not look through.

    Args:
        database: An open file with the table of the rows.
        lock: Held while rows are added and the file is used.
    """

    def __init__(self, database: sqlite3.Connection, lock: RLock) -> None:
        self._database, self._lock = database, lock
        self._new: dict[str, tuple[Any, ...]] = {}
        (self._stored,) = database.execute("SELECT EXISTS (SELECT 1 FROM rows)").fetchone()

    @property
    def full(self) -> bool:
        """Whether there are so many in memory that they are to be stored."""
        return len(self._new) >= MANY

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id.

        Args:
            ids: The ids.
        """
        new = self._new
        found = {name: JournalEntry(*row) for name in ids if (row := new.get(name)) is not None}
        if self._stored and len(found) < len(ids):
            with self._lock:
                found |= self._in_table([name for name in ids if name not in found])
        return found

    def add(self, entries: Iterable[JournalEntry]) -> None:
        """Add entries, in memory; the caller holds the lock.

        Args:
            entries: The entries; each replaces that of its id.
        """
        self._new.update({entry.id: tuple(entry) for entry in entries})

    def store(self) -> None:
        """Move what is in memory to the table, thousands of rows a transaction; others use the rows between these."""
        with self._lock:
            moved = self._new.copy()
        rest = iter(sorted(moved.values()))
        while part := [*islice(rest, ROWS_PER_TRANSACTION)]:
            with self._lock, self._database:
                insert_rows(self._database, "INSERT OR REPLACE INTO rows", part)
                self._stored = True
        with self._lock:
            for name, row in moved.items():
                if self._new.get(name) is row:  # else a later entry of this id came meanwhile
                    del self._new[name]

    def drop(self, ids: Iterable[str]) -> None:
        """Drop the entries of ids, as part of the caller's transaction.

        Args:
            ids: The ids.
        """
        names = list(ids)
        for name in names:
            self._new.pop(name, None)
        self._database.executemany("DELETE FROM rows WHERE id = ?", ((name,) for name in names))

    def pages(self) -> Iterator[list[JournalEntry]]:
        """Yield all entries by id, in batches; what is in memory is to be stored before."""
        last = ""
        while rows := self._page("id > ?", last):
            last = rows[-1].id
            yield rows

    def gone(self, run: int) -> Iterator[list[Gone]]:
        """Yield, in batches, the documents of rows that a run has not read; what is in memory is to be stored before.

        Args:
            run: Number of the run.
        """
        last = ""
        while rows := self._page("run < ? AND id > ?", run, last):
            last = rows[-1].id
            yield [Gone(row.id, row.routing, row.place) for row in rows]

    def counts(self, run: int) -> tuple[int, int]:
        """Return how many rows there are, and how many of them a run read or wrote.

        Args:
            run: Number of the run.
        """
        (total,) = self._database.execute("SELECT count(*) FROM rows").fetchone()
        (of_run,) = self._database.execute("SELECT count(*) FROM rows WHERE run = ?", (run,)).fetchone()
        replaced = self._in_table([*self._new])
        total += len(self._new) - len(replaced)
        of_run += _count_of(run, starmap(JournalEntry, self._new.values())) - _count_of(run, replaced.values())
        return total, of_run

    def _in_table(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        rows = select_by_keys(self._database, "SELECT * FROM rows WHERE id", ids)
        return {row[0]: JournalEntry(*row) for row in rows}

    def _page(self, condition: str, *values: object) -> list[JournalEntry]:
        query = f"SELECT * FROM rows WHERE {condition} ORDER BY id LIMIT {KEYS_PER_QUERY}"  # noqa: S608  of our own
        return [JournalEntry(*row) for row in self._database.execute(query, values)]


def _count_of(run: int, entries: Iterable[JournalEntry]) -> int:
    return sum(entry.run == run for entry in entries)
