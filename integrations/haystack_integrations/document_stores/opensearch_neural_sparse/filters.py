"""Haystack's filters, checked, in the form that opensearch-haystack translates as Haystack means them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from haystack.errors import FilterError

from opensearch_neural_sparse.errors import FilterSyntaxError
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes
from opensearch_neural_sparse.index.metadata.values import can_be
from opensearch_neural_sparse.index.schema import ID_FIELD, META_FIELD, IndexSchema
from opensearch_neural_sparse.search.filters.foreign_syntax import haystack_form, mongo_filter

Filters = dict[str, Any]
COMPARISONS = ("==", "!=", ">", ">=", "<", "<=", "in", "not in")
CONNECTIVES = ("AND", "OR", "NOT")
_PREFIX = f"{META_FIELD}."
_FORM = "{'field': 'meta.lang', 'operator': '==', 'value': 'en'}"
_NOTHING: Filters = {"field": ID_FIELD, "operator": "in", "value": []}


def checked_filters(filters: object, schema: IndexSchema) -> Filters | None:
    """Return filters that mean to opensearch-haystack what the given ones mean to Haystack; None for no filter.

    An `OR` over no conditions is satisfied by nothing, `None` in a list stands for the absence of a value, and keys
    that are stored under `meta` are looked for there.

    Args:
        filters: Haystack's filters; None and an empty mapping are none.
        schema: Names of the fields.

    Raises:
        FilterError: They are not Haystack's, or have an operator that Haystack does not.
    """
    ensure_mapping(filters)
    return _condition(filters, schema) if filters else None


def ensure_mapping(filters: object) -> None:
    """Raise FilterError where filters are neither a mapping nor None."""
    if filters is not None and not isinstance(filters, Mapping):
        raise FilterError(f"A filter of Haystack is a mapping such as {_FORM}, got {type(filters).__name__}.")


@contextmanager
def filter_errors() -> Iterator[None]:
    """Raise the core's errors about filters as Haystack's FilterError."""
    try:
        yield
    except FilterSyntaxError as error:
        raise FilterError(str(error)) from None


def needed_filters(filters: Filters | None) -> Filters:
    """Return the filters that choose what is changed or deleted.

    Raises:
        FilterError: There are none.
    """
    if filters is None:
        raise FilterError("Filters are needed to change or delete documents; delete_all_documents() deletes them all.")
    return filters


def _condition(condition: object, schema: IndexSchema) -> Filters:
    if not isinstance(condition, Mapping):
        raise FilterError(f"A condition of a filter is a mapping such as {_FORM}, got {type(condition).__name__}.")
    if "field" in condition:
        return _comparison(condition, schema)
    if missing := [key for key in ("operator", "conditions") if key not in condition]:
        raise FilterError(f"{_quoted(missing)} {_is_missing(missing)} in a filter. {_shown_form(condition)}")
    operator, conditions = condition["operator"], condition["conditions"]
    if operator not in CONNECTIVES:
        raise FilterError(f"Unknown operator {operator!r} over conditions; known are {_quoted(CONNECTIVES)}.")
    if not isinstance(conditions, list | tuple):
        raise FilterError(f"'conditions' of {operator!r} is a list, got {type(conditions).__name__}.")
    parts = [_condition(part, schema) for part in conditions]
    return _any(parts) if operator == "OR" else {"operator": operator, "conditions": parts}


def _comparison(condition: Mapping[str, Any], schema: IndexSchema) -> Filters:
    if missing := [key for key in ("operator", "value") if key not in condition]:
        raise FilterError(f"{_quoted(missing)} {_is_missing(missing)} in a condition of a filter. Write {_FORM}.")
    field, operator, value = (condition[key] for key in ("field", "operator", "value"))
    if not isinstance(field, str) or not field:
        raise FilterError(f"'field' of a condition names a key of metadata, such as 'meta.lang', got {field!r}.")
    if operator not in COMPARISONS:
        raise FilterError(f"Unknown operator {operator!r} on field {field!r}; known are {_quoted(COMPARISONS)}.")
    path = _field_of(field, schema)
    _check_kinds(path, operator, value, schema.metadata_types)
    if operator in ("in", "not in"):
        chosen = _one_of(path, operator, value)
        return chosen if operator == "in" else _not(chosen)
    return _compared(path, operator, value)


def _check_kinds(field: str, operator: str, value: object, types: MetadataTypes | None) -> None:
    """Raise FilterError where a value is none that the server reads as one of the field's."""
    kind = None if types is None else types.kind(field.removeprefix(_PREFIX))
    if kind is None:
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str | int | float) and not can_be(kind, one):
            raise FilterError(f"{operator!r} on field {field!r}, which holds values of the kind {kind}, got {one!r}.")


def _compared(field: str, operator: str, value: object) -> Filters:
    if isinstance(value, Mapping):
        raise FilterError(f"{operator!r} on field {field!r} compares one value, got a mapping; name the keys in it.")
    if operator == "!=" and isinstance(value, list):
        return _not(_compared(field, "==", value))
    if isinstance(value, list) and (not value or any(map(_stands_alone, value))):
        raise FilterError(
            f"{operator!r} on field {field!r} compares lists of texts, numbers or booleans, got {value!r}: the server "
            "keeps neither empty lists nor None or lists in them. None alone stands for the absence of a value."
        )
    return {"field": field, "operator": operator, "value": value}


def _one_of(field: str, operator: str, values: object) -> Filters:
    if not isinstance(values, list):
        raise FilterError(f"{operator!r} on field {field!r} takes a list of values, got {type(values).__name__}.")
    alone = [_compared(field, "==", value) for value in values if _stands_alone(value)]
    listed = [value for value in values if not _stands_alone(value)]
    return _any([*([{"field": field, "operator": "in", "value": listed}] if listed else []), *alone])


def _stands_alone(value: object) -> bool:
    """Tell whether a value cannot be one of several that the server compares: an absent one, or a list."""
    return value is None or isinstance(value, list | Mapping)


def _field_of(field: str, schema: IndexSchema) -> str:
    """Return a field as opensearch-haystack takes it, which looks for `meta.lang` in `lang`."""
    key = field.removeprefix(_PREFIX)
    return _PREFIX + field if key != field and schema.is_reserved(key) else field


def _any(parts: list[Filters]) -> Filters:
    return {"operator": "OR", "conditions": parts} if parts else _NOTHING


def _not(part: Filters) -> Filters:
    return {"operator": "NOT", "conditions": [part]}


def _shown_form(condition: Mapping[str, Any]) -> str:
    foreign = mongo_filter(condition)
    return f"Write {_FORM if foreign is None else haystack_form(foreign)}."


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _is_missing(missing: list[str]) -> str:
    return "is missing" if len(missing) == 1 else "are missing"
