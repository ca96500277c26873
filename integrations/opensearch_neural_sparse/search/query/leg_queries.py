"""Queries of the legs of a hybrid search: in one search, or one search per leg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.search.filters.filter_clauses import filtered
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.search.query.clauses import knn_query, match_query
from opensearch_neural_sparse.search.query.resolved_legs import (
    ResolvedBm25Leg,
    ResolvedDenseLeg,
    ResolvedLeg,
    ResolvedSparseLeg,
)
from opensearch_neural_sparse.search.query.seismic import seismic_query
from opensearch_neural_sparse.search.query.sparse import sparse_body, sparse_query
from opensearch_neural_sparse.server_info import ServerInfo

Clauses = Sequence[Mapping[str, Any]]


def leg_query(
    server: ServerInfo, leg: ResolvedLeg, clauses: Clauses, depth: int, options: HybridOptions, *, named: bool = False
) -> dict[str, Any]:
    """Return the query of a leg, `named` so that the server reports which legs matched."""
    name = leg.name if named else None
    if isinstance(leg, ResolvedDenseLeg):
        return knn_query(leg.field, leg.vector, k=depth, clauses=clauses, name=name)
    if isinstance(leg, ResolvedBm25Leg):
        return filtered(match_query(leg.field, leg.text, name=name), clauses)
    if leg.token_ids is not None:
        ids, collapsed = leg.token_ids.known_ids(leg.vector), options.collapse is not None
        shared: dict[str, Any] = {"clauses": clauses, "search": options.seismic, "collapsed": collapsed}
        return seismic_query(leg.field, ids, size=depth, name=name, **shared)
    if leg.chunk_field is not None:
        name = leg.name  # the server distinguishes the chunks of several legs by it
    return filtered(sparse_query(server, leg.field, leg.vector, name=name, chunk_field=leg.chunk_field), clauses)


def leg_body(
    server: ServerInfo, leg: ResolvedLeg, clauses: Clauses, depth: int, options: HybridOptions
) -> dict[str, Any]:
    """Return the search body of a single leg."""
    if isinstance(leg, ResolvedSparseLeg) and leg.token_ids is None:
        shared: dict[str, Any] = {"clauses": clauses, "chunk_field": leg.chunk_field}
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
