"""Search requests of one leg; pure functions and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses, filtered
from opensearch_neural_sparse.search.fusion.client_fusion import FusionPlan
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.search_options import DEFAULT_SEARCH, SearchOptions
from opensearch_neural_sparse.search.query.clause_limit import (
    MOST_CLAUSES,
    count_clauses,
    count_cut,
    limit_tokens,
    limit_words,
)
from opensearch_neural_sparse.search.query.clauses import match_query
from opensearch_neural_sparse.search.query.seismic import approximate_body, check_exact
from opensearch_neural_sparse.search.query.sparse import explained_tokens, sparse_body
from opensearch_neural_sparse.search.results.leg_matches import SearchedTokens
from opensearch_neural_sparse.server_info import ServerInfo


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search request, with the context to read its response.

    Attributes:
        body: The body of `_search`; empty where there are `searches`.
        searches: Bodies of one `_msearch`, a leg each.
        params: Parameters of the URL.
        options: How it travels.
        explained: The query vector as it is searched for, where matches are wanted.
        explained_legs: The same of additional sparse legs.
        plan: How legs are fused; None for a search of one leg.
        fusion: Who fuses legs and how, or None.
        one_shard: Whether an answer from several shards would be wrong on this server.
        dropped_fields: Fields that come and are not wanted.
        two_phase: Whether light tokens only refine the order of what the heavy ones find.
        approximate: Whether the field is one of which documents may be missed.
        tokens_left_out: How many light tokens had to be left out.
        words_left_out: How many words of a text had to be.
        whole_answer: Whether hits carry the server's whole answer.
    """

    body: dict[str, Any] = field(default_factory=dict, repr=False)
    searches: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    options: RequestOptions = DEFAULT_REQUEST
    explained: Mapping[str, float] | None = field(default=None, repr=False)
    explained_legs: Mapping[str, SearchedTokens] = field(default_factory=dict, repr=False)
    plan: FusionPlan | None = None
    fusion: str | None = None
    one_shard: bool = False
    dropped_fields: tuple[str, ...] = ()
    two_phase: bool = False
    approximate: bool = False
    tokens_left_out: int = 0
    words_left_out: int = 0
    whole_answer: bool = False

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Lines of a `_msearch`: a header and a body for each search."""
        return [line for body in self.searches or (self.body,) for line in (self.options.target, body)]

    def send(self, client: Any, index: str) -> Any:
        """Send the request with a blocking or async client; return the response or its awaitable."""
        if self.searches:
            return client.msearch(body=self.lines, index=index, params=self.options.waiting)
        params = {**self.params, **self.options.target, **self.options.waiting}
        return client.search(index=index, body=self.body, params=params)


def sparse_request(
    server: ServerInfo,
    schema: IndexSchema,
    vector: SparseVector,
    wanted: SearchPage,
    options: SearchOptions = DEFAULT_SEARCH,
) -> SearchRequest | None:
    """Return the request of a sparse search, or None if the vector is empty, before or after pruning."""
    vector = vector if options.prune is None else options.prune(vector)
    if not vector:
        return None
    searched = limit_tokens(vector, _clauses_left(wanted))
    parts = _sparse_parts(server, schema, searched, wanted, options)
    two_phase = len(parts) > 1
    if options.collapse is not None:
        parts["collapse"] = {"field": options.collapse}
    return SearchRequest(
        body={**_page(wanted), **parts, "_source": wanted.source(schema)},
        options=options.request,
        explained=explained_tokens(server, searched) if wanted.explain else None,
        two_phase=two_phase,
        approximate=schema.token_ids is not None,
        tokens_left_out=len(vector) - len(searched),
    )


def match_request(
    schema: IndexSchema, text: str, wanted: SearchPage, options: RequestOptions = DEFAULT_REQUEST
) -> SearchRequest:
    """Return the request of a BM25 search."""
    words = limit_words(text, _clauses_left(wanted))
    query = filtered(match_query(schema.text_field, words), wanted.clauses)
    return SearchRequest(
        body={**_page(wanted), "query": query, "_source": wanted.source(schema)},
        options=options,
        words_left_out=count_cut(text, words),
    )


def filter_body(filter: Filter | None) -> dict[str, Any]:  # noqa: A002
    """Return the body that counts the documents of a filter."""
    clauses = filter_clauses(filter)
    return {"query": {"bool": {"filter": clauses}} if clauses else {"match_all": {}}}


def _sparse_parts(
    server: ServerInfo, schema: IndexSchema, vector: SparseVector, wanted: SearchPage, options: SearchOptions
) -> dict[str, Any]:
    two_phase = options.two_phase
    if schema.token_ids is not None:
        how: dict[str, Any] = {"search": options.seismic, "collapsed": options.collapse is not None}
        return approximate_body(schema, vector, size=wanted.depth, clauses=wanted.clauses, two_phase=two_phase, **how)
    check_exact(options.seismic)
    page = {"size": wanted.size, "offset": wanted.offset}
    shared: dict[str, Any] = {"clauses": wanted.clauses, "chunk_field": schema.nested_field, **page}
    return sparse_body(server, schema.sparse_path, vector, two_phase=two_phase, **shared)


def _page(wanted: SearchPage) -> dict[str, Any]:
    return {"size": wanted.size, "from": wanted.offset} if wanted.offset else {"size": wanted.size}


def _clauses_left(wanted: SearchPage) -> int:
    return MOST_CLAUSES - min(count_clauses(wanted.clauses), MOST_CLAUSES - 1)
