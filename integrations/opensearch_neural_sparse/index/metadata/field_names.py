"""Field names of a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_OPEN = frozenset({"flat_object", "rank_features", "sparse_vector", "join"})
"""Field types with arbitrary subfields."""


def maps_field(mappings: Mapping[str, Any], path: str) -> bool:
    """Return whether a mapping covers a field: by name, as an object, or below a field of an open type.

    Args:
        mappings: The `mappings` of an index.
        path: Full name of a field. Names of the server's own, and patterns, are taken to be there.
    """
    if path.startswith("_") or "*" in path:
        return True
    parts = path.split(".")
    return parts[0] in mappings.get("derived", {}) or _maps(mappings.get("properties", {}), parts)


def field_type(mappings: Mapping[str, Any], path: str) -> str | None:
    """Return the type of a field in a mapping; None where the mapping does not say one.

    A field below one of an open type, or within nested objects, has that type.

    Args:
        mappings: The `mappings` of an index.
        path: Full name of a field.
    """
    properties, found = mappings.get("properties", {}), None
    for part in path.split("."):
        if (field := properties.get(part)) is None:
            return None
        found = field.get("type", "object")
        if found in _OPEN or found == "nested":
            return str(found)
        properties = {**field.get("properties", {}), **field.get("fields", {})}
    return None if found is None else str(found)


def named_fields(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield full name and mapping of each field in a mapping's `properties`, with objects and subfields."""
    for name, field in properties.items():
        yield prefix + name, field
        for part in ("properties", "fields"):
            yield from named_fields(field.get(part, {}), f"{prefix}{name}.")


def field_names(properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield the full names of the fields of a mapping's `properties`."""
    return (name for name, _ in named_fields(properties))


def _maps(properties: Mapping[str, Any], parts: list[str]) -> bool:
    field = properties.get(parts[0])
    if field is None:
        return False
    if len(parts) == 1 or field.get("type") in _OPEN:
        return True
    return any(_maps(field.get(part, {}), parts[1:]) for part in ("properties", "fields"))
