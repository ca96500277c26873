"""Check, at most every 200 ms, that a bulk write still targets the same index; no network."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError, NeuralSparseError, ServerRequestError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.read_index import uuids_of
from opensearch_neural_sparse.store.bulk.retry import RETRIED_REFUSALS
from opensearch_neural_sparse.store.bulk.scheduler import BulkScheduler

CHECK_INTERVAL = 0.2
"""Seconds between checks. A check costs the server and the client a twentieth of a batch."""


class IndexGuard:
    """Keeps a write from an index that was deleted, or replaced by another of its name.

    The server creates an index without a layout for a bulk request to a missing one, and cannot be asked not to. So the
    index is checked before a batch is sent, unless that was done moments ago, and once more at the end of the write:
    between any check and the batch after it, the index may be deleted and made again.

    Args:
        index: Index or alias that is written to.
        state: The index when documents were encoded for it; None is the index that the first check finds.
    """

    def __init__(self, index: str, state: IndexInfo | None) -> None:
        self._index, self._state = index, state
        self._first: Mapping[str, str] | None = None
        self._looked: float | None = None
        self._is_used = False

    def is_due(self) -> bool:
        """Return whether the index is to be checked before the next batch."""
        if self._state is not None and not self._state.checked:
            return False
        self._is_used = True
        return self._looked is None or monotonic() - self._looked >= CHECK_INTERVAL

    def is_due_finally(self) -> bool:
        """Return whether the index is to be checked after the last batch: wherever one was sent."""
        return self._is_used

    def verify(self, scheduler: BulkScheduler, found: Mapping[str, Any], *, asked: float) -> None:
        """Stop the write if the name has another target, by the uuids in the response of `GET /<index>`.

        An alias with more indices than before, as after a rollover, is no reason to stop: the documents go to the index
        that they were encoded for, and are found through the name.

        Args:
            scheduler: The write.
            found: The response.
            asked: The time of the request.

        Raises:
            IndexNotFoundError: The index does not exist.
        """
        if not found:
            error = IndexNotFoundError(self._index)
            scheduler.stop(str(error))
            raise error
        if self._is_same_index(uuids_of(found)):
            self._looked = asked
        else:
            scheduler.stop(f"{self._index!r} is another index than the one that documents were encoded for")

    def on_error(self, scheduler: BulkScheduler, error: NeuralSparseError) -> None:
        """Stop the write if the check failed, unless the server is only overloaded.

        Args:
            scheduler: The write.
            error: The error of the check.
        """
        if not (isinstance(error, ServerRequestError) and error.status in RETRIED_REFUSALS):
            scheduler.stop(str(error))

    def _is_same_index(self, uuids: Mapping[str, str]) -> bool:
        if self._state is not None:
            return self._state.is_same_index(uuids)
        if self._first is None:
            self._first = uuids
        return self._first.items() <= uuids.items()
