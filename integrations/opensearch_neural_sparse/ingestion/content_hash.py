"""Hashes of documents' contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.documents.serializer import to_lines
from opensearch_neural_sparse.index.metadata.values import json_value

HASH_BYTES = 16
"""Length of a hash: two of 10^12 documents are alike with a probability below 10^-14."""


def content_hashes(documents: Sequence[SparseDocument]) -> list[bytes | None]:
    """Return a hash of all that is written of each document but its id; None where a value has no JSON.

    Texts, metadata, routing and vectors that were given count; keys in another order are another content.
    """
    lines = to_lines([(_plain_parts(document, document.metadata),) for document in documents])
    return [_hash(line, document) for line, document in zip(lines, documents, strict=True)]


def _plain_parts(document: SparseDocument, metadata: Mapping[str, Any]) -> list[Any]:
    others = [document.routing, document.embedding, document.model, dict(document.extra_fields)]
    return [document.text, dict(metadata), *others]


def _converted(document: SparseDocument) -> bytes | None:
    """Return the JSON of a document with metadata that JSON has no type for, such as dates or numpy's scalars."""
    try:
        metadata = {key: json_value(value, key, document.id) for key, value in document.metadata.items()}
    except IndexSchemaError:
        return None
    (line,) = to_lines([(_plain_parts(document, metadata),)])
    return None if isinstance(line, Exception) else line


def _hash(written: bytes | Exception, document: SparseDocument) -> bytes | None:
    line = _converted(document) if isinstance(written, Exception) else written
    if line is None:
        return None
    digest = blake2b(line, digest_size=HASH_BYTES)
    for part in _vectors(document):
        digest.update(part)
    return digest.digest()


def _vectors(document: SparseDocument) -> Iterable[bytes]:
    if document.vector is not None:
        yield b"\1"
        yield _vector(document.vector)
    for chunk in map(DocumentChunk.of, document.chunks or ()):
        yield b"\2%d-%d" % (chunk.start, chunk.end)
        yield _vector(chunk.vector)
    for name, held in document.more_vectors.items():
        yield f"\3{name}\0{held.model}\0".encode()
        yield _vector(held.vector)


def _vector(vector: Mapping[str, float]) -> bytes:
    if isinstance(vector, SparseVector):
        return "\0".join(vector.tokens).encode() + bytes(vector.weights)
    return repr(dict(vector)).encode()
