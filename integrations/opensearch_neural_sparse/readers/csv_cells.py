"""Cells of a CSV file as the values that they stand for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

Cell = str | int | float | bool
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


def integer_of(cell: str) -> int:
    """Return a whole number."""
    if not re.fullmatch(r"[+-]?[0-9]+", cell):
        raise ValueError("no whole number")
    return int(cell)


def number_of(cell: str) -> float:
    """Return a number, such as 1.5 or 2e3."""
    if "_" in cell or not math.isfinite(number := float(cell)):
        raise ValueError("no finite number")
    return number


def boolean_of(cell: str) -> bool:
    """Return whether a cell says true, yes or 1, or else false, no or 0."""
    if (word := cell.lower()) not in (*_TRUE, *_FALSE):
        raise ValueError("neither true nor false")
    return word in _TRUE


def date_of(cell: str) -> str:
    """Return a date, or a date with a time, in the one spelling of ISO 8601 that OpenSearch reads by default."""
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
"""Name of a type -> what reads a cell of it; each raises ValueError where the cell is none."""


def check_type(name: str) -> None:
    """Check that a type is known.

    Raises:
        ValueError: It is not.
    """
    if name not in CELL_TYPES:
        raise ValueError(f"A column is of type {', '.join(CELL_TYPES)}; got {name!r}.")


def typed(column: str, cell: object, kind: str | None) -> object:
    """Return what a cell stands for; what is no text, and has a type of its own, is returned as it is.

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
