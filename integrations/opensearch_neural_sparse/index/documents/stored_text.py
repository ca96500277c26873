"""Text of a stored document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from opensearch_neural_sparse.index.schema import IndexSchema


def stored_text(source: Mapping[str, Any], schema: IndexSchema) -> str | None:
    """Return the text of a `_source` as the server analyses it, or None.

    This package writes strings; an index that others write may hold a list, whose values are joined by line breaks, or
    a number or boolean, which is its JSON.

    Args:
        source: The `_source`, or a part of it.
        schema: Names of the fields.
    """
    value = source.get(schema.text_field)
    if value is None or isinstance(value, str):
        return value
    texts = list(_texts(value))
    return "\n".join(texts) if texts else None


def passages_of(source: Mapping[str, Any], schema: IndexSchema) -> list[str]:
    """Return the passages that the server cut, or none.

    Args:
        source: The `_source`, or a part of it.
        schema: Names of the fields.
    """
    held = None if schema.server_chunking is None else source.get(schema.passage_field)
    return list(_texts(held if isinstance(held, list) else [held]))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, bool | int | float):
        yield json.dumps(value)
