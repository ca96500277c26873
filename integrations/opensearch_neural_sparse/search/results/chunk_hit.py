"""Best chunk of a hit in an index of chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.index.documents.chunks import chunk_place
from opensearch_neural_sparse.index.documents.stored_text import passages_of, stored_text
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.options.refinements.collapse import GROUP


@dataclass(frozen=True, kw_only=True)
class ChunkHit:
    """The best-scoring chunk of a document, by which it was found.

    Attributes:
        number: Its number in the document, from 0.
        text: Its text, or None where the document came without its own.
        start: Its first character in the document's text.
        end: The character after its last one.
        score: Its score in the sparse search, which is the document's there.
    """

    number: int
    text: str | None = field(default=None, repr=False)
    start: int
    end: int
    score: float


def read_chunk(hit: Mapping[str, Any], schema: IndexSchema) -> ChunkHit | None:
    """Read the best chunk of a hit, or None."""
    inner = hit.get("inner_hits", {})
    rows = [row for name, found in inner.items() if name != GROUP for row in found["hits"]["hits"]]
    if not rows:
        return None
    place, text = rows[0].get("_source", {}), stored_text(hit.get("_source", {}), schema)
    number = rows[0]["_nested"]["offset"]
    start, end = chunk_place(place, number, text, passages_of(hit.get("_source", {}), schema))
    return ChunkHit(
        number=number,
        text=None if text is None else text[start:end],
        start=start,
        end=end,
        score=rows[0]["_score"],
    )
