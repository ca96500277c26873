"""Detection of values without a JSON form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


def unwritable(value: object, convert: Callable[[Any], object], path: str = "") -> str | None:
    """Return the path and fault of the first value without a JSON form, such as `query.terms.lang is a set`, or None.

    Args:
        value: A body, or a part of one.
        convert: The serializer's fallback for other values; it raises TypeError for a value that it does not know.
        path: Path of keys to it.
    """
    named = path or "the body"
    if isinstance(value, str):
        return (
            None
            if lone_surrogate(value) is None
            else f"{named} holds half of a surrogate pair, which is not a character"
        )
    if value is None or isinstance(value, int):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{named} is {value!r}, and numbers are finite"
    if isinstance(value, dict):
        parts = ((f"{path}.{key}".lstrip("."), part) for key, part in value.items())
    elif isinstance(value, list | tuple):
        parts = ((f"{path}[{place}]", part) for place, part in enumerate(value))
    else:
        return None if _is_known(value, convert) else f"{named} is of type {type(value).__name__}"
    return next((found for name, part in parts if (found := unwritable(part, convert, name)) is not None), None)


def lone_surrogate(text: str) -> str | None:
    """Return the first lone surrogate of a text, or None."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return text[error.start]
    return None


def _is_known(value: object, convert: Callable[[Any], object]) -> bool:
    try:
        convert(value)
    except (TypeError, ValueError):
        return False
    return True
