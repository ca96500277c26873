"""Missing indices: those of a comma-separated list, and names that an index can be created under."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError, Remedy

EXISTING_ONLY = MappingProxyType({"ignore_unavailable": "true"})
"""Parameters of `GET /<index>` that return the existing indices of a list."""


def is_list(name: str) -> bool:
    """Return whether a name is a comma-separated list."""
    return "," in name


def is_single(name: str) -> bool:
    """Return whether a name is a single index or alias, neither a list nor a pattern."""
    return not is_list(name) and "*" not in name


def without_model(error: IndexNotFoundError) -> IndexNotFoundError:
    """Return the error of a missing index that a layer's first write would create if it had a model.

    Args:
        error: The error as the core raised it.
    """
    return IndexNotFoundError(error.index, Remedy.CREATE_BY_WRITE) if is_single(error.index) else error


def error_of_list(name: str, response: Mapping[str, Any]) -> IndexNotFoundError | None:
    """Return the error of a list's missing indices; None if all exist.

    Args:
        name: The list.
        response: The response of `GET /<index>` with `EXISTING_ONLY`.
    """
    there = set(response)
    for body in response.values():
        there |= {*body.get("aliases", {}), body.get("data_stream")}
    plain = [part for part in name.split(",") if is_single(part) and not part.startswith("-")]
    missing = [part for part in dict.fromkeys(plain) if part not in there]
    return IndexNotFoundError(",".join(missing)) if missing else None
