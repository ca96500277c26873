"""Query clauses: sparse, text and hybrid."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.search.filters import filtered

LARGEST_QUERY_WEIGHT = 64.0
"""The server refuses a query token above it."""
MOST_QUERY_TOKENS = 1000
"""A request may have 1,024 clauses (`indices.query.bool.max_clause_count`), filters and text terms included."""
FEWEST_LEGS, MOST_LEGS = 2, 5
_logger = logging.getLogger(__name__)


def limit_tokens(vector: SparseVector, limit: int = MOST_QUERY_TOKENS) -> SparseVector:
    """Return the vector, or its `limit` heaviest tokens with a warning where it has more."""
    if len(vector) <= limit:
        return vector
    _logger.warning("The query has %d tokens; the heaviest %d are searched for.", len(vector), limit)
    return SparseVector.from_trusted(dict(vector.top(limit)))


def neural_sparse_query(
    field: str, vector: Mapping[str, float], *, boost: float | None = None, name: str | None = None
) -> dict[str, Any]:
    """Return a `neural_sparse` query over token weights.

    Weights above 64 are scaled down by a power of two, which `boost` undoes: scores stay what they would have been.

    Args:
        field: A `rank_features` field.
        vector: Token -> weight; empty finds nothing.
        boost: Factor on the score.
        name: Name of the query in `matched_queries`.
    """
    scale = _scale(vector)
    body: dict[str, Any] = {"query_tokens": {token: weight / scale for token, weight in vector.items()}}
    factor = scale * (1.0 if boost is None else boost)
    if factor != 1.0:
        body["boost"] = factor
    if name is not None:
        body["_name"] = name
    return {"neural_sparse": {field: body}}


def rank_feature_query(
    field: str, vector: Mapping[str, float], *, boost: float | None = None, name: str | None = None
) -> dict[str, Any]:
    """Return the same search for a server without the neural-search plugin, with the same scores.

    Tokens with a dot in them cannot be asked for this way and are left out; see `rank_feature_tokens`.
    """
    tokens = rank_feature_tokens(vector)
    clauses = [
        {"rank_feature": {"field": f"{field}.{token}", "linear": {}, "boost": weight}}
        for token, weight in tokens.items()
    ]
    if not clauses:
        return {"match_none": {}}
    body: dict[str, Any] = {"should": clauses, "minimum_should_match": 1}
    if boost is not None:
        body["boost"] = boost
    if name is not None:
        body["_name"] = name
    return {"bool": body}


def rank_feature_tokens(vector: Mapping[str, float]) -> dict[str, float]:
    """Return what `rank_feature_query` searches for: the server cuts a field's name at its last dot."""
    return {token: weight for token, weight in vector.items() if "." not in token}


def match_query(field: str, text: str, *, name: str | None = None) -> dict[str, Any]:
    """Return a BM25 query: documents that hold any of the words."""
    body: dict[str, Any] = {"query": text}
    if name is not None:
        body["_name"] = name
    return {"match": {field: body}}


def hybrid_query(
    legs: Sequence[Mapping[str, Any]],
    *,
    pagination_depth: int,
    clauses: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return a `hybrid` query of two to five legs; it needs a fusing search pipeline beside it.

    Args:
        legs: The queries that are fused.
        pagination_depth: How many hits of each leg each shard contributes.
        clauses: Filter clauses, put into every leg.

    Raises:
        ValueError: Fewer than two or more than five legs.
    """
    if not FEWEST_LEGS <= len(legs) <= MOST_LEGS:
        raise ValueError(f"A hybrid query has {FEWEST_LEGS} to {MOST_LEGS} legs, got {len(legs)}.")
    queries = [filtered(leg, clauses) for leg in legs]
    return {"hybrid": {"queries": queries, "pagination_depth": pagination_depth}}


def _scale(vector: Mapping[str, float]) -> float:
    heaviest = max(vector.values(), default=0.0)
    if heaviest <= LARGEST_QUERY_WEIGHT:
        return 1.0
    return 2.0 ** math.ceil(math.log2(heaviest / LARGEST_QUERY_WEIGHT))
