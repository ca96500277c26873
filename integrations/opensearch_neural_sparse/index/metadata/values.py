"""Metadata values as JSON, and their comparable kinds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from opensearch_neural_sparse.errors import IndexSchemaError

EXACT_WHOLE = 2**53
"""Largest integer up to which a double holds every one."""


class Kind(StrEnum):
    """Comparable kind of a value; the server compares only values of one kind."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"


def can_be(kind: Kind, value: str | float) -> bool:
    """Return whether the server accepts a filter value as one of a kind: "1" as a number, and 1 as a text.

    Args:
        kind: The kind of the field's values.
        value: A text, number or boolean.
    """
    if kind is Kind.BOOLEAN:
        return isinstance(value, bool) or value in ("true", "false")
    if kind is Kind.NUMBER:
        return _is_number(value) and not isinstance(value, bool)
    return True


def _is_number(value: str | float) -> bool:
    try:
        return math.isfinite(float(value))
    except (ValueError, OverflowError):
        return False


def json_value(value: object, key: str, document_id: str | None) -> Any:
    """Convert a metadata value to JSON.

    Dates and times become ISO 8601, UUIDs their text, decimals and numpy's scalars numbers.

    Args:
        value: The value.
        key: Its key in the metadata, for the message.
        document_id: The document's id, for the message.

    Raises:
        IndexSchemaError: A number that JSON does not have, or a type that is none of these.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise IndexSchemaError(f"Document {document_id!r}: metadata {key!r} is {value!r}; JSON has finite numbers.")
        return float(value)
    if isinstance(value, Mapping):
        return {name: json_value(inner, key, document_id) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(inner, key, document_id) for inner in value]
    plain = plain_scalar(value)
    if plain is not value:
        return json_value(plain, key, document_id)
    raise IndexSchemaError(
        f"Document {document_id!r}: metadata {key!r} is of type {type(value).__name__}; "
        "convert it to text, a number, a boolean, a date, a list or a mapping."
    )


def plain_scalar(value: Any) -> Any:
    """Convert a date, time, UUID, decimal, NumPy or torch value to text, a number or a list.

    Args:
        value: Any value; one of another type is returned as it is.
    """
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if type(value).__module__.partition(".")[0] in ("numpy", "torch"):
        return _of_array(value)
    return value


def _of_array(value: Any) -> Any:
    """Convert a NumPy or torch scalar or array to Python values; NumPy's datetimes to ISO 8601."""
    if str(getattr(value, "dtype", "")).startswith("datetime64"):
        return value.astype("datetime64[us]").tolist()
    return value.tolist()


def values_of(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield each scalar of a JSON value with the full name of its field.

    Args:
        value: A JSON value; None has no field.
        path: Full name of the field that the value itself goes into.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from values_of(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from values_of(inner, path)
    elif value is not None:
        yield path, value


def kind_of(value: object) -> Kind:
    """Return the kind of a JSON scalar."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER
