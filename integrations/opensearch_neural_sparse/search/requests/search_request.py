"""Search requests of one leg; pure functions and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses, filtered
from opensearch_neural_sparse.search.fusion.client_fusion import FusionPlan
from opensearch_neural_sparse.search.options.legs import Bm25Leg, SparseLeg
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.refinements.aggregations import Aggregations
from opensearch_neural_sparse.search.options.refinements.boosts import Boost
from opensearch_neural_sparse.search.options.refinements.collapse import Collapse
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.options.search_options import DEFAULT_SEARCH, SearchOptions
from opensearch_neural_sparse.search.query.boosted import boosted
from opensearch_neural_sparse.search.query.clause_limit import (
    MOST_CLAUSES,
    count_clauses,
    count_cut,
    count_tokens,
    limit_query,
    limit_words,
)
from opensearch_neural_sparse.search.query.clauses import match_query
from opensearch_neural_sparse.search.query.query_text import (
    EncodedQuery,
    QueryText,
    SearchedQuery,
    Weights,
    pruned_query,
)
from opensearch_neural_sparse.search.query.resolved_legs import words_fields
from opensearch_neural_sparse.search.query.seismic import approximate_body, check_exact
from opensearch_neural_sparse.search.query.sparse import check_encodes_queries, explained_tokens, sparse_body
from opensearch_neural_sparse.search.requests.sent_search import SentSearch
from opensearch_neural_sparse.server_info import ServerInfo


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search request, with the context to read its response.

    Attributes:
        body: The body of `_search`; empty where there are `searches`.
        searches: Bodies of one `_msearch`, a leg each.
        leg_searches: Bodies of the legs beside a body that the server fuses, where it does not report their ranks.
        leg: Name of the one leg that is searched without a plan; None for a body of the caller's.
        params: Parameters of the URL.
        options: How it travels.
        explained: The query as it is searched for, where matches are wanted.
        explained_legs: The same of additional sparse legs.
        plan: How legs are fused; None for a search of one leg.
        fusion: Who fuses legs and how, or None.
        fusion_reason: Why the client fuses, or None.
        one_shard: Whether an answer from several shards would be wrong on this server.
        dropped_fields: Fields that come and are not wanted.
        two_phase: Whether light tokens only refine the order of what the heavy ones find.
        approximate: Whether the field is one of which documents may be missed.
        tokens_left_out: How many light tokens had to be left out.
        words_left_out: How many words of a text had to be.
        whole_answer: Whether hits carry the server's whole answer.
        matched: The query of all documents that the search matches, where aggregations take a search of their own.
    """

    body: dict[str, Any] = field(default_factory=dict, repr=False)
    searches: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    leg_searches: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    leg: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    options: RequestOptions = DEFAULT_REQUEST
    explained: Weights | None = field(default=None, repr=False)
    explained_legs: Mapping[str, SearchedQuery] = field(default_factory=dict, repr=False)
    plan: FusionPlan | None = None
    fusion: str | None = None
    fusion_reason: str | None = None
    one_shard: bool = False
    dropped_fields: tuple[str, ...] = ()
    two_phase: bool = False
    approximate: bool = False
    tokens_left_out: int = 0
    words_left_out: int = 0
    whole_answer: bool = False
    matched: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def bodies(self) -> tuple[dict[str, Any], ...]:
        """Bodies of every search of the request."""
        return self.searches or (self.body, *self.leg_searches)

    @property
    def explained_texts(self) -> set[QueryText]:
        """Texts that the server encodes and that are explained."""
        queries = [self.explained, *(searched.query for searched in self.explained_legs.values())]
        return {query for query in queries if isinstance(query, QueryText)}

    def explaining(self, known: Mapping[QueryText, QueryText]) -> SearchRequest:
        """Return the request with texts and their known token weights."""
        legs = {
            name: replace(searched, query=_known(searched.query, known))
            for name, searched in self.explained_legs.items()
        }
        own = None if self.explained is None else _known(self.explained, known)
        return replace(self, explained=own, explained_legs=legs)

    def sent(self, place: int = 0, indices: Sequence[str] = ()) -> list[SentSearch]:
        """Return the searches of the request as they travel, in the order of `bodies`.

        Args:
            place: Place of the query that it is for.
            indices: The indices that are searched; empty where the name of the request stands for them.
        """
        sent_as = partial(SentSearch, place=place, indices=tuple(indices))
        target, legs = self.options.target, self._leg_names
        if self.searches:
            pairs = zip(self.searches, legs, strict=True)
            return [sent_as(body=body, params=target, legs=(leg,)) for body, leg in pairs]
        whole = sent_as(body=self.body, params={**self.params, **target}, legs=legs)
        if not self.leg_searches:
            return [whole]
        pairs = zip(self.leg_searches, legs, strict=True)
        return [whole, *(sent_as(body=body, params=target, purpose="leg ranks", legs=(leg,)) for body, leg in pairs)]

    @property
    def _leg_names(self) -> tuple[str, ...]:
        if self.plan is not None:
            return self.plan.legs
        return () if self.leg is None else (self.leg,)


