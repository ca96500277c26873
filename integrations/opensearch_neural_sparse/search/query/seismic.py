"""Approximate queries of a `sparse_vector` field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.search.filters.filter_clauses import filtered
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW
from opensearch_neural_sparse.search.options.seismic_search import SeismicSearch
from opensearch_neural_sparse.search.options.two_phase import TwoPhase
from opensearch_neural_sparse.search.query.clauses import neural_sparse_query
from opensearch_neural_sparse.search.query.query_text import EncodedQuery, QueryText, Weights

_EXHAUSTIVE_HEAP_FACTOR = 50.0
"""Heap factor beyond which no further documents were found."""
_MOST_TERMS = 100
"""Maximum number of a filter's values that become one `term` clause each."""
_MATCH_NONE: dict[str, Any] = {"ids": {"values": ["_" * 513]}}
"""Match-none clause that the server does not optimise away; ids have at most 512 bytes."""


def seismic_query(
    field: str,
    weights: Weights,
    *,
    size: int,
    clauses: Sequence[Mapping[str, Any]] = (),
    search: SeismicSearch | None = None,
    widely: bool = False,
    name: str | None = None,
) -> dict[str, Any]:
    """Return the approximate query of a `sparse_vector` field.

    Filters are wrapped around the query, because within it the server ignores a filter without matches. They are set
    within it as well if the server supports that, so that it searches all matching documents. Around the query, the
    filter is wrapped in a `should` with a match-none clause, because Lucene would hoist a bare `must_not`, which the
    server then ignores, too.

    Args:
        field: The field.
        weights: Token id -> weight, or a text that the server encodes.
        size: Hits that are asked for.
        clauses: Filter clauses.
        search: How to search.
        widely: Whether all candidates are of use, not those of the page alone: for a collapse or aggregations.
        name: Name of the query in `matched_queries`.
    """
    query = neural_sparse_query(field, weights, name=name)
    query["neural_sparse"][field]["method_parameters"] = _method_parameters(
        search or SeismicSearch(), size=size, clauses=clauses, widely=widely
    )
    if not clauses:
        return query
    choice = [{"bool": {"filter": list(clauses)}}, _MATCH_NONE]
    return filtered(query, [{"bool": {"should": choice, "minimum_should_match": 1}}])


def _method_parameters(
    search: SeismicSearch, *, size: int, clauses: Sequence[Mapping[str, Any]], widely: bool
) -> dict[str, Any]:
    """Return the `method_parameters` of a query with filter clauses.

    Args:
        search: How to search.
        size: Hits that are asked for.
        clauses: The filter.
        widely: Whether all candidates are of use.

    Raises:
        ValueError: Fewer candidates than hits.
    """
    if search.k is not None and search.k < size:
        raise ValueError(f"k is at least size ({size}), got {search.k}: a search finds no more than k.")
    early = [taken for clause in clauses if (taken := _taken_early(clause)) is not None]
    heap_factor = search.heap_factor or (_EXHAUSTIVE_HEAP_FACTOR if clauses or widely else None)
    parameters: dict[str, Any] = {"k": search.k or (LARGEST_WINDOW if clauses or widely else size)}
    if search.top_n is not None:
        parameters["top_n"] = search.top_n
    if heap_factor is not None:
        parameters["heap_factor"] = heap_factor
    if early:
        parameters["filter"] = {"bool": {"filter": early}}
    return parameters


def approximate_body(
    schema: IndexSchema,
    vector: EncodedQuery,
    *,
    size: int,
    clauses: Sequence[Mapping[str, Any]],
    two_phase: TwoPhase | None,
    search: SeismicSearch | None,
    widely: bool = False,
) -> dict[str, Any]:
    """Return the approximate query of token weights, with the schema's token ids, or of a text.

    Raises:
        ValueError: Two phases, which the server does not have for such a field.
    """
    if two_phase is not None:
        raise ValueError("A sparse_vector field is not searched in two phases; leave two_phase out.")
    weights = by_token_id(vector, schema.token_ids)
    shared: dict[str, Any] = {"size": size, "clauses": clauses, "search": search, "widely": widely}
    return {"query": seismic_query(schema.sparse_field, weights, **shared)}


def by_token_id(query: EncodedQuery, token_ids: TokenIds | None) -> Weights:
    """Return a query by the keys of a `sparse_vector` field; a text that the server encodes as it is."""
    if isinstance(query, QueryText) or token_ids is None:
        return query
    return token_ids.known_ids(query)


def check_exact(search: SeismicSearch | None) -> None:
    """Raise ValueError if approximate search is requested of another type of field."""
    if search is not None:
        raise ValueError("SeismicSearch is for an index of FieldType.SPARSE_VECTOR; this one is searched exactly.")


def _taken_early(clause: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a filter clause for use within the query, or None if it fails there because Lucene rewrites it."""
    ((kind, body),) = clause.items()
    if kind == "bool":
        return _taken_bool(body)
    if kind == "terms" and len(body) == 1:
        ((field, values),) = body.items()
        if not isinstance(values, list | tuple) or len(values) > _MOST_TERMS or field.startswith("_"):
            return None
        return {"bool": {"should": [{"term": {field: value}} for value in values], "minimum_should_match": 1}}
    plain = kind in ("exists", "match_all") or (kind in ("term", "match") and _is_plain(body))
    return dict(clause) if plain or (kind == "range" and _has_numbers_alone(body)) else None


def _taken_bool(body: Mapping[str, Any]) -> dict[str, Any] | None:
    taken = dict(body)
    for occurrence in ("must", "should", "filter", "must_not"):
        inner = body.get(occurrence, [])
        parts = [_taken_early(each) for each in (inner if isinstance(inner, list | tuple) else [inner])]
        if None in parts:
            return None
        if parts:
            taken[occurrence] = parts
    return {"bool": taken}


def _is_plain(body: Mapping[str, Any]) -> bool:
    """Return whether a clause compares exact values, without options for several values."""
    return not any(field.startswith("_") or isinstance(value, Mapping) for field, value in body.items())


def _has_numbers_alone(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_has_numbers_alone, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_has_numbers_alone, value))
    return isinstance(value, int | float) and not isinstance(value, bool)
