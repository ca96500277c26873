"""Depth of nested values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opensearch_neural_sparse.errors import IndexSchemaError

DEEPEST = 100
"""Most levels of a value. OpenSearch maps 20 by default, and Python's and the server's readers of JSON stop at some
hundreds."""


def is_too_deep(value: object) -> bool:
    """Return whether a value is nested more deeply than `DEEPEST`, or holds itself.

    Args:
        value: Mappings, lists and tuples of any values.
    """
    level: Iterable[object] = [value]
    for _ in range(DEEPEST):
        level = {id(inner): inner for outer in level for inner in _within(outer)}.values()  # what is shared, once
        if not level:
            return False
    return True


def refuse_deep_metadata(metadata: object) -> None:
    """Raise IndexSchemaError for metadata that is nested too deeply, or holds itself.

    Args:
        metadata: Key -> value.
    """
    if is_too_deep(metadata):
        raise IndexSchemaError(f"metadata is nested more than {DEEPEST} levels deep. Write it flatter.")


def _within(value: object) -> Iterable[object]:
    """Return the mappings, lists and tuples directly within a value."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return (each for each in inner if isinstance(each, Mapping | list | tuple))
