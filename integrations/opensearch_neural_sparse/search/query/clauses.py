"""Query clauses: sparse, text and hybrid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.search.options.legs import FEWEST_LEGS, MOST_LEGS
from opensearch_neural_sparse.search.options.query_text import check_query_text
from opensearch_neural_sparse.search.query.query_text import QueryText, Weights

LARGEST_QUERY_WEIGHT = 64.0
"""Largest query token weight that the server accepts."""


def neural_sparse_query(
    field: str, vector: Weights, *, boost: float | None = None, name: str | None = None
) -> dict[str, Any]:
    """Return a `neural_sparse` query over token weights, or over a text that the server encodes.

    Weights above 64 are scaled down by a power of two, which `boost` undoes: scores stay what they would have been.

    Args:
        field: A `rank_features` field.
        vector: Token -> weight, which finds nothing where it is empty; or the text.
        boost: Factor on the score.
        name: Name of the query in `matched_queries`.
    """
    if isinstance(vector, QueryText):
        scale, body = 1.0, vector.clause
    else:
        scale = _scale(vector)
        body = {"query_tokens": {token: weight / scale for token, weight in vector.items()}}
    factor = scale * (1.0 if boost is None else boost)
    if factor != 1.0:
        body["boost"] = factor
    if name is not None:
        body["_name"] = name
    return {"neural_sparse": {field: body}}


def rank_feature_query(
    field: str, vector: Mapping[str, float], *, boost: float | None = None, name: str | None = None
) -> dict[str, Any]:
    """Return `rank_feature` queries with the same scores, for a server without the neural-search plugin.

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
    """Return the tokens that `rank_feature_query` supports; the server splits a field's name at its last dot."""
    return {token: weight for token, weight in vector.items() if "." not in token}


def match_query(field: str, text: str, *, name: str | None = None, languages: Sequence[str] = ()) -> dict[str, Any]:
    """Return a BM25 query: documents with any of the words.

    Args:
        field: A text field.
        text: The words.
        name: Name of the query in `matched_queries`.
        languages: Fields of the same text by language; the best score of all fields counts.
    """
    body: dict[str, Any] = {"query": check_query_text(text)}
    if name is not None:
        body["_name"] = name
    if languages:
        return {"multi_match": {**body, "fields": [field, *languages], "type": "best_fields"}}
    return {"match": {field: body}}


def knn_query(
    field: str,
    vector: Sequence[float],
    *,
    k: int,
    clauses: Sequence[Mapping[str, Any]] = (),
    name: str | None = None,
) -> dict[str, Any]:
    """Return a query for the nearest vectors on each shard.

    Args:
        field: A `knn_vector` field.
        vector: The vector of the query.
        k: How many of each shard.
        clauses: Filter clauses; the nearest are looked for among the documents that satisfy them.
        name: Name of the query in `matched_queries`.
    """
    body: dict[str, Any] = {"vector": list(vector), "k": k}
    if clauses:
        body["filter"] = {"bool": {"filter": list(clauses)}}
    query: dict[str, Any] = {field: body}
    if name is not None:
        query[field]["_name"] = name
    return {"knn": query}


def rescored(query: Mapping[str, Any], second: Mapping[str, Any], *, window: int) -> dict[str, Any]:
    """Return the part of a search body that adds the scores of a second query to the best hits of a first one."""
    rescore = {"window_size": window, "query": {"rescore_query": dict(second)}}
    return {"query": dict(query), "rescore": rescore}


def hybrid_query(
    legs: Sequence[Mapping[str, Any]],
    *,
    pagination_depth: int,
) -> dict[str, Any]:
    """Return a `hybrid` query of two to five legs; it needs a search pipeline with a fusion.

    It stands alone at the top of a request: inside another query the server returns raw sums without a word.

    Args:
        legs: The queries that are fused, each with the filter in it.
        pagination_depth: How many hits of each leg each shard contributes.

    Raises:
        ValueError: Fewer than two or more than five legs.
    """
    if not FEWEST_LEGS <= len(legs) <= MOST_LEGS:
        raise ValueError(f"A hybrid query has {FEWEST_LEGS} to {MOST_LEGS} legs, got {len(legs)}.")
    return {"hybrid": {"queries": [dict(leg) for leg in legs], "pagination_depth": pagination_depth}}


def _scale(vector: Mapping[str, float]) -> float:
    heaviest = max(vector.values(), default=0.0)
    if heaviest <= LARGEST_QUERY_WEIGHT:
        return 1.0
    return 2.0 ** math.ceil(math.log2(heaviest / LARGEST_QUERY_WEIGHT))
