"""Documents and their `_source`, in a layout that opensearch-haystack reads as well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.dense_vectors import Array, DenseVector, to_floats
from opensearch_neural_sparse.index.documents.stored_text import stored_text
from opensearch_neural_sparse.index.documents.vector_fields import (
    FieldVector,
    additional_of,
    chunks_of,
    stored_additional,
    stored_vectors,
    vector_of,
)
from opensearch_neural_sparse.index.metadata.nesting import DEEPEST, is_too_deep
from opensearch_neural_sparse.index.metadata.values import json_value
from opensearch_neural_sparse.index.schema import ID_FIELD, META_FIELD, IndexSchema

LONGEST_ID = 512
"""Maximum length of a document id in UTF-8 bytes; the server refuses the whole batch of a longer one."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_PLAIN = (type(None), list)
"""Embeddings that are no arrays; asking whether a value is one takes ten times as long."""


@dataclass(frozen=True, kw_only=True)
class SparseDocument:
    """A document with its vectors.

    Attributes:
        id: 1 to 512 bytes of UTF-8; None has one made when the document is written.
        text: Its text, or None.
        metadata: Key -> JSON value. Keys may be nested; each is non-blank between, before and after dots.
        vector: Token -> weight; None where the store is to encode the text. In an index of chunks it is one chunk.
        chunks: Passages with vectors, for an index of chunks; None where the store is to cut and encode the text.
        more_vectors: Additional sparse field -> its vector; the text is encoded for those that are not here.
        embedding: A dense vector, as a list of numbers, an array of numpy or a tensor of torch; or None.
        model: Marker of the model that made the vector, as `ModelBinding.marker` gives it; None where not known.
        routing: What its shard is chosen by, in place of its id; it goes before `WriteOptions.routing`. None leaves it
            to those.
        extra_fields: Fields of its `_source` beside all these, name -> JSON value, under names that metadata cannot
            have, such as the `blob` of a Haystack document.

    Raises:
        IndexSchemaError: The id, a metadata key, an array, the routing or the extra fields are such as no index can
            take.
    """

    id: str | None = None
    text: str | None = field(default=None, repr=False)
    metadata: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, repr=False)
    vector: SparseVector | Mapping[str, float] | None = field(default=None, repr=False)
    chunks: Sequence[DocumentChunk | Mapping[str, Any]] | None = field(default=None, repr=False)
    more_vectors: Mapping[str, FieldVector] = field(default_factory=lambda: _NOTHING, repr=False)
    embedding: DenseVector | None = field(default=None, repr=False)
    model: str | None = None
    routing: str | None = None
    extra_fields: Mapping[str, Any] = field(default_factory=lambda: _NOTHING, repr=False)

    def __post_init__(self) -> None:
        if self.id is not None:
            check_id(self.id)
        for name, given in (("metadata", self.metadata), ("extra_fields", self.extra_fields)):
            if not isinstance(given, Mapping):
                raise IndexSchemaError(f"Document {self.id!r}: {name} is a mapping, got {type(given).__name__}.")
        try:
            check_routing(self.routing)
        except (TypeError, ValueError) as error:
            raise IndexSchemaError(f"Document {self.id!r}: {error}") from None
        _check_keys(self.metadata, self.id)
        if self.extra_fields and is_too_deep(self.extra_fields):
            raise _too_deep("extra_fields", self.id)
        if not isinstance(self.embedding, _PLAIN) and isinstance(self.embedding, Array):  # to compare documents
            object.__setattr__(self, "embedding", _numbers(self.embedding, self.id))

    @classmethod
    def of(cls, document: SparseDocument | Mapping[str, Any] | str) -> SparseDocument:
        """Make a document from a text, or from a mapping with the keys of this class.

        Args:
            document: A text, a mapping, or a document, which is returned as it is.

        Raises:
            IndexSchemaError: Another type, an unknown key, or an id or metadata key that no index can take.
        """
        if isinstance(document, SparseDocument):
            return document
        if isinstance(document, str):
            return cls(text=document)
        if not isinstance(document, Mapping):
            raise IndexSchemaError(
                f"A document is a SparseDocument, a mapping or a text, got {type(document).__name__}."
            )
        if unknown := sorted(map(repr, set(document) - _DOCUMENT_KEYS)):
            raise IndexSchemaError(_unknown_keys(document, unknown))
        return cls(**document)

    @classmethod
    def from_trusted(cls, **parts: Any) -> SparseDocument:
        """Make a document from stored values, without checks, because other programs may have written it.

        Args:
            parts: The attributes of this class.
        """
        document = object.__new__(cls)
        for name, value in parts.items():
            object.__setattr__(document, name, value)
        return document

    def with_id(self) -> SparseDocument:
        """Return this document with an id, a random one if it has none."""
        return self if self.id is not None else replace(self, id=uuid4().hex)


