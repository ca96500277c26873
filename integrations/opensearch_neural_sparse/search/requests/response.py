"""Search responses: hits and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import IndexNotFoundError, ServerRequestError
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.fusion.client_fusion import read_fused, read_leg_scores
from opensearch_neural_sparse.search.fusion.fusion_choice import wrong_ranks
from opensearch_neural_sparse.search.requests.search_request import SearchRequest
from opensearch_neural_sparse.search.results.hits import SearchHits, parse_hits
from opensearch_neural_sparse.search.results.leg_matches import with_leg_matches
from opensearch_neural_sparse.server_info import ServerInfo

_INDEX_NOT_FOUND = "index_not_found_exception"


def read_hits(
    server: ServerInfo, request: SearchRequest, response: Mapping[str, Any], schema: IndexSchema
) -> SearchHits:
    """Read a search response.

    Raises:
        IndexNotFoundError: The index is gone.
        PartialResultsError: Some shards failed.
        ServerRequestError: The server refused a leg.
        UnsupportedServerError: Fused ranks of several shards, from a server that gets them wrong.
    """
    plan, explained, partial = request.plan, request.explained, request.options.partial
    if request.searches and plan is not None:
        responses = [raise_for_error(row) for row in response["responses"]]
        hits = read_fused(responses, schema, plan, explained=explained, took_ms=response["took"], partial=partial)
    else:
        shards = response.get("_shards", {}).get("total", 1)
        if request.one_shard and shards > 1:
            raise wrong_ranks(server, f"{shards} shards")
        hits = parse_hits(
            response,
            schema,
            explained=explained,
            offset=plan.offset if plan is not None else 0,
            legs=(lambda hit: read_leg_scores(hit, plan)) if plan is not None and plan.explain else None,
            dropped=request.dropped_fields,
            partial=partial,
        )
        if plan is not None:
            hits.pool_end = plan.pool_end(len(response["hits"]["hits"]), hits.total)
    if request.explained_legs:
        hits[:] = [with_leg_matches(hit, request.explained_legs, schema) for hit in hits]
    hits.fusion, hits.two_phase, hits.tokens_left_out = request.fusion, request.two_phase, request.tokens_left_out
    hits.approximate, hits.words_left_out = request.approximate, request.words_left_out
    if request.whole_answer:
        hits.response = response
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
