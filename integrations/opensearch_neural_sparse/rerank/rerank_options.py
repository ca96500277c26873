"""Options of reranking, as a frozen value."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Literal

from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.rerank.reranker import RerankerLike, scorer_of
from opensearch_neural_sparse.short_repr import short_repr

LARGEST_DEPTH = 10_000
"""Most hits of a search, and so of a reranking."""


class OnRerankFailure(Choice):
    """Handling of a reranker that fails.

    `RAISE` is a `RerankerError`; `KEEP` leaves the hits in the order of the search, with a `RerankWarning`.
    """

    RAISE = "raise"
    KEEP = "keep"


OnRerankFailureLike = OnRerankFailure | Literal["raise", "keep"]
"""An `OnRerankFailure`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class Rerank:
    """Reranking of the best hits of a search by their texts.

    Attributes:
        reranker: A `Reranker`, such as `CrossEncoderReranker(...)` or `RemoteReranker(...)`, or any function of a query
            and texts that returns their scores. It is called in the thread that searches; by an asynchronous store in a
            worker thread.
        depth: How many of the best hits are reranked, 1 to 10,000. Pages are cut from them; hits below keep
            their order.
        batch_size: Most texts of one call of the reranker.
        budget_s: Seconds after which no further batch is scored; the first always is. None scores all. Hits that were
            not scored follow in the order of the search, with a `RerankBudgetWarning`.
        on_error: Whether it is an error that the reranker fails (`raise`), or a warning and the order of the search
            (`keep`).
        query: The text that the reranker reads in place of that of the search; needed where a search is by token
            weights.

    Raises:
        TypeError: The reranker is none.
        ValueError: A number out of range, or a blank query.
    """

    reranker: RerankerLike = field(kw_only=False)
    depth: int = 50
    batch_size: int = 32
    budget_s: float | None = None
    on_error: OnRerankFailureLike = OnRerankFailure.RAISE
    query: str | None = field(default=None, repr=False)

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "on_error", OnRerankFailure(self.on_error))
        scorer_of(self.reranker)
        _check_count("depth", self.depth, LARGEST_DEPTH)
        _check_count("batch_size", self.batch_size, LARGEST_DEPTH)
        if self.budget_s is not None and not _is_duration(self.budget_s):
            raise ValueError(f"budget_s is above 0 seconds and finite, got {shown_value(self.budget_s)}.")
        if self.query is not None and not (isinstance(self.query, str) and self.query.strip()):
            raise ValueError("query is the text that the reranker reads, or None for that of the search; it is blank.")


def _check_count(name: str, value: object, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{name} lies between 1 and {most}, got {shown_value(value)}.")


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= sys.float_info.max
