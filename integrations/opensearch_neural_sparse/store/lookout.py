"""When a write looks whether its index is still the one that it writes to, and what it makes of that; no network."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError
from opensearch_neural_sparse.store.flow import Flow
from opensearch_neural_sparse.store.index_state import IndexState, uuids_of

TRUSTED_FOR = 0.2
"""Seconds for which a look is good. A look costs the server and the client a twentieth of a batch."""


class Lookout:
    """Keeps a write from going to an index that somebody deleted, or to another one of its name.

    The server would make an index without a layout for a bulk request to a missing one, and it has no way to be told
    otherwise. So the index is looked at before a batch is sent, unless that was done moments ago, and once more at the
    end where batches were sent on an earlier look: whatever happened meanwhile is noticed.

    Args:
        index: Index or alias that is written to.
        state: What the index was when documents were encoded for it.
    """

    def __init__(self, index: str, state: IndexState | None) -> None:
        self._index, self._state = index, state
        self._looked: float | None = None
        self._relied_on = False

    def is_due(self) -> bool:
        """Tell whether the index is to be looked at before a batch is sent."""
        if self._state is not None and not self._state.checked:
            return False
        due = self._looked is None or monotonic() - self._looked >= TRUSTED_FOR
        self._relied_on |= not due
        return due

    def is_due_at_the_end(self) -> bool:
        """Tell whether the index is to be looked at once all has arrived: some batches were sent on an earlier look."""
        return self._relied_on

    def judge(self, flow: Flow, found: Mapping[str, Any], *, asked: float) -> None:
        """Stop a write whose name leads elsewhere by now, by the part of `GET /<index>` that says where it leads.

        A name that has come to lead to further indices, as after a rollover, is no reason to stop: what is written goes
        to the index that it was encoded for, and is found through the name.

        Args:
            flow: The write.
            found: The answer.
            asked: When it was asked for.

        Raises:
            IndexNotFoundError: The index does not exist.
        """
        if not found:
            raise IndexNotFoundError(self._index)
        if self._state is not None and not self._state.still_led_to(uuids_of(found)):
            flow.stop(f"{self._index!r} leads to another index than the one that documents were encoded for")
        else:
            self._looked = asked
