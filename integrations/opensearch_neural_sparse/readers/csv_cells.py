"""Typed values of CSV cells."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

Cell = str | int | float | bool
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def integer_of(cell: str) -> int:
    """Parse an integer."""
    if not re.fullmatch(r"[+-]?[0-9]+", cell):
        raise ValueError("no whole number")
    return int(cell)


def number_of(cell: str) -> float:
    """Parse a number, such as 1.5 or 2e3."""
    if "_" in cell or not math.isfinite(number := float(cell)):
        raise ValueError("no finite number")
    return number


def boolean_of(cell: str) -> bool:
    """Parse a boolean: true, yes or 1; false, no or 0."""
    if (word := cell.lower()) not in (*_TRUE, *_FALSE):
        raise ValueError("neither true nor false")
    return word in _TRUE


def date_of(cell: str) -> str:
    """Parse a date, with or without a time; return the ISO 8601 form that OpenSearch reads by default."""
    try:
        return date.fromisoformat(cell).isoformat()
    except ValueError:
        return datetime.fromisoformat(cell).isoformat()


CELL_TYPES: Mapping[str, Callable[[str], Cell]] = {
    "integer": integer_of,
    "number": number_of,
    "boolean": boolean_of,
    "date": date_of,
}
"""Name of a type -> parser of a cell; it raises ValueError for a cell of another type."""


def check_type(name: str) -> None:
    """Check that a type is known.

    Raises:
        ValueError: It is not.
    """
    if name not in CELL_TYPES:
        raise ValueError(f"A column is of type {', '.join(CELL_TYPES)}; got {name!r}.")


def typed(column: str, cell: object, kind: str | None) -> object:
    """Convert a text cell to its column's type; other values stay as they are.

    Args:
        column: Name of its column, for the message.
        cell: The cell.
        kind: Name of its type; None leaves a text a text.

    Raises:
        ValueError: The cell is not of the type.
    """
    if kind is None or not isinstance(cell, str):
        return cell
    try:
        return CELL_TYPES[kind](cell.strip())
    except ValueError:
        raise ValueError(f"the value of column {column!r} is not of type {kind}, as --type says") from None
