"""Nested queries over the chunks of documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.index.documents.chunks import END, START, TEXT


def best_chunk_query(chunk_field: str, query: Mapping[str, Any], *, name: str | None = None) -> dict[str, Any]:
    """Return a query that scores a document by its best chunk and fetches the chunk's position.

    Args:
        chunk_field: The nested field.
        query: What scores a chunk.
        name: Name of the query in `matched_queries`, and of the chunk among others that are fetched.
    """
    parts = (TEXT,) if "." in chunk_field else (START, END)  # the server's own chunks hold their text
    fetched: dict[str, Any] = {"size": 1, "_source": [f"{chunk_field}.{part}" for part in parts]}
    body: dict[str, Any] = {"path": chunk_field, "query": dict(query), "score_mode": "max", "inner_hits": fetched}
    if name is not None:
        body["_name"] = fetched["name"] = name
    return {"nested": body}
