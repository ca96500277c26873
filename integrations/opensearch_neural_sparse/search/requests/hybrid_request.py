"""Hybrid search requests: one `_search` that the server fuses, or one `_msearch` that the client fuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.fusion.client_fusion import FusionPlan
from opensearch_neural_sparse.search.fusion.fusion_choice import choose_fusion, fusing_pipeline
from opensearch_neural_sparse.search.options.fusion import Fusion
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW, SearchPage
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.search.query.aggregated import any_of
from opensearch_neural_sparse.search.query.clause_limit import fit_legs, tokens_left_out, words_left_out
from opensearch_neural_sparse.search.query.clauses import hybrid_query
from opensearch_neural_sparse.search.query.leg_queries import (
    check_two_phase,
    is_approximate,
    leg_body,
    leg_query,
    matched_query,
)
from opensearch_neural_sparse.search.query.query_text import SearchedQuery, Weights
from opensearch_neural_sparse.search.query.resolved_legs import ResolvedDenseLeg, ResolvedLeg, ResolvedSparseLeg, pruned
from opensearch_neural_sparse.search.query.seismic import check_exact
from opensearch_neural_sparse.search.query.sparse import explained_tokens
from opensearch_neural_sparse.search.requests.search_request import SearchRequest
from opensearch_neural_sparse.server_info import KNN, ServerInfo

_SMALL_PAGE = 4
"""Minimum ratio of fusion depth to page from which whole documents are fetched."""
_EXPLAINING: dict[str, Any] = {"response_processors": [{"hybrid_score_explanation": {}}]}
"""Explanation of fused ranks, without a collapse. With normalised scores the server normalises twice, and the scores
change; with a collapse it confuses the ranks of hits. There each leg is searched by itself beside the hybrid query."""


@dataclass(frozen=True, kw_only=True)
class HybridQuestion:
    """Legs that fit into one request, with page and options.

    Attributes:
        server: The server that is asked.
        schema: Names of the fields.
        legs: The legs, with the query in them.
        wanted: The page, the filter that goes into every leg, and what comes with hits.
        options: How to fuse.
        plan: Fusion and page, for reading the response.
        shards: How many shards are searched; 0 if unknown.
        alone: Whether it may be a `_search`; in a `_msearch` the server reports no leg scores, and
            of boosted legs those without boosts.
        tokens_left_out: How many light tokens had to be left out.
        words_left_out: How many words of texts had to be.
        fusion_reason: Why the client fuses, or None.
    """

    server: ServerInfo
    schema: IndexSchema
    legs: tuple[ResolvedLeg, ...] = field(repr=False)
    wanted: SearchPage
    options: HybridOptions
    plan: FusionPlan
    shards: int = 1
    alone: bool = True
    tokens_left_out: int = 0
    words_left_out: int = 0
    fusion_reason: str | None = None

    @property
    def depth(self) -> int:
        """Number of fused hits per leg."""
        return self.options.depth(self.wanted.size)

    @property
    def pool(self) -> int:
        """Most documents that the server fuses, of all legs and shards."""
        return min(LARGEST_WINDOW, self.depth * len(self.legs) * (self.shards or LARGEST_WINDOW))

    @property
    def collapsing(self) -> dict[str, Any]:
        """Part of a body that collapses, or that fetches the values by which documents are grouped."""
        if self.plan.groups is not None:
            return {"docvalue_fields": [self.plan.groups.field]}
        return {} if self.plan.collapse is None else {"collapse": {"field": self.plan.collapse}}

    @property
    def explained(self) -> Weights | None:
        """Query of the schema's own sparse field, if matches are requested."""
        if not self.wanted.explain:
            return None
        return explained_tokens(self.server, self._own_leg.vector) if self._own_leg is not None else {}

    @property
    def explained_legs(self) -> dict[str, SearchedQuery]:
        """Queries of the other sparse legs, if matches are requested."""
        if not self.wanted.explain:
            return {}
        return {
            leg.name: SearchedQuery(field=leg.field, query=explained_tokens(self.server, leg.vector))
            for leg in self._sparse_legs
            if leg is not self._own_leg
        }

    @property
    def matched(self) -> dict[str, Any] | None:
        """Query of all documents that a leg matches, if there are aggregations over them."""
        if self.options.aggregations is None:
            return None
        shared = (self.wanted.clauses, self.depth, self.options)
        return any_of([matched_query(self.server, leg, *shared) for leg in self.legs])

    @property
    def source(self) -> dict[str, Any]:
        """`_source` filter of the documents."""
        return self.wanted.source(self.schema, searched=[leg.field for leg in self._sparse_legs])

    @property
    def _sparse_legs(self) -> Sequence[ResolvedSparseLeg]:
        return [leg for leg in self.legs if isinstance(leg, ResolvedSparseLeg)]

    @property
    def _own_leg(self) -> ResolvedSparseLeg | None:
        return next((leg for leg in self._sparse_legs if leg.field == self.schema.sparse_path), None)


