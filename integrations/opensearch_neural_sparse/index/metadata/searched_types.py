"""Ways to search fields of metadata by words, by their types."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from opensearch_neural_sparse.index.metadata.field_names import field_type
from opensearch_neural_sparse.index.metadata.field_types import NUMBERS


class SearchedBy(Enum):
    """Way to search a field by words: its whole value by a pattern, its terms, or the value that a word spells."""

    PATTERN = "pattern"
    TERMS = "terms"
    VALUE = "value"


_TYPES = {
    **dict.fromkeys(("keyword", "wildcard", "constant_keyword"), SearchedBy.PATTERN),
    **dict.fromkeys(("text", "match_only_text", "search_as_you_type"), SearchedBy.TERMS),
    **dict.fromkeys((*sorted(NUMBERS), "boolean", "date", "date_nanos", "ip"), SearchedBy.VALUE),
}
SEARCHED_TYPES = "texts, numbers, dates, booleans and addresses"
"""Values of the fields that are searched by words, for messages."""


def searched_by(mappings: Mapping[str, Any], path: str) -> SearchedBy | None:
    """Return how a field is searched by words; None where it cannot be.

    Args:
        mappings: The `mappings` of an index that maps the field.
        path: Full name of the field.
    """
    field = _own_field(mappings, path)
    if field is None or field.get("index") is False:
        return None
    return _TYPES.get(field_type(mappings, path) or "")


def described_type(mappings: Mapping[str, Any], path: str) -> str:
    """Return what a field is, in words: its type, and whether it is not indexed, or a subfield.

    Args:
        mappings: The `mappings` of an index that maps the field.
        path: Full name of the field.
    """
    kind, field = f"of type {field_type(mappings, path)}", _own_field(mappings, path)
    if field is None:
        return f"a subfield {kind}"
    return f"{kind} and not indexed" if field.get("index") is False else kind


def _own_field(mappings: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    """Return the mapping of a field that documents hold, or that lies below one; None of a subfield of another."""
    properties: Mapping[str, Any] = mappings.get("properties", {})
    found: Mapping[str, Any] | None = None
    for part in path.split("."):
        if part not in properties:
            return found if found is not None and "fields" not in found else None
        found = properties[part]
        properties = found.get("properties", {})
    return found