_TEXT_ELSEWHERE = ("content", "page_content", "body", "passage")
"""Names of a document's text in other libraries and data."""
_DOCUMENT_KEYS = frozenset(attribute.name for attribute in fields(SparseDocument))


def _unknown_keys(document: Mapping[Any, Any], unknown: Sequence[str]) -> str:
    of = f"Document {document['id']!r}" if document.get("id") is not None else "A document"
    text = next((key for key in _TEXT_ELSEWHERE if key in document and "text" not in document), None)
    moved = "" if text is None else f" The text is under 'text', not {text!r}."
    return (
        f"{of} has the {'key' if len(unknown) == 1 else 'keys'} {', '.join(unknown)}; known are "
        f"{', '.join(sorted(_DOCUMENT_KEYS))}.{moved} Put data of your own under 'metadata'."
    )


def size_of(document: SparseDocument) -> int:
    """Return the number of characters of a document's text and of the texts in its metadata, nested ones left out."""
    return sum(len(value) for value in (document.text, *document.metadata.values()) if isinstance(value, str))


def check_id(document_id: object) -> str:
    """Validate a document id.

    Raises:
        IndexSchemaError: Not a string, empty, not valid Unicode, or longer than 512 bytes.
    """
    if not isinstance(document_id, str):
        raise IndexSchemaError(f"A document id is a string, got {type(document_id).__name__}: {document_id!r}.")
    try:
        size = len(document_id.encode())
    except UnicodeEncodeError:
        raise IndexSchemaError(f"Document id {document_id!r} is not valid Unicode.") from None
    if not 1 <= size <= LONGEST_ID:
        raise IndexSchemaError(f"A document id has 1 to {LONGEST_ID} bytes of UTF-8, {document_id[:40]!r} has {size}.")
    return document_id


def check_routing(routing: object) -> None:
    """Raise TypeError or ValueError unless a routing is None or a text that is not empty.

    Args:
        routing: What a shard is chosen by, in place of an id.
    """
    if routing is not None and not isinstance(routing, str):
        raise TypeError(f"routing is a text, got {type(routing).__name__}.")
    if routing == "":
        raise ValueError(
            "routing is a text of one character or more, got ''. The server takes an empty one for none where it "
            "writes, and for one where it reads. None leaves the choice to the ids."
        )


def check_ids(ids: Iterable[str]) -> list[str]:
    """Validate document ids.

    Raises:
        TypeError: One string in place of several.
        IndexSchemaError: An id that the server does not take.
    """
    if isinstance(ids, str):
        raise TypeError(f"Several ids are taken, got the one string {ids[:40]!r}; put it into a list.")
    if not isinstance(ids, Iterable):
        raise TypeError(f"Several ids are taken, as a list of texts, got {type(ids).__name__}.")
    return [check_id(document_id) for document_id in ids]


def to_source(document: SparseDocument, schema: IndexSchema) -> dict[str, Any]:
    """Return the `_source` of a document with an id.

    Args:
        document: The document; its id is set.
        schema: Names of the fields.

    Raises:
        IndexSchemaError: A metadata value or embedding that is not JSON, or of the wrong type; an extra field whose
            name is taken.
        InvalidVectorError: A weight the server would refuse or drop.
    """
    source: dict[str, Any] = {ID_FIELD: check_id(document.id)}
    metadata = _stored_metadata(document, schema)
    source |= metadata
    if document.text is not None:
        source[schema.text_field] = _text(document)
    if document.model is not None:
        source[schema.model_field] = document.model
    source |= stored_vectors(document.vector, document.chunks, document.text, schema)
    if document.more_vectors:
        source |= stored_additional(document.more_vectors, schema)
    if document.embedding is not None:
        source[schema.embedding_field] = _embedding(document, schema.embedding_dimension)
    if document.extra_fields:
        source |= _extra_fields(document, schema)
    if metadata and schema.metadata_types is not None:  # last: a document that is refused decides nothing
        schema.metadata_types.check(metadata, document.id)
    return source


