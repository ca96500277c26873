"""Detection of filters in another library's syntax, for error messages."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_COMPARISONS = {
    "==": "$eq",
    "!=": "$ne",
    ">": "$gt",
    ">=": "$gte",
    "<": "$lt",
    "<=": "$lte",
    "in": "$in",
    "not in": "$nin",
}
_CONNECTIVES = {"AND": "$and", "OR": "$or", "NOT": "$not"}
_PREFIXES = ("meta.", "metadata.")


@dataclass(frozen=True)
class ForeignFilter:
    """A filter in another library's syntax.

    Attributes:
        syntax: Name of the library.
        operator: `$eq` and the like for a comparison, `$and`, `$or` or `$not` for several conditions.
        key: The key of metadata that is compared, without a prefix; empty for several conditions.
        value: What it is compared with.
    """

    syntax: str
    operator: str
    key: str = ""
    value: Any = None

    @property
    def shown_value(self) -> str:
        """Value, shortened to some thirty characters."""
        return reprlib.repr(self.value)


Form = Callable[[ForeignFilter], str]
"""Formatter of a filter in the accepted syntax."""


def haystack_filter(filter: Mapping[str, Any]) -> ForeignFilter | None:  # noqa: A002 (the frameworks' own word)
    """Detect a filter in Haystack's syntax: `{"field", "operator", "value"}` or `{"operator", "conditions"}`.

    Args:
        filter: The filter; None is returned where it is not Haystack's.
    """
    operator = filter.get("operator")
    if set(filter) == {"operator", "conditions"} and isinstance(filter["conditions"], list | tuple):
        return ForeignFilter("Haystack", _CONNECTIVES.get(str(operator).upper(), "$and"))
    if set(filter) == {"field", "operator", "value"} and isinstance(operator, str) and operator in _COMPARISONS:
        return ForeignFilter("Haystack", _COMPARISONS[operator], without_prefix(str(filter["field"])), filter["value"])
    return None


def mongo_filter(filter: Mapping[str, Any]) -> ForeignFilter | None:  # noqa: A002
    """Detect a filter in MongoDB's syntax, shared by LangChain's stores: `{"year": {"$gte": 2020}}`.

    Args:
        filter: The filter; None is returned where it has none of the operators.
    """
    for key, asked in filter.items():
        if isinstance(key, str) and key.startswith("$"):
            return ForeignFilter("LangChain", key)
        if isinstance(asked, Mapping):
            for operator, value in asked.items():
                if isinstance(operator, str) and operator.startswith("$"):
                    return ForeignFilter("LangChain", operator, without_prefix(str(key)), value)
    return None


def without_prefix(field: str) -> str:
    """Return a field's name without the prefixes of metadata in other libraries."""
    while (prefix := next((prefix for prefix in _PREFIXES if field.startswith(prefix)), None)) is not None:
        field = field.removeprefix(prefix)
    return field


def opensearch_form(foreign: ForeignFilter) -> str:
    """Format a filter as an OpenSearch query clause."""
    key, value = repr(foreign.key), foreign.shown_value
    match foreign.operator:
        case "$or":
            return "{'bool': {'should': [...], 'minimum_should_match': 1}}"
        case "$not":
            return "{'bool': {'must_not': [...]}}"
        case "$in":
            return f"{{'terms': {{{key}: {value}}}}}"
        case "$nin":
            return f"{{'bool': {{'must_not': {{'terms': {{{key}: {value}}}}}}}}}"
        case "$ne":
            return f"{{'bool': {{'must_not': {{'term': {{{key}: {value}}}}}}}}}"
        case "$gt" | "$gte" | "$lt" | "$lte":
            return f"{{'range': {{{key}: {{{foreign.operator[1:]!r}: {value}}}}}}}"
        case "$exists":
            return f"{{'exists': {{'field': {key}}}}}"
        case "$eq":
            return f"{{'term': {{{key}: {value}}}}}"
    return "{'bool': {'filter': [...]}}"


def langchain_form(foreign: ForeignFilter) -> str:
    """Format a filter in the syntax of LangChain's stores."""
    if foreign.key:
        return f"{{{foreign.key!r}: {{{foreign.operator!r}: {foreign.shown_value}}}}}"
    return "{'$not': {...}}" if foreign.operator == "$not" else f"{{{foreign.operator!r}: [...]}}"


def haystack_form(foreign: ForeignFilter) -> str:
    """Format a filter in Haystack's syntax."""
    if foreign.key:
        operator = {mongo: haystack for haystack, mongo in _COMPARISONS.items()}.get(foreign.operator, "==")
        return f"{{'field': {'meta.' + foreign.key!r}, 'operator': {operator!r}, 'value': {foreign.shown_value}}}"
    operator = foreign.operator.removeprefix("$").upper()
    return f"{{'operator': {operator if operator in _CONNECTIVES else 'AND'!r}, 'conditions': [...]}}"
