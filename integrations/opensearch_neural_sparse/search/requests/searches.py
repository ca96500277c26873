"""Searches as values: built by a retriever, run by a store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.arguments import check_flag, check_type
from opensearch_neural_sparse.index.metadata.nesting import DEEPEST, is_too_deep
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.rerank.rerank_options import Rerank
from opensearch_neural_sparse.search.filters.filter_clauses import Filter
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.query_text import check_language, check_query, check_query_text
from opensearch_neural_sparse.search.options.refinements.aggregations import (
    Aggregations,
    check_aggregations,
    check_within_filter,
)
from opensearch_neural_sparse.search.options.refinements.boosts import Boost, check_boosts
from opensearch_neural_sparse.search.options.refinements.collapse import Collapse, collapse_of
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.search_options import (
    DEFAULT_HYBRID,
    DEFAULT_SEARCH,
    HybridOptions,
    SearchOptions,
    check_collapse,
)
from opensearch_neural_sparse.search.options.server_query import ServerQuery

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
        ValueError: A page that no search gives, or an aggregation over documents that the filter leaves out.
    """

    query: Query = field(kw_only=False, repr=False)
    options: SearchOptions = DEFAULT_SEARCH

    def __post_init__(self) -> None:
        super().__post_init__()
        check_type(SearchOptions, but=HybridOptions, options=self.options)
        check_query(self.query)
        check_within_filter(self.options.aggregations, self.clauses)
        _check_server_query(self.query, self.options.server_query)
        check_reranked_query(self.query, self.options.rerank)


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
        ValueError: A page that no search gives, or an aggregation over documents that the filter leaves out.
    """

    query: str = field(kw_only=False, repr=False)
    vector: Mapping[str, float] | None = field(default=None, repr=False)
    options: HybridOptions = DEFAULT_HYBRID

    def __post_init__(self) -> None:
        super().__post_init__()
        check_query_text(self.query)
        check_type(HybridOptions, options=self.options)
        check_within_filter(self.options.aggregations, self.clauses)
        if self.vector is not None and not isinstance(self.vector, Mapping):
            raise TypeError(f"vector is a mapping of token to weight, got {type(self.vector).__name__}.")
        _check_server_query(self.vector, self.options.server_query)
        if self.vector is not None and not self.query.strip():
            check_reranked_query(self.vector, self.options.rerank)


@dataclass(frozen=True, kw_only=True)
class MatchSearch(SearchPage):
    """A full-text search (BM25).

    Attributes:
        text: The words.
        request: How the search travels.
        language: Their language, one of the index's; None takes the best of all (`IndexSchema.languages`).
        aggregations: Name -> aggregation in OpenSearch's syntax, over every document that matches.
        boosts: Boosts of the score by fields of documents, one after the other.
        collapse: A keyword or number field of which each value is found once, by its best document, or a `Collapse`.
        rerank: How the best hits are reranked by their texts; None keeps the order of the search.
        with_sparse_vectors: Whether hits carry their sparse vectors in `source`.
        profile: Whether `SearchHits.profile` says what was sent and how long each part took.

    Raises:
        FilterSyntaxError: A filter that is none.
        TypeError: A text or options of another kind.
        ValueError: A page that no search gives, or an aggregation over documents that the filter leaves out.
    """

    text: str = field(kw_only=False, repr=False)
    request: RequestOptions = DEFAULT_REQUEST
    language: str | None = None
    aggregations: Aggregations | None = field(default=None, repr=False)
    boosts: Sequence[Boost] = ()
    collapse: str | Collapse | None = None
    rerank: Rerank | None = None
    with_sparse_vectors: bool = False
    profile: bool = False
    explain: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_query_text(self.text)
        check_language(self.language)
        check_type(RequestOptions, request=self.request)
        check_aggregations(self.aggregations)
        object.__setattr__(self, "boosts", check_boosts(self.boosts))
        check_within_filter(self.aggregations, self.clauses)
        check_collapse(self.collapsed, None)
        check_type(Rerank, optional=True, rerank=self.rerank)
        check_flag(profile=self.profile)

    def source(self, schema: IndexSchema, searched: Collection[str] = ()) -> dict[str, Any]:
        """Return the `_source` filter of the documents.

        Args:
            schema: Names of the fields.
            searched: Additional sparse fields that are searched: none.
        """
        if self.with_sparse_vectors:
            return {"excludes": [] if self.with_embedding else [schema.embedding_field]}
        return super().source(schema, searched)

    @property
    def collapsed(self) -> Collapse | None:
        """The collapse, where a field's name stands for one of a single document a value."""
        return collapse_of(self.collapse)


