"""Aggregations over the documents that any of several queries matches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.search.filters.filter_clauses import filtered
from opensearch_neural_sparse.search.query.clause_limit import MOST_CLAUSES, count_clauses

Query = Mapping[str, Any]


def any_of(queries: Sequence[Query]) -> dict[str, Any]:
    """Return the query that matches what any of several matches."""
    if len(queries) == 1:
        return dict(queries[0])
    return {"bool": {"should": [dict(query) for query in queries], "minimum_should_match": 1}}


def within_indices(query: Query, indices: Sequence[str]) -> dict[str, Any]:
    """Return a query that is asked of some indices alone; in others its fields may be missing or of another type."""
    return filtered(query, [{"terms": {"_index": list(indices)}}])


def aggregation_body(query: Query, aggregations: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that aggregates over the documents of a query, without hits.

    Raises:
        ValueError: More clauses than a request may have, so that documents would not be counted.
    """
    if (clauses := count_clauses([query])) > MOST_CLAUSES:
        raise ValueError(
            f"aggregations count the documents of all legs by one query, which has {clauses} clauses here, and at most "
            f"{MOST_CLAUSES} are taken. Prune the query, or search for fewer words."
        )
    return {"size": 0, "track_total_hits": False, "query": _without_inner_hits(query), "aggs": dict(aggregations)}


def _without_inner_hits(query: Any) -> Any:
    """Return a query that fetches no chunks: two of one name in a request are an error."""
    if isinstance(query, Mapping):
        return {key: _without_inner_hits(part) for key, part in query.items() if key != "inner_hits"}
    return [_without_inner_hits(part) for part in query] if isinstance(query, list | tuple) else query
