"""Recording in a journal, in a thread of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import chain
from threading import Lock

from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry

AHEAD = 4
"""Most groups of rows that wait to be recorded."""


class Recorder:
    """Records rows in their order, behind the load by `AHEAD` groups at most; groups that wait are recorded together.

    An error is raised at a later call, or by `wait`.

    Args:
        record: Records entries.
    """

    def __init__(self, record: Callable[[Sequence[JournalEntry]], None]) -> None:
        self._record, self._lock = record, Lock()
        self._thread = ThreadPoolExecutor(1, "journal")
        self._under_way: deque[Future[None]] = deque()
        self._waiting: list[Sequence[JournalEntry]] = []

    def add(self, entries: Sequence[JournalEntry]) -> None:
        """Record rows, soon.

        Args:
            entries: Their entries.
        """
        with self._lock:
            self._waiting.append(entries)
            if len(self._waiting) == 1:  # further groups are recorded with it
                self._under_way.append(self._thread.submit(copy_context().run, self._record_waiting))
            behind = len(self._waiting) >= AHEAD
            first = self._under_way.popleft() if behind or self._under_way[0].done() else None
        if first is not None:
            first.result()

    def wait(self) -> None:
        """Wait until everything is recorded."""
        while self._under_way:
            self._under_way.popleft().result()

    def close(self) -> None:
        """Record what waits, and end the thread."""
        try:
            self.wait()
        finally:
            self._thread.shutdown(cancel_futures=True)

    def _record_waiting(self) -> None:
        with self._lock:
            groups, self._waiting = self._waiting, []
        self._record([*chain.from_iterable(groups)])
