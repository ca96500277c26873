"""Filters in the syntax of another library, recognised so that an error shows the form that is taken here."""

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
    """A filter of another library, as far as its form can be shown in another syntax.

    Attributes:
        syntax: Whose it is.
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
        """The value in at most some thirty characters."""
        return reprlib.repr(self.value)


Form = Callable[[ForeignFilter], str]
"""Shows a filter in the syntax that is taken."""


def haystack_filter(filter: Mapping[str, Any]) -> ForeignFilter | None:  # noqa: A002 (the frameworks' own word)
    """Return what a filter is in Haystack's syntax, `{"field", "operator", "value"}` or `{"operator", "conditions"}`.

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
    """Return what a filter is in the syntax of MongoDB, which LangChain's stores share: `{"year": {"$gte": 2020}}`.

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
    """Return the name of a field without the prefixes that other libraries keep metadata under."""
    while (prefix := next((prefix for prefix in _PREFIXES if field.startswith(prefix)), None)) is not None:
        field = field.removeprefix(prefix)
    return field


def opensearch_form(foreign: ForeignFilter) -> str:
    """Return how a filter is written as a query clause of OpenSearch."""
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
    """Return how a filter is written in the syntax that LangChain's stores share."""
    if foreign.key:
        return f"{{{foreign.key!r}: {{{foreign.operator!r}: {foreign.shown_value}}}}}"
    return "{'$not': {...}}" if foreign.operator == "$not" else f"{{{foreign.operator!r}: [...]}}"


def haystack_form(foreign: ForeignFilter) -> str:
    """Return how a filter is written in Haystack's syntax."""
    if foreign.key:
        operator = {mongo: haystack for haystack, mongo in _COMPARISONS.items()}.get(foreign.operator, "==")
        return f"{{'field': {'meta.' + foreign.key!r}, 'operator': {operator!r}, 'value': {foreign.shown_value}}}"
    operator = foreign.operator.removeprefix("$").upper()
    return f"{{'operator': {operator if operator in _CONNECTIVES else 'AND'!r}, 'conditions': [...]}}"
