"""Chunks of a document: nested objects with a vector each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.server_chunking import passage_places

START, END, TEXT = "start", "end", "text"
_KEYS = frozenset({START, END, "vector"})


@dataclass(frozen=True, kw_only=True)
class DocumentChunk:
    """A chunk of a document with its vector; its text is the document's `text[start:end]`.

    Attributes:
        start: Its first character in the document's text.
        end: The character after its last one.
        vector: Token -> weight.
    """

    start: int
    end: int
    vector: SparseVector | Mapping[str, float] = field(repr=False)

    @classmethod
    def of(cls, chunk: DocumentChunk | Mapping[str, Any]) -> DocumentChunk:
        """Make a chunk from a mapping with the keys of this class.

        Args:
            chunk: A chunk, or a mapping of `start`, `end` and `vector`.

        Raises:
            IndexSchemaError: Another type, or other keys.
        """
        if isinstance(chunk, DocumentChunk):
            return chunk
        if not isinstance(chunk, Mapping) or set(chunk) != _KEYS:
            found = sorted(map(str, chunk)) if isinstance(chunk, Mapping) else type(chunk).__name__
            raise IndexSchemaError(f"A chunk is a DocumentChunk or a mapping of {sorted(_KEYS)}, got {found}.")
        return cls(**chunk)


def check_chunks(chunks: Iterable[DocumentChunk | Mapping[str, Any]], text: str | None) -> list[DocumentChunk]:
    """Validate the chunks of a document with this text.

    Raises:
        IndexSchemaError: A chunk that does not lie within the text, or is none.
    """
    checked = [DocumentChunk.of(chunk) for chunk in chunks]
    for number, chunk in enumerate(checked):
        within = text is None or chunk.end <= len(text)
        if not (isinstance(chunk.start, int) and isinstance(chunk.end, int) and 0 <= chunk.start <= chunk.end):
            raise IndexSchemaError(f"Chunk {number} goes from {chunk.start!r} to {chunk.end!r}.")
        if not within:
            raise IndexSchemaError(f"Chunk {number} ends at {chunk.end}, the text at {len(text or '')}.")
    return checked


def chunk_places(
    chunks: Sequence[Mapping[str, Any]], text: str | None, passages: Sequence[str] = ()
) -> list[tuple[int, int]]:
    """Return start and end of the stored chunks of a document in its text.

    Those that the server made have none: a semantic field's hold their text, a pipeline's lie beside the passages.

    Args:
        chunks: All chunks of the document, as the index holds them.
        text: The document's text, or None.
        passages: What the server's pipeline cut, a text for each chunk.
    """
    if passages and chunks and START not in chunks[0]:
        return list(passage_places(passages, text))[: len(chunks)] + [(0, 0)] * (len(chunks) - len(passages))
    return [_place(chunk, text) for chunk in chunks]


def chunk_place(
    chunk: Mapping[str, Any], number: int, text: str | None, passages: Sequence[str] = ()
) -> tuple[int, int]:
    """Return start and end of one stored chunk of a document in its text.

    Args:
        chunk: The chunk as the index holds it.
        number: Its number in the document, from 0.
        text: The document's text, or None.
        passages: What the server's pipeline cut, a text for each chunk.
    """
    if number < len(passages) and START not in chunk:
        return chunk_places([{}] * len(passages), text, passages)[number]
    return _place(chunk, text)


def _place(chunk: Mapping[str, Any], text: str | None) -> tuple[int, int]:
    if (own := chunk.get(TEXT)) is None:
        return chunk.get(START, 0), chunk.get(END, 0)
    start = max(0, (text or "").find(own))
    return start, start + len(own)
