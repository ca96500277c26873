"""Search responses: hits and errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import IndexNotFoundError, ServerRequestError
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.fusion.client_fusion import leg_reader, read_fused
from opensearch_neural_sparse.search.fusion.fusion_choice import wrong_ranks
from opensearch_neural_sparse.search.fusion.hit_groups import group_fused
from opensearch_neural_sparse.search.query.query_text import known_weights
from opensearch_neural_sparse.search.requests.search_request import SearchRequest
from opensearch_neural_sparse.search.results.hits import SearchHits, parse_hits
from opensearch_neural_sparse.search.results.leg_matches import SearchedTokens, with_leg_matches
from opensearch_neural_sparse.server_info import ServerInfo

_INDEX_NOT_FOUND = "index_not_found_exception"


def read_hits(
    server: ServerInfo,
    request: SearchRequest,
    responses: Sequence[Mapping[str, Any]],
    schema: IndexSchema,
    *,
    took_ms: int,
) -> SearchHits:
    """Read the responses of a search request.

    Args:
        server: The server that answered.
        request: The request.
        responses: The response to each of its bodies.
        schema: Names of the fields.
        took_ms: The server's time for all of them.

    Raises:
        PartialResultsError: Some shards failed.
        UnsupportedServerError: Fused ranks of several shards, from a server that gets them wrong.
    """
    plan, explained, partial = request.plan, known_weights(request.explained), request.options.partial
    if request.searches and plan is not None:
        hits = read_fused(responses, schema, plan.of_pool, explained=explained, took_ms=took_ms, partial=partial)
    else:
        response, *of_legs = responses
        shards = response.get("_shards", {}).get("total", 1)
        if request.one_shard and shards > 1:
            raise wrong_ranks(server, f"{shards} shards")
        hits = parse_hits(
            response,
            schema,
            explained=explained,
            offset=plan.of_pool.offset if plan is not None else 0,
            legs=None if plan is None or not plan.explain else leg_reader(plan, of_legs, partial),
            dropped=request.dropped_fields,
            partial=partial,
        )
        if plan is not None:
            hits.pool_end = plan.of_pool.pool_end(len(response["hits"]["hits"]), hits.total)
    if request.explained_legs:
        legs = {
            name: SearchedTokens(field=leg.field, vector=known_weights(leg.query) or {})
            for name, leg in request.explained_legs.items()
        }
        hits[:] = [with_leg_matches(hit, legs, schema) for hit in hits]
    if plan is not None and plan.groups is not None:
        group_fused(hits, responses if request.searches else responses[:1], plan)
    hits.fusion, hits.two_phase, hits.tokens_left_out = request.fusion, request.two_phase, request.tokens_left_out
    hits.fusion_reason = request.fusion_reason
    if request.searches and plan is not None:
        hits.leg_took_ms = {name: int(row["took"]) for name, row in zip(plan.legs, responses, strict=True)}
    hits.approximate, hits.words_left_out = request.approximate, request.words_left_out
    if not request.searches:
        hits.aggregations = responses[0].get("aggregations", {})
    if request.whole_answer:
        hits.response = responses[0]
    return hits


def raise_for_error(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an item of a `_msearch` response, or raise its error."""
    if (error := row.get("error")) is None:
        return row
    causes = error.get("root_cause") or [error]
    cause = causes[0] if error.get("reason") in (None, "all shards failed") else error
    if cause.get("type") == _INDEX_NOT_FOUND:
        raise IndexNotFoundError(str(cause.get("index")))
    raise ServerRequestError(int(row.get("status", 500)), str(cause.get("type")), short_reason(cause))
