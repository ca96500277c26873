"""The legs of a hybrid search as queries: side by side in one search, or a search each."""

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
    """Return the query of a leg, `named` for a server that shall tell which legs matched."""
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
        name = leg.name  # the server tells the chunks of several legs apart by it
    return filtered(sparse_query(server, leg.field, leg.vector, name=name, chunk_field=leg.chunk_field), clauses)


def leg_body(
    server: ServerInfo, leg: ResolvedLeg, clauses: Clauses, depth: int, options: HybridOptions
) -> dict[str, Any]:
    """Return the parts of a search for a leg alone."""
    if isinstance(leg, ResolvedSparseLeg) and leg.token_ids is None:
        shared: dict[str, Any] = {"clauses": clauses, "chunk_field": leg.chunk_field}
        return sparse_body(server, leg.field, leg.vector, size=depth, two_phase=options.two_phase, **shared)
    return {"query": leg_query(server, leg, clauses, depth, options)}


def check_two_phase(legs: Sequence[ResolvedLeg], options: HybridOptions) -> None:
    """Raise ValueError where two phases are asked for and no leg has them."""
    if options.two_phase is not None and not any(
        isinstance(leg, ResolvedSparseLeg) and not is_approximate(leg) for leg in legs
    ):
        raise ValueError("No leg searches a rank_features field, and no other has two phases; leave two_phase out.")


def is_approximate(leg: ResolvedLeg) -> bool:
    """Tell whether a leg searches a field of which documents may be missed."""
    return isinstance(leg, ResolvedSparseLeg) and leg.token_ids is not None
