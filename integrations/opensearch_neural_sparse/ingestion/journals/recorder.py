"""Recording in a journal, in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import Any

from opensearch_neural_sparse.ingestion.journals.journal import Journal, JournalEntry

AHEAD = 4
"""Most groups of rows that wait to be recorded."""


class Recorder:
    """Records rows in their order, behind the load by `AHEAD` groups at most.

    An error of the journal is raised at a later call, or by `wait`.

    Args:
        journal: The journal, which was begun.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal, self._lock = journal, Lock()
        self._thread = ThreadPoolExecutor(1, "journal")
        self._waiting: deque[Future[None]] = deque()
        self._entries: dict[str, JournalEntry] = {}

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id, recorded or not.

        Args:
            ids: The ids.
        """
        with self._lock:  # before the journal, which has those that are recorded in between
            waiting = {name: self._entries[name] for name in ids if name in self._entries}
        return self._journal.entries(ids) | waiting

    def commit(self, entries: Sequence[JournalEntry]) -> None:
        """Record rows, soon.

        Args:
            entries: Their entries.
        """
        if entries:
            self._add(self._commit, entries, entries)

    def mark_read(self, ids: Sequence[str]) -> None:
        """Record, soon, that rows were read.

        Args:
            ids: Their ids.
        """
        if ids:
            self._add(self._journal.mark_read, ids)

    def wait(self) -> None:
        """Wait until everything is recorded."""
        while self._waiting:
            self._waiting.popleft().result()

    def close(self) -> None:
        """Record what waits, and end the thread."""
        try:
            self.wait()
        finally:
            self._thread.shutdown(cancel_futures=True)

    def _add(self, record: Callable[[Any], None], group: Sequence[Any], entries: Sequence[JournalEntry] = ()) -> None:
        """Let the thread record a group, of which entries are found until then."""
        with self._lock:
            self._entries |= {entry.id: entry for entry in entries}
            self._waiting.append(self._thread.submit(copy_context().run, record, group))
            first = self._waiting.popleft() if len(self._waiting) > AHEAD else None
        if first is not None:
            first.result()

    def _commit(self, entries: Sequence[JournalEntry]) -> None:
        self._journal.commit(entries)
        with self._lock:
            for entry in entries:
                if self._entries.get(entry.id) is entry:
                    del self._entries[entry.id]