@dataclass(frozen=True, kw_only=True)
class CustomSearch:
    """A search by a user-supplied body with placeholders.

    Attributes:
        body: The body of a `_search`, in which `$sparse`, `$text` and `$filters` are filled in.
        query: A text, or its token weights.
        filter: A query clause, or a list of such, all of which go where the body has `$filters`.
        request: How the search travels.
        server_query: What in the server encodes the text where the body has `$sparse`.
        boosts: Boosts of the scores of the body's query by fields of documents, one after the other.
        profile: Whether `SearchHits.profile` says what was sent and how long each part took.
        page: The filter as a page; size and offset are the body's own.

    Raises:
        FilterSyntaxError: A filter that is none.
        TypeError: A body, a query or options of another kind.
        ValueError: Boosts of a hybrid query.
    """

    body: Mapping[str, Any] = field(kw_only=False, repr=False)
    query: Query | None = field(default=None, repr=False)
    filter: Filter | None = field(default=None, repr=False)
    request: RequestOptions = DEFAULT_REQUEST
    server_query: ServerQuery | None = None
    boosts: Sequence[Boost] = ()
    profile: bool = False
    page: SearchPage = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "page", SearchPage(filter=self.filter))
        check_type(RequestOptions, request=self.request)
        check_flag(profile=self.profile)
        object.__setattr__(self, "boosts", check_boosts(self.boosts))
        if not isinstance(self.body, Mapping):
            raise TypeError(f"The body of a search is a mapping, got {type(self.body).__name__}.")
        if is_too_deep(self.body):
            raise ValueError(f"body is nested more than {DEEPEST} levels deep. Write it flatter.")
        if self.boosts and "hybrid" in (self.body.get("query") or {}):
            raise ValueError(
                "The server takes no hybrid query within another, so boosts cannot wrap that of the body. "
                "hybrid_search(options=HybridOptions(boosts=...)) boosts each leg."
            )
        if self.query is not None:
            check_query(self.query)
        check_type(ServerQuery, optional=True, server_query=self.server_query)
        _check_server_query(self.query, self.server_query)

    @property
    def clauses(self) -> list[dict[str, Any]]:
        """The filter as a list of query clauses."""
        return self.page.clauses


def _check_server_query(query: Query | None, by: ServerQuery | None) -> None:
    """Raise ValueError where a query that is encoded already is to be encoded by the server."""
    if by is not None and isinstance(query, Mapping):
        raise ValueError("A query of token weights is encoded already; leave server_query out, or give the text.")


def check_reranked_query(query: Query, rerank: Rerank | None) -> None:
    """Raise ValueError where a reranker would have no text of the query to read."""
    if rerank is not None and rerank.query is None and not isinstance(query, str):
        raise ValueError("A reranker reads the text of the query, and token weights have none: Rerank(query=...).")


def boosts_of(search: Search) -> Sequence[Boost]:
    """Return the boosts of a search."""
    return search.boosts if isinstance(search, MatchSearch | CustomSearch) else search.options.boosts


def is_profiled(search: Search) -> bool:
    """Return whether a search is asked for its profile."""
    return search.profile if isinstance(search, MatchSearch | CustomSearch) else search.options.profile


Search = SparseSearch | HybridSearch | MatchSearch | CustomSearch
