"""Vectors in a document's `_source`: one, one per chunk, and those of additional sparse fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.documents.chunks import END, START, DocumentChunk, check_chunks, chunk_places
from opensearch_neural_sparse.index.documents.stored_text import passages_of, stored_text
from opensearch_neural_sparse.index.schema import IndexSchema, SparseField
from opensearch_neural_sparse.index.semantic_field import CHUNKS

Weights = SparseVector | Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class FieldVector:
    """A document's vector in an additional sparse field.

    Attributes:
        vector: Token -> weight.
        model: Marker of the model that made it; None where not known.
    """

    vector: Weights = field(repr=False)
    model: str | None = None


def stored_vectors(
    vector: Weights | None,
    chunks: Sequence[DocumentChunk | Mapping[str, Any]] | None,
    text: str | None,
    schema: IndexSchema,
) -> dict[str, Any]:
    """Return the vectors' part of a `_source`, without empty vectors.

    Raises:
        IndexSchemaError: Chunks for an index of one vector a document, or both, or chunks beyond the text.
        InvalidVectorError: A weight the server would refuse or drop.
    """
    if schema.semantic is not None:
        if vector or chunks:
            raise IndexSchemaError("The document has a vector, and the server encodes the texts of the index.")
        return {}
    if not schema.is_cut:
        if chunks is not None:
            raise IndexSchemaError("The document has chunks, and the index keeps one vector a document.")
        return {schema.sparse_field: _weights(vector, schema)} if vector else {}
    if chunks is not None and vector is not None:
        raise IndexSchemaError("The document has both a vector and chunks; give one of them.")
    if chunks is None:
        chunks = [DocumentChunk(start=0, end=len(text or ""), vector=vector or {})]
    rows = [
        {START: chunk.start, END: chunk.end, schema.weights_key: _weights(chunk.vector, schema)}
        for chunk in check_chunks(chunks, text)
        if chunk.vector
    ]
    return {schema.chunk_field: rows} if rows else {}


def stored_additional(given: Mapping[str, FieldVector], schema: IndexSchema) -> dict[str, Any]:
    """Return the part of a `_source` for additional sparse fields: vectors and markers.

    Raises:
        IndexSchemaError: A field that the index does not have.
        InvalidVectorError: A weight the server would refuse or drop.
    """
    fields = schema.additional_fields
    if unknown := sorted(given.keys() - fields.keys()):
        raise IndexSchemaError(f"The index has no further sparse fields {unknown}; store.add_field() makes one.")
    source: dict[str, Any] = {}
    for name, held in given.items():
        source |= stored_vector(held, fields[name])
    return source


def stored_vector(held: FieldVector, field: SparseField) -> dict[str, Any]:
    """Return the part of a `_source` for one additional sparse field: vector and marker.

    Raises:
        InvalidVectorError: A weight the server would refuse or drop.
    """
    vector = {field.name: _checked(held.vector)} if held.vector else {}
    return vector if held.model is None else {**vector, field.model_field: held.model}


def additional_of(source: Mapping[str, Any], schema: IndexSchema) -> dict[str, FieldVector]:
    """Read the vectors of additional sparse fields from a `_source`."""
    return {
        name: FieldVector(vector=SparseVector(source.get(name) or {}), model=source.get(field.model_field))
        for name, field in schema.additional_fields.items()
        if name in source or field.model_field in source
    }


def vector_of(source: Mapping[str, Any], schema: IndexSchema) -> SparseVector | None:
    """Read the vector of a `_source`; null weights are ignored, as on the server."""
    own = source.get(schema.vector_field) or {} if schema.semantic is not None else source
    return _weights_in(own, schema)


def _weights_in(row: Mapping[str, Any], schema: IndexSchema) -> SparseVector | None:
    """Read the token weights of a document or a chunk; null weights are ignored, as on the server."""
    held = row.get(schema.weights_key)
    parts = held if isinstance(held, list) else [held or {}]
    weights = {token: weight for part in parts for token, weight in part.items() if weight is not None}
    if schema.token_ids is not None and weights:
        weights = schema.token_ids.to_tokens(weights)
    return SparseVector(weights) if weights else None


def chunks_of(source: Mapping[str, Any], schema: IndexSchema) -> tuple[DocumentChunk, ...] | None:
    """Read the chunks of a `_source`, or None."""
    held = (source.get(schema.vector_field) or {}).get(CHUNKS) if schema.semantic else source.get(schema.chunk_field)
    rows = held if isinstance(held, list) else [held] if held else []
    text = stored_text(source, schema)
    places = chunk_places(rows, text, passages_of(source, schema))
    chunks = [
        DocumentChunk(start=start, end=end, vector=_weights_in(row, schema) or SparseVector())
        for row, (start, end) in zip(rows, places, strict=True)
    ]
    return tuple(chunks) or None


def _weights(given: Weights, schema: IndexSchema) -> SparseVector:
    vector = _checked(given)
    if schema.token_ids is None:
        return vector
    weights = schema.token_ids.to_ids(vector)
    return SparseVector.from_trusted(weights, weights.values())


def _checked(given: Weights) -> SparseVector:
    return given if isinstance(given, SparseVector) else SparseVector(given)
