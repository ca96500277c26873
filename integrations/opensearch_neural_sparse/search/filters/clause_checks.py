"""Validation of query clauses: values, fields and nested clauses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from opensearch_neural_sparse.errors import FilterSyntaxError
from opensearch_neural_sparse.index.documents.lone_surrogates import lone_surrogate
from opensearch_neural_sparse.index.mapping import LONGEST_COMPARED
from opensearch_neural_sparse.index.metadata.instants import AS_DATE
from opensearch_neural_sparse.index.metadata.values import plain_scalar
from opensearch_neural_sparse.search.filters.instants import by_instant

_OF_A_FIELD = frozenset(
    {"term", "terms", "terms_set", "range", "prefix", "wildcard", "regexp", "fuzzy"}
    | {"match", "match_phrase", "match_phrase_prefix", "match_bool_prefix", "intervals"}
)
"""Queries with the field's name as a key of the body."""
_OPTIONS = frozenset({"boost", "_name", "value_type"})
"""Options beside the field in such a body."""
_WITHIN = ("must", "filter", "should", "must_not", "query", "queries", "positive", "negative")
"""Keys of nested clauses."""
_JOINING = ("nested", "has_child", "has_parent")
"""Queries that can bring other documents, or parts of one, along with a hit."""
_FORMS: Mapping[str, tuple[Callable[[object], bool], str, str]] = {
    "term": (
        lambda asked: not isinstance(asked, list | tuple),
        "one value",
        "{{'terms': {{{field!r}: [...]}}}} for several",
    ),
    "terms": (
        lambda asked: isinstance(asked, list | tuple | Mapping),
        "a list of values",
        "{{'term': {{{field!r}: ...}}}} for one value",
    ),
    "range": (
        lambda asked: isinstance(asked, Mapping),
        "bounds",
        "{{'range': {{{field!r}: {{'gte': ..., 'lt': ...}}}}}}",
    ),
}
"""Query -> whether a field's value has its form, what the form is, and another way to write it."""
_NOTHING: dict[str, Any] = {"match_none": {}}


def checked_clause(clause: Mapping[str, Any]) -> dict[str, Any]:
    """Return a validated copy of a query clause.

    On the server, a `bool` with an empty `should` list matches everything, though it requires one of no clauses: the
    copy has a match-none clause there. Dates and times are compared as instants where a field holds some.

    Raises:
        FilterSyntaxError: A value that has no JSON, or None where a value is compared.
    """
    checked = {name: _checked_body(name, body) for name, body in clause.items()}
    return by_instant(*next(iter(checked.items()))) if len(checked) == 1 else checked


def refuse_inner_hits(clause: object) -> None:
    """Raise FilterSyntaxError for a filter that brings documents, or parts of one, along with a hit."""
    if isinstance(clause, list | tuple):
        for part in clause:
            refuse_inner_hits(part)
    if not isinstance(clause, Mapping):
        return
    for name, body in clause.items():
        if name in _JOINING and isinstance(body, Mapping) and "inner_hits" in body:
            raise FilterSyntaxError(
                f"{name!r} in a filter has inner_hits, and a filter chooses documents without bringing others along. "
                "Leave inner_hits out, or put the clause into the body of custom_search()."
            )
        refuse_inner_hits(body)


def fields_of(clause: object) -> Iterator[str]:
    """Yield the fields of a clause and its nested clauses, as far as they are named individually.

    The subfield of instants is not distinguished from its field.
    """
    return (name.removesuffix(f".{AS_DATE}") for name in _fields_of(clause))


def compared_numbers(clause: object) -> Iterator[tuple[str, int]]:
    """Yield field and whole number of each comparison in a clause and its nested clauses."""
    if not isinstance(clause, Mapping):
        return
    for name, body in clause.items():
        if not isinstance(body, Mapping):
            continue
        if name in ("term", "terms", "range"):
            for field, asked in body.items():
                values = asked.values() if isinstance(asked, Mapping) else asked
                several = values if not isinstance(values, str) and isinstance(values, Iterable) else [values]
                yield from ((field, value) for value in several if isinstance(value, int))
        else:
            for inner in _clauses_within(body):
                yield from compared_numbers(inner)