def from_source(
    document_id: str, source: Mapping[str, Any], schema: IndexSchema, *, routing: str | None = None
) -> SparseDocument:
    """Read a document from a `_source`; excluded fields are None."""
    return SparseDocument.from_trusted(
        id=document_id,
        text=stored_text(source, schema),
        metadata=metadata_of(source, schema),
        vector=None if schema.has_chunks else vector_of(source, schema),
        chunks=chunks_of(source, schema) if schema.has_chunks else None,
        more_vectors=additional_of(source, schema),
        embedding=source.get(schema.embedding_field),
        model=source.get(schema.model_field),
        routing=routing,
        extra_fields={name: source[name] for name in schema.extra_names & source.keys()},
    )


def metadata_of(source: Mapping[str, Any], schema: IndexSchema) -> dict[str, Any]:
    """Return the metadata of a `_source`."""
    metadata = {key: value for key, value in source.items() if not schema.is_reserved(key)}
    nested = source.get(META_FIELD)
    return metadata | nested if isinstance(nested, dict) else metadata


def _check_keys(value: object, document_id: str | None, depth: int = 1) -> None:
    """Raise IndexSchemaError for metadata that is nested too deeply, or holds a key that no index can take."""
    if isinstance(value, Mapping):
        if depth > DEEPEST:
            raise _too_deep("metadata", document_id)
        for key, inner in value.items():
            if not isinstance(key, str):
                raise IndexSchemaError(
                    f"Document {document_id!r}: metadata key {key!r} is of type {type(key).__name__}; keys are strings."
                )
            if not all(part.strip() for part in key.split(".")):
                raise IndexSchemaError(
                    f"Document {document_id!r}: metadata key {key!r} is blank before, between or after dots; "
                    "OpenSearch takes no such field. Rename it."
                )
            _check_keys(inner, document_id, depth + 1)
    elif isinstance(value, list | tuple):
        if depth > DEEPEST:
            raise _too_deep("metadata", document_id)
        for inner in value:
            _check_keys(inner, document_id, depth + 1)


def _too_deep(name: str, document_id: str | None) -> IndexSchemaError:
    return IndexSchemaError(
        f"Document {document_id!r}: {name} is nested more than {DEEPEST} levels deep. Flatten it, or write the inner "
        "part as a JSON text."
    )


def _stored_metadata(document: SparseDocument, schema: IndexSchema) -> dict[str, Any]:
    """Return the metadata by stored field."""
    stored: dict[str, Any] = {}
    nested: dict[str, Any] = {}
    for key, value in document.metadata.items():
        place = nested if schema.is_reserved(key) else stored
        place[key] = json_value(value, key, document.id)
    return stored | {META_FIELD: nested} if nested else stored


def _text(document: SparseDocument) -> str:
    if not isinstance(document.text, str):
        raise IndexSchemaError(f"Document {document.id!r}: its text is of type {type(document.text).__name__}.")
    return document.text


def _extra_fields(document: SparseDocument, schema: IndexSchema) -> Mapping[str, Any]:
    if wrong := sorted(map(repr, set(document.extra_fields) - schema.extra_names)):
        raise IndexSchemaError(
            f"Document {document.id!r}: extra_fields has {', '.join(wrong)}; this index takes "
            f"{', '.join(sorted(schema.extra_names))}. Put other data under 'metadata'."
        )
    return document.extra_fields


def _embedding(document: SparseDocument, dimension: int | None) -> list[float]:
    values = _numbers(document.embedding, document.id)
    if dimension is not None and len(values) != dimension:
        raise IndexSchemaError(
            f"Document {document.id!r}: its embedding has {len(values)} dimensions, not {dimension}."
        )
    return values


def _numbers(embedding: object, document_id: str | None) -> list[float]:
    try:
        return to_floats(embedding)
    except ValueError as error:
        raise IndexSchemaError(f"Document {document_id!r}, its embedding: {error}.") from None
