"""Fields of a search for metadata: whether the indices map them, by types that are searched by words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.metadata.field_names import maps_field
from opensearch_neural_sparse.index.metadata.searched_types import (
    SEARCHED_TYPES,
    SearchedBy,
    described_type,
    searched_by,
)
from opensearch_neural_sparse.index.schema import META_FIELD
from opensearch_neural_sparse.store.operations.field_checks.unmapped_fields import suggested_field


def unsearchable_fields(fields: Iterable[str], state: IndexInfo) -> list[str]:
    """Return the fields that the indices do not map, or not by one type that is searched by words."""
    return [field for field in fields if len(ways := _ways(field, state)) != 1 or None in ways]


def searched_fields(index: str, fields: Iterable[str], state: IndexInfo) -> dict[str, SearchedBy]:
    """Return each field with how it is searched by words.

    Args:
        index: The name that is searched.
        fields: Full names.
        state: What is known of the index.

    Raises:
        IndexSchemaError: A field is none of metadata, is not mapped, or holds nothing that words can be searched in.
    """
    if not state.mappings:
        raise IndexSchemaError(
            f"The mapping of index {index!r}, which says how metadata is searched, cannot be read by this login. Give "
            "it the reader's role of docs/security-role.yml."
        )
    return {field: _searched(index, field, state) for field in fields}


def _searched(index: str, field: str, state: IndexInfo) -> SearchedBy:
    if state.schema.is_reserved(field) and not field.startswith(f"{META_FIELD}."):
        raise IndexSchemaError(f"Field {field!r} of index {index!r} is no metadata. {_wayout(field, state)}")
    ways = _ways(field, state)
    if not ways:
        raise IndexSchemaError(f"No mapping of index {index!r} has the field {field!r}. {_wayout(field, state)}")
    (way, *others), types = ways, " or ".join(sorted(_types(field, state)))
    if others:
        raise IndexSchemaError(
            f"Field {field!r} is {types} in the indices behind {index!r}. Search them under names of their own."
        )
    if way is None:
        raise IndexSchemaError(
            f"Field {field!r} of index {index!r} is {types}, which is not searched by words. Name fields that hold "
            f"{SEARCHED_TYPES}."
        )
    return way


def _ways(field: str, state: IndexInfo) -> set[SearchedBy | None]:
    return {searched_by(mappings, field) for mappings in _mapping(field, state)}


def _types(field: str, state: IndexInfo) -> set[str]:
    return {described_type(mappings, field) for mappings in _mapping(field, state)}


def _mapping(field: str, state: IndexInfo) -> list[Mapping[str, Any]]:
    return [mappings for mappings in state.mappings if maps_field(mappings, field)]


def _wayout(field: str, state: IndexInfo) -> str:
    return suggested_field(field, state) or "It has no metadata yet."
