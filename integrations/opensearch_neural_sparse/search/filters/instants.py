"""Query clauses that compare dates and times as instants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.index.metadata.instants import AS_DATE, FilterText, instant_of

Clause = dict[str, Any]
_BOUNDS = ("gt", "gte", "lt", "lte")


def by_instant(name: str, body: Any) -> Clause:
    """Return a clause that compares a date or time as an instant, in fields that hold instants.

    Args:
        name: Name of the query; other ones than `term`, `terms` and `range` are returned as they are.
        body: Its body, with values that have JSON.
    """
    if isinstance(body, Mapping) and name in _COMPARED:
        fields = [key for key in body if key not in ("boost", "_name")]
        if len(fields) == 1 and isinstance(fields[0], str):
            [field] = fields
            options = {key: value for key, value in body.items() if key != field}
            if (clause := _COMPARED[name](field, body[field], options)) is not None:
                return clause
    return {name: body}


def _term(field: str, asked: Any, options: Clause) -> Clause | None:
    given = asked if isinstance(asked, Mapping) else {"value": asked}
    value = given.get("value")
    if (instant := instant_of(value)) is None:
        return None
    as_given = {"term": {field: {**given, "value": FilterText(value)}, **options}}
    return _any([{"term": {f"{field}.{AS_DATE}": {"value": instant}}}, _unless_instant(field, as_given)])


def _terms(field: str, values: Any, options: Clause) -> Clause | None:
    if not isinstance(values, list):
        return None
    instants = {value: instant for value in values if (instant := instant_of(value)) is not None}
    if not instants:
        return None
    as_given = {"terms": {field: [FilterText(value) for value in instants], **options}}
    clauses = [{"terms": {f"{field}.{AS_DATE}": list(instants.values())}}, _unless_instant(field, as_given)]
    others = [value for value in values if value not in instants]
    return _any([*clauses, {"terms": {field: others, **options}}] if others else clauses)


def _range(field: str, bounds: Any, options: Clause) -> Clause | None:
    if not isinstance(bounds, Mapping) or {"format", "time_zone"} & set(bounds):
        return None
    given = {key: value for key, value in bounds.items() if key in _BOUNDS and value is not None}
    instants = {key: instant for key, value in given.items() if (instant := instant_of(value)) is not None}
    if not given or len(instants) < len(given):
        return None
    rest = {key: value for key, value in bounds.items() if key not in given}
    texts = {key: FilterText(value) for key, value in given.items()}
    as_given = {"range": {field: {**rest, **texts}, **options}}
    return _any([{"range": {f"{field}.{AS_DATE}": {**rest, **instants}}}, _unless_instant(field, as_given)])


def _unless_instant(field: str, as_given: Clause) -> Clause:
    """Restrict a clause to documents without an instant in the field; the server would round the value of a date."""
    return {"bool": {"filter": [as_given], "must_not": [{"exists": {"field": f"{field}.{AS_DATE}"}}]}}


def _any(clauses: list[Clause]) -> Clause:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


_COMPARED = {"term": _term, "terms": _terms, "range": _range}
