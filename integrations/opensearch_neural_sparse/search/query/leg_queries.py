"""Queries of the legs of a hybrid search: in one search, or one search per leg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.search.filters.filter_clauses import filtered
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.search.query.boosted import boosted
from opensearch_neural_sparse.search.query.clauses import knn_query, match_query
from opensearch_neural_sparse.search.query.query_text import WAYS_OUT, QueryText
from opensearch_neural_sparse.search.query.resolved_legs import (
    ResolvedBm25Leg,
    ResolvedDenseLeg,
    ResolvedLeg,
    ResolvedSparseLeg,
    with_vector,
)
from opensearch_neural_sparse.search.query.seismic import by_token_id, seismic_query
from opensearch_neural_sparse.search.query.sparse import check_encodes_queries, sparse_body, sparse_query
from opensearch_neural_sparse.server_info import ServerInfo

Clauses = Sequence[Mapping[str, Any]]


def leg_query(
    server: ServerInfo, leg: ResolvedLeg, clauses: Clauses, depth: int, options: HybridOptions, *, named: bool = False
) -> dict[str, Any]:
    """Return the query of a leg, `named` so that the server reports which legs matched."""
    return boosted(_leg_query(server, leg, clauses, depth, options, named=named), options.boosts)


def _leg_query(
    server: ServerInfo, leg: ResolvedLeg, clauses: Clauses, depth: int, options: HybridOptions, *, named: bool
) -> dict[str, Any]:
    name = leg.name if named else None
    if isinstance(leg, ResolvedDenseLeg):
        return knn_query(leg.field, leg.vector, k=depth, clauses=clauses, name=name)
    if isinstance(leg, ResolvedBm25Leg):
        return filtered(match_query(leg.field, leg.text, name=name, languages=leg.language_fields), clauses)
    if leg.token_ids is not None:
        shared: dict[str, Any] = {"clauses": clauses, "search": options.seismic}
        shared["widely"] = options.looks_widely
        if isinstance(leg.vector, QueryText):
            check_encodes_queries(server, leg.vector)
        return seismic_query(leg.field, by_token_id(leg.vector, leg.token_ids), size=depth, name=name, **shared)
    if leg.chunk_field is not None:
        name = leg.name  # the server distinguishes the chunks of several legs by it
    return filtered(sparse_query(server, leg.field, leg.vector, name=name, chunk_field=leg.chunk_field), clauses)


def matched_query(
    server: ServerInfo, leg: ResolvedLeg, clauses: Clauses, depth: int, options: HybridOptions
) -> dict[str, Any]:
    """Return the query of what a leg finds: in two phases, what its heavy tokens do.

    Raises:
        ValueError: Two phases of a query that the server encodes, and would have to split.
    """
    if options.two_phase is None or not isinstance(leg, ResolvedSparseLeg) or is_approximate(leg):
        return leg_query(server, leg, clauses, depth, options)
    if isinstance(leg.vector, QueryText):
        raise ValueError(  # noqa: TRY004
            "aggregations of a hybrid search in two phases need a query that is encoded here: the server does not show "
            f"which tokens it searches by. {WAYS_OUT}; or leave two_phase out."
        )
    heavy, light = options.two_phase.split(leg.vector)
    return leg_query(server, with_vector(leg, heavy if heavy and light else leg.vector), clauses, depth, options)


def leg_body(
    server: ServerInfo, leg: ResolvedLeg, clauses: Clauses, depth: int, options: HybridOptions
) -> dict[str, Any]:
    """Return the search body of a single leg."""
    if isinstance(leg, ResolvedSparseLeg) and leg.token_ids is None:
        shared: dict[str, Any] = {"clauses": clauses, "chunk_field": leg.chunk_field, "boosts": options.boosts}
        return sparse_body(server, leg.field, leg.vector, size=depth, two_phase=options.two_phase, **shared)
    return {"query": leg_query(server, leg, clauses, depth, options)}


def check_two_phase(legs: Sequence[ResolvedLeg], options: HybridOptions) -> None:
    """Raise ValueError if two-phase search is requested and no leg supports it."""
    if options.two_phase is not None and not any(
        isinstance(leg, ResolvedSparseLeg) and not is_approximate(leg) for leg in legs
    ):
        raise ValueError("No leg searches a rank_features field, and no other has two phases; leave two_phase out.")


def is_approximate(leg: ResolvedLeg) -> bool:
    """Return whether a leg's search is approximate and may miss documents."""
    return isinstance(leg, ResolvedSparseLeg) and leg.token_ids is not None
