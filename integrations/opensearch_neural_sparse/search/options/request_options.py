"""Request options: timeout, shards, and handling of partial results."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from opensearch_neural_sparse.arguments import check_number, check_text
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.index.documents.document import check_routing
from opensearch_neural_sparse.short_repr import short_repr


class Partial(Choice):
    """Handling of partial results, where some shards failed.

    `RAISE` is a `PartialResultsError`; `WARN` is a `PartialResultsWarning`, and hits that say so.
    """

    RAISE = "raise"
    WARN = "warn"


PartialLike = Partial | Literal["raise", "warn"]
"""A `Partial`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """Options of a search request.

    Attributes:
        timeout: Seconds that it may take, to the end of its answer; None is the client's own.
        preference: Which copies of the shards are asked, such as `_local`, or any word: the same word asks the same
            copies, so that pages agree while documents are written.
        routing: Only the shards that hold documents of this routing are searched; several are separated by commas.
        partial: Handling of partial results, where some shards failed.

    Raises:
        ValueError: A timeout that is not above 0 and finite, or an unknown way with partial answers.
    """

    timeout: float | None = None
    preference: str | None = None
    routing: str | None = None
    partial: PartialLike = Partial.RAISE

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "partial", Partial(self.partial))
        check_routing(self.routing)
        check_text(optional=True, preference=self.preference)
        check_number(optional=True, timeout=self.timeout)
        if self.timeout is not None and not 0 < self.timeout < inf:
            raise ValueError(f"timeout is above 0 seconds and finite, got {shown_value(self.timeout)}.")

    @property
    def target(self) -> dict[str, str]:
        """Shard selection: parameters of a `_search`, and of a header in a `_msearch`."""
        named = {"preference": self.preference, "routing": self.routing}
        return {name: value for name, value in named.items() if value is not None}

    @property
    def waiting(self) -> dict[str, float]:
        """Request timeout as a client parameter."""
        return {} if self.timeout is None else {"request_timeout": self.timeout}


DEFAULT_REQUEST = RequestOptions()
