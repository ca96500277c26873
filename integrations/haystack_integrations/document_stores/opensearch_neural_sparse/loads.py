"""Loads of Haystack's documents, as the core runs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from haystack.dataclasses import Document

from haystack_integrations.document_stores.opensearch_neural_sparse.converters import of_sparse_document
from opensearch_neural_sparse import IndexSchemaError, InvalidVectorError, Load, RefusedRow, SourceRow, SparseDocument

if TYPE_CHECKING:
    from haystack_integrations.document_stores.opensearch_neural_sparse.document_codec import DocumentCodec

Embed = Callable[[Sequence[Document]], Sequence[Document]]


class PlacedDocument(NamedTuple):
    """A document and its place in the source, in place of the number of its row."""

    place: str
    document: Document


def load_of_documents(load: Load, codec: DocumentCodec, prepare: Callable[[Document], None]) -> Load:
    """Return a load with Haystack's documents as the core's rows.

    Args:
        load: The load; `embed`, if it has one, takes and returns Haystack's documents.
        codec: Converts documents to those of the index.
        prepare: Called with each document before it is converted.
    """
    embed = None if load.embed is None else partial(_embedded, load.embed, codec)
    return replace(load, rows=_rows(load.rows, codec, prepare), embed=embed)


def _rows(documents: Iterable[Any], codec: DocumentCodec, prepare: Callable[[Document], None]) -> Iterator[Any]:
    for number, row in enumerate(documents, start=1):
        placed = PlacedDocument(f"row {number}", row) if isinstance(row, Document) else row
        if not isinstance(placed, PlacedDocument):
            yield row
            continue
        prepare(placed.document)
        try:
            (converted,) = codec.to_sparse_documents([placed.document])
            yield SourceRow(place=placed.place, document=converted)
        except (IndexSchemaError, InvalidVectorError) as error:
            yield RefusedRow(place=placed.place, reason=str(error))


def _embedded(embed: Embed, codec: DocumentCodec, documents: Sequence[SparseDocument]) -> list[SparseDocument]:
    """Return documents with the vectors that `embed` makes of them."""
    made = list(embed(list(map(of_sparse_document, documents))))
    if [document.id for document in made] != [document.id for document in documents]:
        raise ValueError(
            f"An embedder returned {len(made)} documents for {len(documents)}, or with other ids or in another order. "
            "By a journal, embedders return each document; cut documents by a splitter."
        )
    vectors = codec.to_sparse_documents(made)
    return [
        replace(document, vector=one.vector, model=one.model, embedding=one.embedding)
        for document, one in zip(documents, vectors, strict=True)
    ]
