"""Short error reasons without field values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_REASON = 300
_NOT_REWRITTEN = "does not implement createWeight"
_STRINGS = "In a filter of an approximate search, a range of a keyword field has its bounds as strings."
_SAYS_NOTHING = re.compile(r"failed to parse|all shards failed|None|\[\d+:\d+\] \[\w+\] failed to parse field \[\w+\]")
_VALUES = (
    re.compile(r"(Preview of field's value: ).*", re.DOTALL),
    re.compile(r"(For input string: ).*", re.DOTALL),
    re.compile(r"(prefix of the first immense term is: ).*", re.DOTALL),
    re.compile(r"(failed to parse date field )\[.*?\](?= with format)", re.DOTALL),
)


def short_reason(error: Mapping[str, Any]) -> str:
    """Return the reason of a server error, with its root cause if the reason alone is generic."""
    reason = str(error.get("reason"))
    if _NOT_REWRITTEN in reason:
        return f"{without_values(reason)}. {_STRINGS}"
    if not _SAYS_NOTHING.fullmatch(reason):
        return without_values(reason)
    cause = error
    while isinstance(cause.get("caused_by"), Mapping):
        cause = cause["caused_by"]
    return without_values(reason if cause is error else f"{reason}: {cause.get('reason')}")


def without_values(reason: str) -> str:
    """Return a reason without quoted field values, cut to 300 characters."""
    for pattern in _VALUES:
        reason = pattern.sub(r"\1(withheld)", reason)
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}..."


def first_of(rows: Iterable[str], most: int, separator: str = ", ") -> str:
    """Return the first few items as text, and the number of the others."""
    named = list(rows)
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return separator.join(named[:most]) + more
