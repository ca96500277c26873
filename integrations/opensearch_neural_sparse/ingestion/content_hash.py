"""Hashes of documents' contents."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xxhash import xxh3_128_digest

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.documents.serializer import to_exact_line
from opensearch_neural_sparse.index.metadata.values import json_value

HASH_BYTES = 16
"""Length of a hash: two of 10^12 documents are alike with a probability below 10^-14."""


def content_hash(document: SparseDocument) -> bytes | None:
    """Return a hash of all that is written of a document but its id; None where a value cannot be written.

    Text, metadata, routing and vectors that were given count; keys in another order are another content. A vector
    counts the same as a dict and as a `SparseVector`. The hash is XXH3 of 128 bits: it finds changes, and withstands no
    attempt to make two contents that have the same.

    Args:
        document: The document.
    """
    vector = document.vector
    try:
        tokens, weights = (None, b"") if vector is None else _tokens_and_weights(vector)
        others = _others(document) if document.chunks or document.more_vectors else ()
        return xxh3_128_digest(b"".join((_line(document, tokens), weights, *others)))
    except (IndexSchemaError, TypeError, ValueError, OverflowError):
        return None


def _line(document: SparseDocument, tokens: Sequence[str] | None) -> bytes:
    """Return the JSON of a document's plain parts and of the tokens of its vector."""
    extra = dict(document.extra_fields) if document.extra_fields else {}
    others = (document.routing, document.embedding, document.model, extra, tokens)
    try:
        return to_exact_line((document.text, dict(document.metadata), *others))
    except (TypeError, ValueError):
        return to_exact_line((document.text, _converted(document), *others))


def _converted(document: SparseDocument) -> dict[str, Any]:
    """Return metadata as it is written: dates and numpy's scalars, for which JSON has no type, are converted."""
    return {key: json_value(value, key, document.id) for key, value in document.metadata.items()}


def _others(document: SparseDocument) -> Iterator[bytes | memoryview[float]]:
    """Yield chunks and the vectors of additional fields."""
    for chunk in map(DocumentChunk.of, document.chunks or ()):
        yield b"\2%d-%d" % (chunk.start, chunk.end)
        yield from _vector(chunk.vector)
    for name, held in document.more_vectors.items():
        yield f"\3{name}\0{held.model}\0".encode()
        yield from _vector(held.vector)


def _vector(vector: Mapping[str, float]) -> tuple[bytes, bytes | memoryview[float]]:
    tokens, weights = _tokens_and_weights(vector)
    return "\0".join(tokens).encode(), weights


def _tokens_and_weights(vector: Mapping[str, float]) -> tuple[Sequence[str], bytes | memoryview[float]]:
    """Return tokens, and weights as float64."""
    if isinstance(vector, SparseVector):
        return vector.tokens, vector.weights
    given = dict(vector)
    try:
        return [*given], array("d", given.values()).tobytes()
    except TypeError:  # weights as text are taken, too
        return [*given], array("d", map(float, given.values())).tobytes()
