"""Searches as values: built by a retriever, run by a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.search.filters.filter_clauses import Filter
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.query_text import check_options, check_query, check_text
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.search_options import (
    DEFAULT_HYBRID,
    DEFAULT_SEARCH,
    HybridOptions,
    SearchOptions,
)

Query = str | Mapping[str, float]
"""The text of a query, or its token weights."""


@dataclass(frozen=True, kw_only=True)
class SparseSearch(SearchPage):
    """A neural sparse search.

    Attributes:
        query: A text, or its token weights.
        options: How to search: in two phases, by fewer tokens, collapsed; and how the search travels.

    Raises:
        FilterSyntaxError: A filter that is none.
        TypeError: A query or options of another kind.
        ValueError: A page that no search gives.
    """

    query: Query = field(kw_only=False, repr=False)
    options: SearchOptions = DEFAULT_SEARCH

    def __post_init__(self) -> None:
        super().__post_init__()
        check_options(self.options, SearchOptions, but=HybridOptions)
        check_query(self.query)


@dataclass(frozen=True, kw_only=True)
class HybridSearch(SearchPage):
    """A hybrid search: several fused legs.

    Attributes:
        query: The text, searched for as it is and as a sparse vector.
        vector: Token weights of the query, in place of encoding it.
        options: Which legs, and how to fuse them.

    Raises:
        FilterSyntaxError: A filter that is none.
        TypeError: A query, a vector or options of another kind.
        ValueError: A page that no search gives.
    """

    query: str = field(kw_only=False, repr=False)
    vector: Mapping[str, float] | None = field(default=None, repr=False)
    options: HybridOptions = DEFAULT_HYBRID

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text(self.query)
        check_options(self.options, HybridOptions)
        if self.vector is not None and not isinstance(self.vector, Mapping):
            raise TypeError(f"vector is a mapping of token to weight, got {type(self.vector).__name__}.")


@dataclass(frozen=True, kw_only=True)
class MatchSearch(SearchPage):
    """A full-text search (BM25).

    Attributes:
        text: The words.
        request: How the search travels.

    Raises:
        FilterSyntaxError: A filter that is none.
        TypeError: A text or options of another kind.
        ValueError: A page that no search gives.
    """

    text: str = field(kw_only=False, repr=False)
    request: RequestOptions = DEFAULT_REQUEST
    explain: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text(self.text)
        check_options(self.request, RequestOptions, "request")


@dataclass(frozen=True, kw_only=True)
class CustomSearch:
    """A search by a user-supplied body with placeholders.

    Attributes:
        body: The body of a `_search`, in which `$sparse`, `$text` and `$filters` are filled in.
        query: A text, or its token weights.
        filter: A query clause, or a list of such, all of which go where the body has `$filters`.
        request: How the search travels.
        page: The filter as a page; size and offset are the body's own.

    Raises:
        FilterSyntaxError: A filter that is none.
        TypeError: A body, a query or options of another kind.
    """

    body: Mapping[str, Any] = field(kw_only=False, repr=False)
    query: Query | None = field(default=None, repr=False)
    filter: Filter | None = field(default=None, repr=False)
    request: RequestOptions = DEFAULT_REQUEST
    page: SearchPage = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "page", SearchPage(filter=self.filter))
        check_options(self.request, RequestOptions, "request")
        if not isinstance(self.body, Mapping):
            raise TypeError(f"The body of a search is a mapping, got {type(self.body).__name__}.")
        if self.query is not None:
            check_query(self.query)

    @property
    def clauses(self) -> list[dict[str, Any]]:
        """The filter as a list of query clauses."""
        return self.page.clauses


Search = SparseSearch | HybridSearch | MatchSearch | CustomSearch
