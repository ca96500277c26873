"""Check Haystack's filters, and rewrite those that opensearch-haystack would translate wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from haystack.errors import FilterError

from opensearch_neural_sparse import FilterSyntaxError, IndexSchema
from opensearch_neural_sparse.layer_support import (
    AS_DATE,
    ID_FIELD,
    META_FIELD,
    FilterText,
    MetadataTypes,
    can_be,
    check_depth,
    haystack_form,
    instant_of,
    mongo_filter,
    plain_scalar,
)

Filters = dict[str, Any]
COMPARISONS = ("==", "!=", ">", ">=", "<", "<=", "in", "not in")
CONNECTIVES = ("AND", "OR", "NOT")
_PREFIX = f"{META_FIELD}."
_FORM = "{'field': 'meta.lang', 'operator': '==', 'value': 'en'}"
_NOTHING: Filters = {"field": ID_FIELD, "operator": "in", "value": []}


def checked_filters(filters: object, schema: IndexSchema) -> Filters | None:
    """Return filters that opensearch-haystack translates as Haystack defines them; None for no filter.

    An `OR` over no conditions is satisfied by nothing, `None` in a list stands for the absence of a value, keys that
    are stored under `meta` are looked for there, and dates and times are compared as instants in fields of such.

    Args:
        filters: Haystack's filters; None and an empty mapping are none.
        schema: Names of the fields.

    Raises:
        FilterError: They are not Haystack's, or have an operator that Haystack does not.
    """
    ensure_mapping(filters)
    return _condition(filters, schema) if filters else None


def ensure_mapping(filters: object) -> None:
    """Raise FilterError where filters are neither a mapping nor None, or nested too deeply."""
    if filters is not None and not isinstance(filters, Mapping):
        raise FilterError(f"A filter of Haystack is a mapping such as {_FORM}, got {type(filters).__name__}.")
    with filter_errors():
        check_depth(filters)


@contextmanager
def filter_errors() -> Iterator[None]:
    """Raise the core's errors about filters as Haystack's FilterError."""
    try:
        yield
    except FilterSyntaxError as error:
        raise FilterError(str(error)) from None


def stored_field(field: str, schema: IndexSchema) -> str:
    """Return the field of an index that holds what Haystack calls `meta.lang`, `lang` or `content`.

    Args:
        field: Haystack's name.
        schema: Names of the fields.
    """
    key = field.removeprefix(_PREFIX)
    return field if key != field and schema.is_reserved(key) else key


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
    """Raise FilterError where a value is of another kind than those of the field."""
    kind = None if types is None else types.kind(field.removeprefix(_PREFIX))
    if kind is None:
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str | int | float) and not can_be(kind, one):
            raise FilterError(f"{operator!r} on field {field!r}, which holds values of the kind {kind}, got {one!r}.")


def _compared(field: str, operator: str, value: object) -> Filters:
    if isinstance(value, Mapping):
        raise FilterError(f"{operator!r} on field {field!r} compares one value, got a mapping; name the keys in it.")
    if isinstance(value, list) and (not value or any(map(_stands_alone, value))):
        raise FilterError(
            f"{operator!r} on field {field!r} compares lists of texts, numbers or booleans, got {value!r}: the server "
            "keeps neither empty lists nor None or lists in them. None alone stands for a missing value."
        )
    if operator == "!=":
        return _not(_compared(field, "==", value))
    return _by_instant(field, operator, value)


def _one_of(field: str, operator: str, values: object) -> Filters:
    if not isinstance(values, list):
        raise FilterError(f"{operator!r} on field {field!r} takes a list of values, got {type(values).__name__}.")
    alone = [_compared(field, "==", value) for value in values if _stands_alone(value)]
    listed = [value for value in values if not _stands_alone(value)]
    instants = [value for value in listed if instant_of(value) is not None]
    others = [value for value in listed if instant_of(value) is None]
    return _any([*(_by_instant(field, "in", part) for part in (instants, others) if part), *alone])


def _by_instant(field: str, operator: str, value: Any) -> Filters:
    """Return a comparison that is one of instants in fields that hold such, and one of the value in others."""
    as_given = {"field": field, "operator": operator, "value": _as_given(value)}
    instants = [instant_of(each) for each in value] if isinstance(value, list) else instant_of(value)
    if instants is None or (isinstance(instants, list) and None in instants):
        return as_given
    dates = f"{field}.{AS_DATE}"
    no_instant = {"field": dates, "operator": "==", "value": None}
    by_instant = {"field": dates, "operator": operator, "value": instants}
    return _any([by_instant, {"operator": "AND", "conditions": [no_instant, as_given]}])


def _as_given(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_given(each) for each in value]
    return value if instant_of(value) is None else FilterText(plain_scalar(value))


def _stands_alone(value: object) -> bool:
    """Return whether a value cannot be in a list that the server compares: an absent one, or a list."""
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