def _fields_of(clause: object) -> Iterator[str]:
    if not isinstance(clause, Mapping):
        return
    for name, body in clause.items():
        if not isinstance(body, Mapping):
            continue
        if name in _OF_A_FIELD:
            yield from (key for key in body if isinstance(key, str) and key not in _OPTIONS)
        elif name == "exists":
            yield from [body["field"]] if isinstance(body.get("field"), str) else []
        else:
            for inner in _clauses_within(body):
                yield from _fields_of(inner)


def _clauses_within(body: Mapping[str, Any]) -> Iterator[object]:
    for key in _WITHIN:
        part = body.get(key)
        yield from part if isinstance(part, list | tuple) else [part]


def _checked_body(name: str, body: object) -> Any:
    if not isinstance(body, Mapping):
        return checked_value(body)
    if name in ("term", "terms"):
        _refuse_none(name, body)
        _refuse_long(name, body)
    checked = {_checked_key(key): _checked_part(key, part) for key, part in body.items()}
    if name in _FORMS and "value_type" not in checked:
        _refuse_form(name, checked)
    if name == "bool" and "should" in checked and not checked["should"]:
        checked["should"] = [_NOTHING]
    return checked


def _checked_part(key: str, part: object) -> Any:
    if key not in _WITHIN:
        return checked_value(part)
    if isinstance(part, Mapping):
        return checked_clause(part)
    if isinstance(part, list | tuple):
        return [checked_clause(each) if isinstance(each, Mapping) else checked_value(each) for each in part]
    return checked_value(part)


def _refuse_none(name: str, body: Mapping[str, Any]) -> None:
    for field, asked in body.items():
        value = asked.get("value", "") if isinstance(asked, Mapping) else asked
        if value is None or (isinstance(value, list | tuple) and None in value):
            raise FilterSyntaxError(
                f"{name!r} of field {field!r} compares with None, which is not a value. Write "
                f"{{'bool': {{'must_not': {{'exists': {{'field': {field!r}}}}}}}}} for documents without one."
            )


def _refuse_form(name: str, body: Mapping[str, Any]) -> None:
    """Raise FilterSyntaxError for a value of a field that has not the form of its query."""
    fits, form, other = _FORMS[name]
    for field, asked in body.items():
        if field not in _OPTIONS and not fits(asked):
            raise FilterSyntaxError(
                f"{name!r} of field {field!r} takes {form}, got {type(asked).__name__}. Write "
                f"{other.format(field=field)}."
            )


def _refuse_long(name: str, body: Mapping[str, Any]) -> None:
    for field, asked in body.items():
        value = asked.get("value", "") if isinstance(asked, Mapping) else asked
        for each in value if isinstance(value, list | tuple) else [value]:
            if isinstance(each, str) and len(each) > LONGEST_COMPARED:
                raise FilterSyntaxError(
                    f"{name!r} of field {field!r} compares with a text of {len(each)} characters, and the server "
                    f"compares the first {LONGEST_COMPARED}. Compare with a key or a hash of the text instead."
                )


def checked_value(value: Any) -> Any:
    """Return a copy of a filter's value as JSON.

    Raises:
        FilterSyntaxError: It has none.
    """
    if isinstance(value, str):
        return _checked_text(value)
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FilterSyntaxError(f"A number in a filter is finite, got {value!r}: no document has it.")
        return value
    if isinstance(value, Mapping):
        return {_checked_key(key): checked_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [checked_value(part) for part in value]
    return _checked_object(value)


def _checked_key(key: object) -> str:
    if not isinstance(key, str):
        raise FilterSyntaxError(f"A key in a filter is a text, got {type(key).__name__}.")
    return _checked_text(key)


def _checked_text(text: str) -> str:
    if (half := lone_surrogate(text)) is not None:
        raise FilterSyntaxError(
            f"A text in a filter holds {half!r}, half of a surrogate pair, which is not a character; leave it out."
        )
    return text


def _checked_object(value: Any) -> Any:
    """Convert a date, UUID, decimal or NumPy number to its stored form."""
    plain = plain_scalar(value)
    if plain is not value:
        return checked_value(plain)
    raise FilterSyntaxError(
        f"A value in a filter is a text, a number, a boolean, a date or a list of such, got {type(value).__name__}."
    )
