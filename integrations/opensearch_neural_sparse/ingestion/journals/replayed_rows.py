"""Rows of a journal as its log gives them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock
from weakref import finalize

from opensearch_neural_sparse.errors import JournalError
from opensearch_neural_sparse.ingestion.journals.journal import Gone, JournalEntry
from opensearch_neural_sparse.ingestion.journals.journal_requests import RecordedGroup
from opensearch_neural_sparse.ingestion.journals.journal_rows import ROWS_TABLE, JournalRows

SMALL = 10_000
TIMES = 3


class ReplayedRows:
    """The rows that the groups of a log add up to, in a temporary file of this program; threads may share them.

    Args:
        generation: The generation of the log.

    Attributes:
        generation: The generation of the log.
        after: Sequence number of the last group that was read; -1 before the first.
    """

    def __init__(self, generation: str) -> None:
        self.generation, self.after = generation, -1
        self._latest, self._recorded, self._lock = 0, 0, RLock()
        self._database = sqlite3.connect("", check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(ROWS_TABLE)
        self._rows = JournalRows(self._database, self._lock)
        self.close = finalize(self, self._database.close)

    @property
    def wasteful(self) -> bool:
        """Whether the log is several times as long as its rows need."""
        return self._recorded > SMALL + TIMES * self.counts(0)[0]

    def apply(self, group: RecordedGroup) -> None:
        """Add a group.

        The server may have taken a group of a former run when a later one had begun, which knew nothing of it: what
        the index holds of its rows is unknown then.

        Args:
            group: The group.
        """
        with self._errors(), self._lock:
            late = group.run < self._latest
            self._latest = max(self._latest, group.run)
            self._recorded += len(group.entries) + len(group.forgotten)
            self._rows.add([entry._replace(content=b"") for entry in group.entries] if late else group.entries)
            if group.forgotten:
                with self._database:
                    self._rows.drop(group.forgotten)

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id.

        Args:
            ids: The ids.
        """
        self.settle()  # here, as `apply` may be called in an event loop
        with self._errors():
            return self._rows.entries(ids)

    def settle(self) -> None:
        """Move rows from memory to the file, where they are many."""
        with self._errors():
            if self._rows.full:
                self._rows.store()

    def pages(self) -> Iterator[list[JournalEntry]]:
        """Yield all entries, in batches."""
        with self._errors():
            self._rows.store()
            yield from self._rows.pages()

    def gone(self, run: int) -> Iterator[list[Gone]]:
        """Yield, in batches, the documents of rows that a run has not read.

        Args:
            run: Number of the run.
        """
        with self._errors():
            self._rows.store()
            pages = self._rows.gone(run)
        while True:
            with self._errors(), self._lock:
                page = next(pages, None)
            if page is None:
                return
            yield page

    def counts(self, run: int) -> tuple[int, int]:
        """Return how many rows there are, and how many of them a run read or wrote.

        Args:
            run: Number of the run.
        """
        with self._errors(), self._lock:
            return self._rows.counts(run)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(
                f"The rows of a journal cannot be kept in a temporary file: {error}. Free the disk, or name a "
                "folder with room in the environment variable SQLITE_TMPDIR."
            ) from error
