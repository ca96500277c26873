"""Metadata filters in LangChain's common syntax and as OpenSearch clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse import FilterSyntaxError, IndexSchema
from opensearch_neural_sparse.layer_support import (
    META_FIELD,
    check_depth,
    checked_value,
    filter_clauses,
    haystack_filter,
    langchain_form,
    plain_scalar,
)

Filter = Mapping[str, Any] | Sequence[Mapping[str, Any]]
Clause = dict[str, Any]
Scalar = str | int | float | bool

RANGES = ("$gt", "$gte", "$lt", "$lte")
OPERATORS = ("$and", "$or", "$not", "$eq", "$ne", "$in", "$nin", *RANGES, "$exists")
QUERIES = frozenset(
    {"bool", "boosting", "constant_score", "dis_max", "distance_feature", "exists", "function_score", "fuzzy"}
    | {"geo_bounding_box", "geo_distance", "geo_polygon", "geo_shape", "has_child", "has_parent", "ids", "intervals"}
    | {"knn", "match", "match_all", "match_bool_prefix", "match_none", "match_phrase", "match_phrase_prefix"}
    | {"more_like_this", "multi_match", "nested", "parent_id", "percolate", "prefix", "query_string", "range"}
    | {"rank_feature", "regexp", "script", "script_score", "simple_query_string", "span_near", "span_term", "term"}
    | {"terms", "terms_set", "wildcard", "wrapper", "xy_shape"}
)
"""Names of OpenSearch queries that a filter may contain."""


def compile_filter(filter: Filter | None, schema: IndexSchema) -> list[Clause]:  # noqa: A002 (LangChain's word)
    """Compile a filter in either syntax to a list of OpenSearch clauses, which all must match.

    Args:
        filter: `{"lang": "en", "year": {"$gte": 2020}}`, an OpenSearch clause such as `{"term": {"lang": "en"}}`, or a
            list of either, all of which must hold; None and empty ones let everything through.
        schema: Names of the fields; metadata keys that collide with one lie elsewhere, and are looked for there.

    Raises:
        FilterSyntaxError: An unknown operator, or a value that its operator does not take.
    """
    if filter is None:
        return []
    check_depth(filter)
    if isinstance(filter, Mapping):
        return _conditions(filter, schema)
    if isinstance(filter, str) or not isinstance(filter, Sequence):
        return filter_clauses(filter)
    return [clause for part in filter for clause in _conditions(_mapping(part), schema)]


def joined_filters(*filters: Filter | None) -> Filter | None:
    """Return one filter that demands what each of several does, in either syntax; None where none demands anything.

    Args:
        filters: A mapping, a list of such, or None each.

    Raises:
        FilterSyntaxError: One is something else.
    """
    parts: list[Mapping[str, Any]] = []
    for each in filters:
        if isinstance(each, Mapping):
            parts.append(each)
        elif isinstance(each, list | tuple):
            parts += each
        elif each is not None:
            filter_clauses(each)  # raises
    return parts or None


def field_of(key: str, schema: IndexSchema) -> str:
    """Return the field of a metadata key."""
    return f"{META_FIELD}.{key}" if key.split(".", 1)[0] in schema.reserved_names else key


def _conditions(filter: Mapping[str, Any], schema: IndexSchema) -> list[Clause]:  # noqa: A002
    if _is_opensearch(filter):
        return filter_clauses(filter)
    if (foreign := haystack_filter(filter)) is not None:
        raise FilterSyntaxError(
            f"This filter is in the syntax of Haystack. Write {langchain_form(foreign)}, or a query clause of "
            "OpenSearch such as {'term': {'lang': 'en'}}."
        )
    return [_condition(key, value, schema) for key, value in filter.items()]


def _is_opensearch(filter: Mapping[str, Any]) -> bool:  # noqa: A002
    """Distinguish `{"term": {"lang": "en"}}` from `{"term": {"$eq": "autumn"}}` and `{"term": "autumn"}`."""
    if len(filter) != 1:
        return False
    [(name, body)] = filter.items()
    return name in QUERIES and isinstance(body, Mapping) and not any(str(key).startswith("$") for key in body)


def _condition(key: str, value: object, schema: IndexSchema) -> Clause:
    if not isinstance(key, str) or not key:
        raise FilterSyntaxError(f"A filter names metadata keys, got {key!r}.")
    if key in ("$and", "$or"):
        parts = [_all(_conditions(_mapping(part), schema)) for part in _several(key, value)]
        return _all(parts) if key == "$and" else _any(parts)
    if key == "$not":
        return _none(_all(_conditions(_mapping(value), schema)))
    if key.startswith("$"):
        raise _unknown(key)
    field = field_of(key, schema)
    if isinstance(value, Mapping):
        return _compared(field, key, value)
    return _equal(field, value)


def _compared(field: str, key: str, comparisons: Mapping[str, Any]) -> Clause:
    if not comparisons:
        raise FilterSyntaxError(f"The condition on {key!r} is empty. Write {{{key!r}: {{'$eq': ...}}}}.")
    return _all([_comparison(field, key, operator, value) for operator, value in comparisons.items()])


def _comparison(field: str, key: str, operator: str, value: object) -> Clause:
    if operator in ("$eq", "$ne"):
        clause = _equal(field, value)
        return clause if operator == "$eq" else _none(clause)
    if operator in ("$in", "$nin"):
        clause = _one_of(field, operator, value)
        return clause if operator == "$in" else _none(clause)
    if operator in RANGES:
        return {"range": {field: {operator[1:]: _bound(operator, value)}}}
    if operator == "$exists":
        if not isinstance(value, bool):
            raise FilterSyntaxError(f"$exists takes True or False, got {value!r}.")
        return _exists(field) if value else _none(_exists(field))
    if operator == "$not":
        return _none(_compared(field, key, _mapping(value)))
    raise _unknown(operator)


def _equal(field: str, value: object) -> Clause:
    return _none(_exists(field)) if value is None else {"term": {field: _scalar(value)}}


def _one_of(field: str, operator: str, values: object) -> Clause:
    known = _several(operator, values, may_be_empty=True)
    terms: Clause = {"terms": {field: [_scalar(value) for value in known if value is not None]}}
    return _any([terms, _equal(field, None)]) if None in known else terms


def _bound(operator: str, value: object) -> Scalar:
    if value is None or isinstance(value, bool):
        raise FilterSyntaxError(f"{operator} takes a number or a text, got {value!r}.")
    return _scalar(value)


def _scalar(value: object) -> Scalar:
    value = plain_scalar(value)
    if isinstance(value, Scalar):
        checked: Scalar = checked_value(value)
        return checked
    raise FilterSyntaxError(
        f"A value in a filter is a text, a number, a boolean, a date or None, got {type(value).__name__}."
    )


def _several(operator: str, values: object, *, may_be_empty: bool = False) -> Sequence[Any]:
    if isinstance(values, list | tuple | set | frozenset) and (values or may_be_empty):
        return list(values)
    if isinstance(values, list | tuple | set | frozenset):
        raise FilterSyntaxError(
            f"{operator} takes a list of one condition or more, got an empty one. Leave it out; {{'match_none': {{}}}} "
            "finds nothing."
        )
    raise FilterSyntaxError(f"{operator} takes a list, got {type(values).__name__}.")


def _mapping(condition: object) -> Mapping[str, Any]:
    if isinstance(condition, Mapping):
        return condition
    raise FilterSyntaxError(f"A condition is a mapping such as {{'lang': 'en'}}, got {type(condition).__name__}.")


def _all(clauses: list[Clause]) -> Clause:
    return clauses[0] if len(clauses) == 1 else {"bool": {"filter": clauses}}


def _any(clauses: list[Clause]) -> Clause:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _none(clause: Clause) -> Clause:
    return {"bool": {"must_not": [clause]}}


def _exists(field: str) -> Clause:
    return {"exists": {"field": field}}


def _unknown(operator: str) -> FilterSyntaxError:
    return FilterSyntaxError(
        f"Unknown operator {operator!r} in a filter; known are {', '.join(OPERATORS)}. An OpenSearch clause begins "
        "with the name of a query: {'range': {'year': {'gte': 2020}}}."
    )
