"""When a write looks whether its index is still the one that it writes to, and what it makes of that; no network."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError, NeuralSparseError, ServerRequestError
from opensearch_neural_sparse.index.index_info import IndexInfo, uuids_of
from opensearch_neural_sparse.store.bulk.retry import RETRIED_REFUSALS
from opensearch_neural_sparse.store.bulk.scheduler import BulkScheduler

CHECK_INTERVAL = 0.2
"""Seconds for which a look is good. A look costs the server and the client a twentieth of a batch."""


class IndexGuard:
    """Keeps a write from going to an index that somebody deleted, or to another one of its name.

    The server would make an index without a layout for a bulk request to a missing one, and it has no way to be told
    otherwise. So the index is looked at before anything is sent, unless that was done moments ago, and once more at the
    end where something was sent on an earlier look: whatever happened meanwhile is noticed.

    Args:
        index: Index or alias that is written to.
        state: What the index was when documents were encoded for it; None takes it to be what the first look finds.
    """

    def __init__(self, index: str, state: IndexInfo | None) -> None:
        self._index, self._state = index, state
        self._first: Mapping[str, str] | None = None
        self._looked: float | None = None
        self._relied_on = False

    def is_due(self) -> bool:
        """Tell whether the index is to be looked at before something is sent."""
        if self._state is not None and not self._state.checked:
            return False
        due = self._looked is None or monotonic() - self._looked >= CHECK_INTERVAL
        if not due:
            self._relied_on = True
        return due

    def is_due_finally(self) -> bool:
        """Tell whether the index is to be looked at once all has arrived: something was sent on an earlier look."""
        return self._relied_on

    def verify(self, scheduler: BulkScheduler, found: Mapping[str, Any], *, asked: float) -> None:
        """Stop a write whose name leads elsewhere by now, by the part of `GET /<index>` that says where it leads.

        An alias that has come to lead to further indices, as after a rollover, is no reason to stop: what is written
        goes to the index that it was encoded for, and is found through the name.

        Args:
            scheduler: The write.
            found: The answer.
            asked: When it was asked for.

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
            scheduler.stop(f"{self._index!r} leads to another index than the one that documents were encoded for")

    def on_error(self, scheduler: BulkScheduler, error: NeuralSparseError) -> None:
        """Stop a write whose index cannot be looked at, unless the server only has no room at the moment.

        Args:
            scheduler: The write.
            error: Why there is no answer.
        """
        if isinstance(error, ServerRequestError) and error.status in RETRIED_REFUSALS:
            self._relied_on = True
        else:
            scheduler.stop(str(error))

    def _is_same_index(self, uuids: Mapping[str, str]) -> bool:
        if self._state is not None:
            return self._state.is_same_index(uuids)
        if self._first is None:
            self._first = uuids
        return self._first.items() <= uuids.items()
