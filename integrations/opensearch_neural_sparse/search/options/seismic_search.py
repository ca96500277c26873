"""Options of approximate search (SEISMIC)."""

from __future__ import annotations

from dataclasses import dataclass

from opensearch_neural_sparse.arguments import check_count, check_number
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.short_repr import short_repr


@dataclass(frozen=True, kw_only=True)
class SeismicSearch:
    """Options of approximate search on a `sparse_vector` field.

    Attributes:
        k: Most hits of a shard, at least as many as are asked for; None is that number, or 10,000 beside a filter or a
            collapse. The server finds k hits first and filters or collapses them afterwards, unless at most k documents
            pass the filter: then none of those is missed. That holds for filters of `term`, `terms`, `match`, `exists`,
            `range` of numbers, and `bool` over these; for any other hits may be missed, the more the fewer documents
            pass. A range of a keyword field needs its bounds as strings: the server fails on numbers there.
        top_n: How many of the heaviest query tokens are searched for; None is the server's 10.
        heap_factor: The higher, the fewer documents are missed and the longer it takes; None is the server's 1.0, or 50
            beside a filter, which costs nothing where the server searches all that pass.

    Raises:
        ValueError: A value that the server does not take.
    """

    k: int | None = None
    top_n: int | None = None
    heap_factor: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        check_count(1, optional=True, k=self.k, top_n=self.top_n)
        check_number(optional=True, heap_factor=self.heap_factor)
        if self.heap_factor is not None and not 0 < self.heap_factor < float("inf"):
            raise ValueError(f"heap_factor is above 0 and finite, got {shown_value(self.heap_factor)}.")