def hybrid_request(
    server: ServerInfo,
    index: str,
    state: IndexInfo,
    schema: IndexSchema,
    legs: Sequence[ResolvedLeg],
    wanted: SearchPage,
    options: HybridOptions,
    *,
    grouped: bool = False,
) -> SearchRequest:
    """Return the request of a hybrid search.

    Args:
        server: The server that is asked.
        index: The name that is searched.
        state: What is behind it.
        schema: Names of the fields.
        legs: The legs of the options with the query in them.
        wanted: The page, the filter that goes into every leg, and what comes with hits.
        options: How to fuse.
        grouped: Whether other groups of indices are searched by the same request.

    Raises:
        UnsupportedServerError: The server lacks a requested feature, or would silently compute it wrong.
    """
    legs = pruned(legs, options.prune)
    if any(isinstance(leg, ResolvedDenseLeg) for leg in legs):
        server.require_plugin(KNN, "A dense leg")
    if not any(map(is_approximate, legs)):
        check_exact(options.seismic)
    check_two_phase(legs, options)
    chunks = schema.has_chunks
    choice = choose_fusion(server, index, state, options, chunks=chunks)
    by_client = choice.by is Fusion.CLIENT
    clauses = wanted.clauses
    fitted = tuple(fit_legs([leg], clauses)[0] for leg in legs) if by_client else fit_legs(legs, clauses)
    question = HybridQuestion(
        server=server,
        schema=schema,
        legs=fitted,
        wanted=wanted,
        options=options,
        plan=_plan(fitted, wanted, options, state),
        shards=state.shards,
        alone=not grouped and options.aggregations is None and not options.boosts,
        tokens_left_out=tokens_left_out(legs, fitted),
        words_left_out=words_left_out(legs, fitted),
        fusion_reason=choice.reason,
    )
    return (_client_request if by_client else _server_request)(question)


def _plan(legs: Sequence[ResolvedLeg], wanted: SearchPage, options: HybridOptions, state: IndexInfo) -> FusionPlan:
    collapse = options.collapsed
    return FusionPlan(
        legs=tuple(leg.name for leg in legs),
        rank_constant=None if options.normalization else options.rank_constant,
        weights=options.weights,
        min_score=options.min_score,
        collapse=None if collapse is None or collapse.groups else collapse.field,
        groups=collapse if collapse is not None and collapse.groups else None,
        offset=wanted.offset,
        size=wanted.size,
        explain=wanted.explain,
        one_shard=state.shards == 1,
    )


def _server_request(question: HybridQuestion) -> SearchRequest:
    server, plan, options, depth = question.server, question.plan, question.options, question.depth
    clauses, source = question.wanted.clauses, question.source
    ranked = plan.explain and plan.rank_constant is not None and plan.collapse is None and question.alone
    queries = [leg_query(server, leg, clauses, depth, options, named=ranked) for leg in question.legs]
    end = plan.end if plan.groups is None else question.pool
    dropped = _dropped_here(plan, depth, source["excludes"])
    body: dict[str, Any] = {
        "size": end,  # a page past the end is an error on the server, so pages are cut here
        "query": hybrid_query(queries, pagination_depth=depth),
        "search_pipeline": fusing_pipeline(server, options) | (_EXPLAINING if ranked else {}),
        "_source": True if dropped else source,
        **question.collapsing,
    }
    if ranked:
        body["explain"] = True
    if options.min_score is not None:
        body["min_score"] = options.min_score
    way = f"{options.normalization} {options.combination}" if options.normalization else "rrf"
    return SearchRequest(
        body=body,
        matched=question.matched,
        leg_searches=_leg_searches(question) if plan.explain and not ranked else (),
        params={"include_named_queries_score": "true"} if ranked else {},
        options=options.request,
        explained=question.explained,
        explained_legs=question.explained_legs,
        plan=plan,
        fusion=f"server {way}",
        one_shard=options.normalization is None and not server.ranks_across_shards,
        dropped_fields=dropped,
        approximate=any(map(is_approximate, question.legs)),
        tokens_left_out=question.tokens_left_out,
        words_left_out=question.words_left_out,
    )


def _leg_searches(question: HybridQuestion) -> tuple[dict[str, Any], ...]:
    """Return a search of each leg, as deep as any document lies that a shard contributes to the fusion."""
    depth = question.depth
    deepest = min(LARGEST_WINDOW, depth * (question.shards or LARGEST_WINDOW))
    queries = [
        leg_query(question.server, leg, question.wanted.clauses, depth, question.options) for leg in question.legs
    ]
    return tuple({"size": deepest, "_source": False, "query": query} for query in queries)


def _dropped_here(plan: FusionPlan, depth: int, excluded: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that the client drops, where that is faster than their exclusion by the server.

    From an index of one shard the server loads every document of the pool before it fuses, and an exclusion makes it
    parse them all; whole documents are not parsed, and only those of the page travel.
    """
    few = plan.groups is None and _SMALL_PAGE * plan.end <= depth
    return tuple(excluded) if plan.one_shard and few and not any("." in name for name in excluded) else ()


def _client_request(question: HybridQuestion) -> SearchRequest:
    options, depth, clauses = question.options, question.depth, question.wanted.clauses
    shared: dict[str, Any] = {"size": depth, "_source": question.source, **question.collapsing}
    bodies = [leg_body(question.server, leg, clauses, depth, options) for leg in question.legs]
    return SearchRequest(
        searches=tuple({**shared, **body} for body in bodies),
        matched=question.matched,
        options=options.request,
        explained=question.explained,
        explained_legs=question.explained_legs,
        plan=question.plan,
        fusion="client rrf",
        fusion_reason=question.fusion_reason,
        two_phase=any(len(body) > 1 for body in bodies),
        approximate=any(map(is_approximate, question.legs)),
        tokens_left_out=question.tokens_left_out,
        words_left_out=question.words_left_out,
    )
