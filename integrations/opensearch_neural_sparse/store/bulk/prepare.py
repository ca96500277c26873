"""Prepare bulk actions of documents: validate, assign ids, encode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.bulk.actions import BulkAction, PendingAction, serialize_actions, write_draft
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.documents.vector_fields import FieldVector
from opensearch_neural_sparse.index.model_binding import ModelBinding
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.options.query_text import check_options
from opensearch_neural_sparse.store.bulk.isolation import IsolatedEncoding
from opensearch_neural_sparse.store.write_options import WriteOptions

Document = SparseDocument | Mapping[str, Any] | str
Encoded = SparseVector | tuple[DocumentChunk, ...]
Encode = Callable[[Sequence[str]], tuple[Sequence[Encoded], str]]
"""Texts -> their vectors, or their chunks, and the marker of the model that made them."""
Make = Callable[[SparseDocument], PendingAction]


def prepare_actions(
    documents: Iterable[Document],
    schema: IndexSchema,
    options: WriteOptions,
    *,
    bound: ModelBinding | None,
    encode: Encode,
    cut: TruncatedDocuments,
    more: Mapping[str, Encode] = MappingProxyType({}),
    make: Make | None = None,
    isolate: bool = False,
) -> Iterator[BulkAction | BulkFailure]:
    """Return the bulk actions of documents, encoding those that have a text and no vector where `options` say so.

    Args:
        documents: Read once, a batch at a time; a sequence is first checked whole.
        schema: Names of the fields.
        options: How to write.
        bound: The model of the index, or None where it carries no stamp.
        encode: Called once for each batch in which a text has no vector.
        cut: Collects the documents whose texts are longer than a model reads.
        more: Further sparse field -> what does the same for it.
        make: What drafts the action of a document with its vectors; by default the one that writes it.
        isolate: Whether a text that cannot be encoded is a failure of its document, rather than an error.

    Raises:
        IndexSchemaError: A document of a sequence that no index can take; nothing has been sent then.
    """
    if isinstance(documents, str | Mapping | SparseDocument):
        raise TypeError(f"write() takes several documents, got one {type(documents).__name__}; put it into a list.")
    if not isinstance(documents, Iterable):
        raise TypeError(f"write() takes several documents, as a list, got {type(documents).__name__}.")
    check_options(options, WriteOptions)
    if isinstance(documents, Sequence):
        documents = [SparseDocument.of(document) for document in documents]
    write = partial(write_draft, schema=schema, operation=options.operation)
    add_vectors = partial(_with_vectors, encode=encode, cut=cut, more=more) if options.encode else list[SparseDocument]
    encoded = IsolatedEncoding(add_vectors) if isolate else add_vectors
    return _actions(documents, schema, options, bound, encoded, make or write)


def _actions(
    documents: Iterable[Document],
    schema: IndexSchema,
    options: WriteOptions,
    bound: ModelBinding | None,
    add_vectors: Callable[[Sequence[SparseDocument]], Sequence[SparseDocument | BulkFailure]],
    make: Make,
) -> Iterator[BulkAction | BulkFailure]:
    markers = {name: binding.marker for name, binding in schema.more_fields.items()}
    rows = (_read(document, place, bound, markers) for place, document in enumerate(documents))
    while batch := list(islice(rows, options.batch_size)):
        yield from (row for row in batch if isinstance(row, BulkFailure))
        encoded = add_vectors([row for row in batch if isinstance(row, SparseDocument)])
        yield from (row for row in encoded if isinstance(row, BulkFailure))
        ready = (row for row in encoded if isinstance(row, SparseDocument))
        yield from serialize_actions(map(make, ready), exact_weights=options.exact_weights)


def _with_vectors(
    documents: Sequence[SparseDocument], encode: Encode, cut: TruncatedDocuments, more: Mapping[str, Encode]
) -> list[SparseDocument]:
    encoded = encode_missing(documents, encode, cut)
    for name, encode_for in more.items():
        encoded = _encode_more(encoded, name, encode_for, cut)
    return encoded


def _read(
    document: Document, place: int, bound: ModelBinding | None, markers: Mapping[str, str]
) -> SparseDocument | BulkFailure:
    try:
        read = SparseDocument.of(document).with_id()
    except IndexSchemaError as error:
        name = document.get("id") if isinstance(document, Mapping) else None
        return _refused(str(name or f"document number {place}"), "IndexSchemaError", str(error))
    if bound is not None and read.model is not None and read.model != bound.marker:
        reason = f"its vector was made by {read.model!r}, the index is bound to {bound.marker!r}"
        return _refused(str(read.id), "ModelMismatchError", reason)
    for name, held in read.more_vectors.items():
        if held.model is not None and held.model != markers.get(name, held.model):
            reason = f"its vector in {name!r} was made by {held.model!r}, the field is bound to {markers[name]!r}"
            return _refused(str(read.id), "ModelMismatchError", reason)
    return read


def encode_missing(
    documents: Sequence[SparseDocument], encode: Encode, cut: TruncatedDocuments
) -> list[SparseDocument]:
    """Return documents with the vectors, or chunks, of those that have a text and none; note those that were cut."""
    texts = {place: text for place, document in enumerate(documents) if (text := _text_to_encode(document)) is not None}
    if not texts:
        return list(documents)
    vectors, marker = _encoded(documents, texts, encode, cut)
    result = list(documents)
    for place, encoded in zip(texts, vectors, strict=True):
        part: dict[str, Any] = {"vector" if isinstance(encoded, SparseVector) else "chunks": encoded}
        result[place] = replace(documents[place], model=marker, **part)
    return result


def _encode_more(
    documents: Sequence[SparseDocument], name: str, encode: Encode, cut: TruncatedDocuments
) -> list[SparseDocument]:
    texts = {
        place: document.text
        for place, document in enumerate(documents)
        if name not in document.more_vectors and isinstance(document.text, str)
    }
    vectors, marker = _encoded(documents, texts, encode, cut) if texts else ((), "")
    result = list(documents)
    for place, vector in zip(texts, vectors, strict=True):
        if isinstance(vector, SparseVector):
            held = FieldVector(vector=vector, model=marker)
            result[place] = replace(documents[place], more_vectors={**documents[place].more_vectors, name: held})
    return result


def _encoded(
    documents: Sequence[SparseDocument], texts: Mapping[int, str], encode: Encode, cut: TruncatedDocuments
) -> tuple[Sequence[Encoded], str]:
    """Return the vectors of texts, by their documents' places, and the marker of the model."""
    with collected_cuts() as cuts:
        encoded = encode(list(texts.values()))
    cut.note(((str(documents[place].id), text) for place, text in texts.items()), cuts)
    return encoded


def _text_to_encode(document: SparseDocument) -> str | None:
    given = document.vector is not None or document.chunks is not None
    return document.text if not given and isinstance(document.text, str) else None


def _refused(document_id: str, error_type: str, reason: str) -> BulkFailure:
    return BulkFailure(id=document_id, status=None, error_type=error_type, reason=reason)
