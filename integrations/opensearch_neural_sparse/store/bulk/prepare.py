"""Prepare bulk actions of documents: validate, assign ids, encode."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.arguments import check_type
from opensearch_neural_sparse.encode.engines.batching import bounded_batches
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.bulk.actions import BulkAction, PendingAction, serialize_actions, write_draft
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import SparseDocument, size_of
from opensearch_neural_sparse.index.documents.vector_fields import FieldVector
from opensearch_neural_sparse.index.schema import IndexSchema, SparseField
from opensearch_neural_sparse.store.bulk.isolation import IsolatedEncoding
from opensearch_neural_sparse.store.write_options import WriteOptions

Document = SparseDocument | Mapping[str, Any] | str
Encoded = SparseVector | tuple[DocumentChunk, ...]
Encode = Callable[[SparseField, Sequence[str]], tuple[Sequence[Encoded], str]]
"""A field and texts -> their vectors in it, or their chunks, and the marker of the model that made them."""
Make = Callable[[SparseDocument], PendingAction]


def prepare_actions(
    documents: Iterable[Document],
    schema: IndexSchema,
    options: WriteOptions,
    *,
    encode: Encode,
    cut: TruncatedDocuments,
    make: Make | None = None,
    isolate: bool = False,
    by_server: Collection[str] = (),
) -> Iterator[BulkAction | BulkFailure]:
    """Return the bulk actions of documents, encoding those that have a text and no vector where `options` say so.

    Args:
        documents: Read once, a batch at a time; a sequence is first checked whole.
        schema: Names of the fields, with the models that the index is bound to.
        options: How to write.
        encode: Called once for each sparse field and batch in which a text has no vector.
        cut: Collects the documents whose texts are longer than a model reads.
        make: What drafts the action of a document with its vectors; by default the one that writes it.
        isolate: Whether a text that cannot be encoded is a failure of its document, rather than an error.
        by_server: Sparse fields that the server fills; no text is encoded for them here.

    Raises:
        IndexSchemaError: A document of a sequence that no index can take; nothing has been sent then.
    """
    if isinstance(documents, str | Mapping | SparseDocument):
        raise TypeError(f"write() takes several documents, got one {type(documents).__name__}; put it into a list.")
    if not isinstance(documents, Iterable):
        raise TypeError(f"write() takes several documents, as a list, got {type(documents).__name__}.")
    check_type(WriteOptions, options=options)
    if isinstance(documents, Sequence):
        documents = [SparseDocument.of(document) for document in documents]
    write = partial(write_draft, schema=schema, operation=options.operation)
    fields = tuple(field for field in schema.sparse_fields.values() if field.name not in by_server)
    if schema.semantic is not None:
        fields = tuple(field for field in fields if not field.is_main)
    fields = fields if options.encode else ()
    add_vectors = partial(_with_vectors, fields=fields, encode=encode, cut=cut)
    encoded = IsolatedEncoding(add_vectors) if isolate else add_vectors
    return _actions(documents, schema, options, encoded, make or write)


def _actions(
    documents: Iterable[Document],
    schema: IndexSchema,
    options: WriteOptions,
    add_vectors: Callable[[Sequence[SparseDocument]], Sequence[SparseDocument | BulkFailure]],
    make: Make,
) -> Iterator[BulkAction | BulkFailure]:
    stamps = ((name, field.binding) for name, field in schema.sparse_fields.items())
    markers = {name: binding.marker for name, binding in stamps if binding is not None}
    rows = (_read(document, place, schema.sparse_field, markers) for place, document in enumerate(documents))
    for batch in bounded_batches(rows, _size_of, count=options.batch_size, size=options.batch_bytes):
        yield from (row for row in batch if isinstance(row, BulkFailure))
        encoded = add_vectors([row for row in batch if isinstance(row, SparseDocument)])
        yield from (row for row in encoded if isinstance(row, BulkFailure))
        ready = (row for row in encoded if isinstance(row, SparseDocument))
        yield from serialize_actions(map(make, ready), exact_weights=options.exact_weights)


def _size_of(row: SparseDocument | BulkFailure) -> int:
    return size_of(row) if isinstance(row, SparseDocument) else 0


def _with_vectors(
    documents: Sequence[SparseDocument], fields: Iterable[SparseField], encode: Encode, cut: TruncatedDocuments
) -> list[SparseDocument]:
    encoded = list(documents)
    for field in fields:
        encoded = encode_missing(encoded, field, encode, cut)
    return encoded


def _read(document: Document, place: int, main: str, markers: Mapping[str, str]) -> SparseDocument | BulkFailure:
    try:
        read = SparseDocument.of(document).with_id()
    except IndexSchemaError as error:
        name = document.get("id") if isinstance(document, Mapping) else None
        return _refused(str(name or f"document number {place}"), "IndexSchemaError", str(error))
    if read.model is not None and read.model != markers.get(main, read.model):
        reason = f"its vector was made by {read.model!r}, the index is bound to {markers[main]!r}"
        return _refused(str(read.id), "ModelMismatchError", reason)
    for name, held in read.more_vectors.items():
        if held.model is not None and held.model != markers.get(name, held.model):
            reason = f"its vector in {name!r} was made by {held.model!r}, the field is bound to {markers[name]!r}"
            return _refused(str(read.id), "ModelMismatchError", reason)
    return read


def encode_missing(
    documents: Sequence[SparseDocument], field: SparseField, encode: Encode, cut: TruncatedDocuments
) -> list[SparseDocument]:
    """Return documents with the vectors, or chunks, of those that have a text and none; note those that were cut."""
    result = list(documents)
    texts = {
        place: document.text
        for place, document in enumerate(documents)
        if isinstance(document.text, str) and _lacks_vector(document, field)
    }
    if not texts:
        return result
    with collected_cuts() as cuts:
        vectors, marker = encode(field, list(texts.values()))
    cut.note(((str(documents[place].id), text) for place, text in texts.items()), cuts)
    for place, encoded in zip(texts, vectors, strict=True):
        result[place] = _with_vector(documents[place], field, encoded, marker)
    return result


def _lacks_vector(document: SparseDocument, field: SparseField) -> bool:
    if field.is_main:
        return document.vector is None and document.chunks is None
    return field.name not in document.more_vectors


def _with_vector(document: SparseDocument, field: SparseField, encoded: Encoded, marker: str) -> SparseDocument:
    if not isinstance(encoded, SparseVector):
        return replace(document, model=marker, chunks=encoded)
    if field.is_main:
        return replace(document, model=marker, vector=encoded)
    held = FieldVector(vector=encoded, model=marker)
    return replace(document, more_vectors={**document.more_vectors, field.name: held})


def _refused(document_id: str, error_type: str, reason: str) -> BulkFailure:
    return BulkFailure(id=document_id, status=None, error_type=error_type, reason=reason)
