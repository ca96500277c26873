"""What a hybrid search asks: one `_search` that the server fuses, or one `_msearch` that is fused here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.errors import UnsupportedServerError
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.index.pipelines import normalization_pipeline, rrf_pipeline
from opensearch_neural_sparse.search.budget import fit_legs, tokens_left_out
from opensearch_neural_sparse.search.filters import Filter, filter_clauses, filtered
from opensearch_neural_sparse.search.fused import FusionPlan
from opensearch_neural_sparse.search.fusion import Fusion
from opensearch_neural_sparse.search.legs import Nearest, ReadyLeg, Weights, Words, pruned
from opensearch_neural_sparse.search.options import HybridOptions
from opensearch_neural_sparse.search.query import hybrid_query, knn_query, match_query
from opensearch_neural_sparse.search.seismic import seismic_query
from opensearch_neural_sparse.server import KNN, NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.index_state import IndexState
from opensearch_neural_sparse.store.requests import (
    SearchRequest,
    check_size,
    explained_tokens,
    source_filter,
    sparse_body,
    sparse_query,
    wrong_ranks,
)

_MIN_SCORE_SINCE, _COLLAPSE_SINCE = (3, 5, 0), (3, 6, 0)
_SMALL_PAGE = 4
"""How many times deeper than a page the pool has to be for whole documents to be worth their way."""
_EXPLAINING: dict[str, Any] = {"response_processors": [{"hybrid_score_explanation": {}}]}
"""For ranks alone: where it explains normalised scores, the server normalises them twice, and the scores change."""


def hybrid_request(
    server: ServerInfo,
    index: str,
    state: IndexState,
    schema: IndexSchema,
    legs: Sequence[ReadyLeg],
    *,
    size: int,
    offset: int = 0,
    filter: Filter | None = None,  # noqa: A002
    options: HybridOptions,
    explain: bool = False,
    with_embedding: bool = False,
) -> SearchRequest:
    """Return a search that fuses legs, in one request.

    Args:
        server: The server that is asked.
        index: The name that is searched.
        state: What is behind it.
        schema: Names of the fields.
        legs: The legs of the options with the query in them.
        size: Most hits, 1 to 10,000.
        offset: How many hits to skip.
        filter: Goes into every leg.
        options: How to fuse.
        explain: Whether hits tell which tokens matched, and what each leg made of them.
        with_embedding: Whether hits carry their dense vectors.

    Raises:
        UnsupportedServerError: The server lacks what was asked for, or would get it wrong in silence.
    """
    check_size(size, offset)
    clauses = filter_clauses(filter)
    legs = pruned(legs, options.prune)
    if any(isinstance(leg, Nearest) for leg in legs):
        server.require_plugin(KNN, "A dense leg")
    by_client = choose_fusion(server, index, state, options) is Fusion.CLIENT
    fitted = tuple(fit_legs([leg], clauses)[0] for leg in legs) if by_client else fit_legs(legs, clauses)
    plan = FusionPlan(
        legs=tuple(leg.name for leg in fitted),
        rank_constant=None if options.normalization else options.rank_constant,
        weights=options.weights,
        min_score=options.min_score,
        offset=offset,
        size=size,
        explain=explain,
        one_shard=state.shards == 1,
    )
    source = source_filter(schema, explain, with_embedding)
    make = _client_request if by_client else _server_request
    return make(
        server,
        fitted,
        plan,
        options,
        clauses=clauses,
        source=source,
        explained=_explained(server, schema, fitted) if explain else None,
        left_out=tokens_left_out(legs, fitted),
    )


def choose_fusion(server: ServerInfo, index: str, state: IndexState, options: HybridOptions) -> Fusion:
    """Return who fuses: what the options say, else the server wherever its fusion is there and right.

    Raises:
        UnsupportedServerError: The server shall or must fuse, and would not get it right.
    """
    if options.fusion is Fusion.CLIENT:
        return Fusion.CLIENT
    try:
        _check_server(server, index, state, options)
    except UnsupportedServerError:
        if options.fusion is Fusion.SERVER or options.beyond_client is not None:
            raise
        return Fusion.CLIENT
    return Fusion.SERVER


def _check_server(server: ServerInfo, index: str, state: IndexState, options: HybridOptions) -> None:
    server.require_plugin(NEURAL_SEARCH, "Hybrid search fused by the server")
    if options.normalization is None and not server.ranks_across_shards:
        if state.shards > 1:
            raise wrong_ranks(server, f"{state.shards} shards of {', '.join(state.indices)}")
        if state.indices != (index,) and options.fusion is Fusion.AUTO:
            raise wrong_ranks(server, f"an alias, {index}, that may come to hold several shards")
    if options.two_phase is not None:
        raise UnsupportedServerError(
            "Two-phase search in a hybrid search",
            found=str(server),
            required="fusion by the client",
            reason="The server's two-phase processor does not reach the legs of a hybrid query. Leave fusion at "
            "'auto', without normalization and collapse.",
        )
    if options.min_score is not None:
        server.require(_MIN_SCORE_SINCE, "A least fused score (min_score)")
    if options.collapse is not None:
        server.require(_COLLAPSE_SINCE, "A collapsed hybrid search")
    _pipeline(server, options)


def _server_request(
    server: ServerInfo,
    legs: Sequence[ReadyLeg],
    plan: FusionPlan,
    options: HybridOptions,
    *,
    clauses: list[dict[str, Any]],
    source: dict[str, Any],
    explained: Mapping[str, float] | None,
    left_out: int,
) -> SearchRequest:
    depth, ranked = options.depth(plan.size), plan.explain and plan.rank_constant is not None
    queries = [_leg_query(server, leg, clauses, depth, named=plan.explain) for leg in legs]
    dropped = _dropped_here(plan, depth, source["excludes"])
    body: dict[str, Any] = {
        "size": plan.offset + plan.size,  # a page past the end is an error on the server, so pages are cut here
        "query": hybrid_query(queries, pagination_depth=depth),
        "search_pipeline": _pipeline(server, options) | (_EXPLAINING if ranked else {}),
        "_source": True if dropped else source,
    }
    if ranked:
        body["explain"] = True
    if options.min_score is not None:
        body["min_score"] = options.min_score
    if options.collapse is not None:
        body["collapse"] = {"field": options.collapse}
    way = f"{options.normalization} {options.combination}" if options.normalization else "rrf"
    return SearchRequest(
        body=body,
        params={"include_named_queries_score": "true"} if plan.explain else {},
        explained=explained,
        plan=plan,
        fusion=f"server {way}",
        one_shard=options.normalization is None and not server.ranks_across_shards,
        dropped_fields=dropped,
        approximate=any(isinstance(leg, Weights) and leg.token_ids is not None for leg in legs),
        tokens_left_out=left_out,
    )


def _dropped_here(plan: FusionPlan, depth: int, excluded: Sequence[str]) -> tuple[str, ...]:
    """Return the fields that are dropped after they came, where that is quicker than to have them excluded.

    From an index of one shard the server loads every document of the pool before it fuses, and an exclusion makes it
    parse them all; whole documents are not parsed, and only those of the page travel.
    """
    few = _SMALL_PAGE * (plan.offset + plan.size) <= depth
    return tuple(excluded) if plan.one_shard and few and not any("." in name for name in excluded) else ()


def _client_request(
    server: ServerInfo,
    legs: Sequence[ReadyLeg],
    plan: FusionPlan,
    options: HybridOptions,
    *,
    clauses: list[dict[str, Any]],
    source: dict[str, Any],
    explained: Mapping[str, float] | None,
    left_out: int,
) -> SearchRequest:
    depth = options.depth(plan.size)
    bodies = [_leg_body(server, leg, clauses, depth, options) for leg in legs]
    return SearchRequest(
        searches=tuple({"size": depth, **body, "_source": source} for body in bodies),
        explained=explained,
        plan=plan,
        fusion="client rrf",
        two_phase=any("rescore" in body or "search_pipeline" in body for body in bodies),
        approximate=any(isinstance(leg, Weights) and leg.token_ids is not None for leg in legs),
        tokens_left_out=left_out,
    )


def _leg_body(
    server: ServerInfo, leg: ReadyLeg, clauses: list[dict[str, Any]], depth: int, options: HybridOptions
) -> dict[str, Any]:
    if isinstance(leg, Weights) and leg.token_ids is None:
        return sparse_body(server, leg.field, leg.vector, size=depth, clauses=clauses, two_phase=options.two_phase)
    return {"query": _leg_query(server, leg, clauses, depth)}


def _leg_query(
    server: ServerInfo, leg: ReadyLeg, clauses: list[dict[str, Any]], depth: int, *, named: bool = False
) -> dict[str, Any]:
    name = leg.name if named else None
    if isinstance(leg, Nearest):
        return knn_query(leg.field, leg.vector, k=depth, clauses=clauses, name=name)
    if isinstance(leg, Words):
        return filtered(match_query(leg.field, leg.text, name=name), clauses)
    if leg.token_ids is not None:
        return seismic_query(leg.field, leg.token_ids.known_ids(leg.vector), size=depth, clauses=clauses, name=name)
    return filtered(sparse_query(server, leg.field, leg.vector, name=name), clauses)


def _pipeline(server: ServerInfo, options: HybridOptions) -> dict[str, Any]:
    if options.normalization is None:
        return rrf_pipeline(server, rank_constant=options.rank_constant, weights=options.weights)
    return normalization_pipeline(
        server,
        normalization=options.normalization,
        combination=options.combination,
        weights=options.weights,
        lower_bounds=options.lower_bounds,
        upper_bounds=options.upper_bounds,
    )


def _explained(server: ServerInfo, schema: IndexSchema, legs: Sequence[ReadyLeg]) -> Mapping[str, float]:
    own = [leg for leg in legs if isinstance(leg, Weights) and leg.field == schema.sparse_field]
    return explained_tokens(server, own[0].vector) if own else {}