def sparse_request(
    server: ServerInfo,
    schema: IndexSchema,
    vector: EncodedQuery,
    wanted: SearchPage,
    options: SearchOptions = DEFAULT_SEARCH,
    *,
    grouped: bool = False,
) -> SearchRequest | None:
    """Return the request of a sparse search, or None if the vector is empty, before or after pruning.

    Args:
        server: The server that is asked.
        schema: Names of the fields.
        vector: The query.
        wanted: The page.
        options: How to search.
        grouped: Whether other groups of indices are searched by the same request, so that aggregations are of them all.
    """
    vector = pruned_query(vector, options.prune)
    if not vector:
        return None
    searched = limit_query(vector, _clauses_left(wanted))
    parts = _sparse_parts(server, schema, searched, wanted, options)
    two_phase = len(parts) > 1
    if options.collapsed is not None:
        parts["collapse"] = options.collapsed.clause(wanted.source(schema))
    if options.aggregations is not None and not grouped:
        parts["aggs"] = dict(options.aggregations)
    return SearchRequest(
        body={**_page(wanted), **parts, "_source": wanted.source(schema)},
        options=options.request,
        leg=SparseLeg.name,
        matched=parts["query"],
        explained=explained_tokens(server, searched) if wanted.explain else None,
        two_phase=two_phase,
        approximate=schema.token_ids is not None,
        tokens_left_out=count_tokens(vector) - count_tokens(searched),
    )


def match_request(
    schema: IndexSchema,
    text: str,
    wanted: SearchPage,
    options: RequestOptions = DEFAULT_REQUEST,
    *,
    language: str | None = None,
    aggregations: Aggregations | None = None,
    boosts: Sequence[Boost] = (),
    collapse: Collapse | None = None,
) -> SearchRequest:
    """Return the request of a BM25 search."""
    field, languages = words_fields(schema, language=language)
    words = limit_words(text, max(1, _clauses_left(wanted) // (1 + len(languages))))
    query = filtered(boosted(match_query(field, words, languages=languages), boosts), wanted.clauses)
    refined: dict[str, Any] = {} if aggregations is None else {"aggs": dict(aggregations)}
    if collapse is not None:
        refined["collapse"] = collapse.clause(wanted.source(schema))
    return SearchRequest(
        body={**_page(wanted), "query": query, "_source": wanted.source(schema), **refined},
        leg=Bm25Leg.name,
        options=options,
        words_left_out=count_cut(text, words),
    )


def filter_body(filter: Filter | None) -> dict[str, Any]:  # noqa: A002
    """Return the body that counts the documents of a filter."""
    clauses = filter_clauses(filter)
    return {"query": {"bool": {"filter": clauses}} if clauses else {"match_all": {}}}


def _sparse_parts(
    server: ServerInfo, schema: IndexSchema, vector: EncodedQuery, wanted: SearchPage, options: SearchOptions
) -> dict[str, Any]:
    two_phase = options.two_phase
    if schema.token_ids is not None:
        if isinstance(vector, QueryText):
            check_encodes_queries(server, vector)
        how: dict[str, Any] = {"search": options.seismic, "widely": options.looks_widely}
        depth, clauses = wanted.depth, wanted.clauses
        parts = approximate_body(schema, vector, size=depth, clauses=clauses, two_phase=two_phase, **how)
        return {**parts, "query": boosted(parts["query"], options.boosts)}
    check_exact(options.seismic)
    page = {"size": wanted.size, "offset": wanted.offset}
    shared: dict[str, Any] = {"clauses": wanted.clauses, "chunk_field": schema.nested_field, **page}
    shared["boosts"] = options.boosts
    return sparse_body(server, schema.sparse_path, vector, two_phase=two_phase, **shared)


def _page(wanted: SearchPage) -> dict[str, Any]:
    return {"size": wanted.size, "from": wanted.offset} if wanted.offset else {"size": wanted.size}


def _clauses_left(wanted: SearchPage) -> int:
    return MOST_CLAUSES - min(count_clauses(wanted.clauses), MOST_CLAUSES - 1)


def _known(query: Weights, known: Mapping[QueryText, QueryText]) -> Weights:
    return known.get(query, query) if isinstance(query, QueryText) else query
