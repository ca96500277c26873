"""Queries with scores boosted by the fields of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.search.options.refinements.boosts import Boost, BoostMode


def boosted(query: Mapping[str, Any], boosts: Sequence[Boost]) -> dict[str, Any]:
    """Return a query with its scores boosted, by one after the other.

    Args:
        query: The query; it matches what it matched.
        boosts: The boosts.
    """
    made = dict(query)
    for boost in boosts:
        made = _multiplied(made, boost) if boost.mode is BoostMode.MULTIPLY else _added(made, boost)
    return made


def _multiplied(query: dict[str, Any], boost: Boost) -> dict[str, Any]:
    functions = [{"weight": 1.0}, boost.function()]
    return {"function_score": {"query": query, "functions": functions, "score_mode": "sum", "boost_mode": "multiply"}}


def _added(query: dict[str, Any], boost: Boost) -> dict[str, Any]:
    """Return a sum of two clauses: a `function_score` adds 1 where no function, or one of weight 0 alone, applies."""
    function = boost.function()
    having = {"constant_score": {"filter": function.pop("filter")}}
    value = {"function_score": {"query": having, "functions": [function], "boost_mode": "replace"}}
    return {"bool": {"must": [query], "should": [value]}}


def factors(boosts: Sequence[Boost]) -> list[Boost]:
    """Return the boosts that apply to each part of a score that is summed from several; the others apply once."""
    return [boost for boost in boosts if boost.mode is BoostMode.MULTIPLY]
