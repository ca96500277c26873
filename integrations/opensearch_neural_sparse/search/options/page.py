"""Page of a search: size, offset, filter and returned fields."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.arguments import check_flag
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses

LARGEST_WINDOW = 10_000
"""`index.max_result_window`: maximum hits of a search, and maximum depth of a fusion."""


@dataclass(frozen=True, kw_only=True)
class SearchPage:
    """Page, filter and returned fields of a search.

    Attributes:
        size: Most hits.
        offset: How many hits come before them.
        filter: A query clause, or a list of such.
        explain: Whether hits carry an explanation.
        with_embedding: Whether hits carry their dense vectors.
        clauses: The filter as a list of query clauses.

    Raises:
        FilterSyntaxError: A filter that is none.
        ValueError: A page that no search gives.
    """

    size: int = 10
    offset: int = 0
    filter: Filter | None = field(default=None, repr=False)
    explain: bool = False
    with_embedding: bool = False
    clauses: list[dict[str, Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_size(self.size, self.offset)
        check_flag(explain=self.explain, with_embedding=self.with_embedding)
        object.__setattr__(self, "clauses", filter_clauses(self.filter))

    @property
    def depth(self) -> int:
        """Number of hits to the end of the page."""
        return self.offset + self.size

    def source(self, schema: IndexSchema, searched: Collection[str] = ()) -> dict[str, Any]:
        """Return the `_source` filter of the documents; an explanation needs their vectors.

        Args:
            schema: Names of the fields.
            searched: Additional sparse fields that are searched.
        """
        explained = (schema.vector_field, schema.sparse_field, *searched) if self.explain else ()
        vectors = dict.fromkeys((schema.vector_field, *schema.sparse_fields))
        excluded = [name for name in vectors if name not in explained]
        return {"excludes": excluded if self.with_embedding else [*excluded, schema.embedding_field]}


def check_size(size: int, offset: int = 0, *, name: str = "size") -> None:
    """Raise ValueError if a page is outside the server's limits.

    Args:
        size: Most hits.
        offset: How many hits come before them.
        name: What the caller calls the size.
    """
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST_WINDOW:
        raise ValueError(f"{name} lies between 1 and {LARGEST_WINDOW}, got {shown_value(size)}.")
    if isinstance(offset, bool) or not isinstance(offset, int) or not 0 <= offset <= LARGEST_WINDOW - size:
        raise ValueError(f"offset lies between 0 and {LARGEST_WINDOW} less {name} ({size}), got {shown_value(offset)}.")
