"""Conversion between LangChain's documents and the core's rows and hits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import asdict, replace
from functools import partial
from itertools import islice, repeat
from typing import Any, TypeVar
from uuid import uuid4

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from opensearch_neural_sparse import IndexSchemaError, Load, SearchHit, SparseDocument

T = TypeVar("T")
DocumentMapper = Callable[[SearchHit | SparseDocument], Document]
"""Function from a hit or a stored document to LangChain's document."""

SCORE_KEY, LEGS_KEY, MATCHES_KEY, CHUNK_KEY, RERANK_KEY = "_score", "_legs", "_matches", "_chunk", "_rerank"
"""Metadata keys of optional results: a hit's score, the scores of its legs, its matching tokens, its chunk, and
the scores of reranker and search."""

Row = Mapping[str, Any]
"""A document with the keys `id`, `text` and `metadata`, in the form of `NeuralSparseStore.write`."""


def rows_of_texts(
    texts: Iterable[str],
    metadatas: Sequence[Mapping[str, Any]] | None = None,
    ids: Sequence[str | None] | None = None,
) -> Iterable[Row]:
    """Return the rows of texts: a list for a sequence, else an iterator that reads texts as rows are read.

    Args:
        texts: Texts; consumed once, and at once where metadata or ids are given.
        metadatas: One for each text.
        ids: One for each text; one is made where it is None.

    Raises:
        TypeError: One text or document, or one id, where there should be several.
        ValueError: The counts differ.
    """
    texts = _counted(several("texts", texts), metadatas=metadatas, ids=ids)
    rows = zip(texts, repeat({}) if metadatas is None else metadatas, _each(ids, None), strict=False)
    return _as(texts, (_row(text, metadata, key) for text, metadata, key in rows))


def rows_of_documents(documents: Iterable[Document], ids: Sequence[str | None] | None = None) -> Iterable[Row]:
    """Return the rows of documents: a list for a sequence, else an iterator that reads documents as rows are read.

    Args:
        documents: Documents; consumed once, and at once where ids are given. They stay as they are.
        ids: One for each document; where it is None, the document's own id, or else a new one.

    Raises:
        TypeError: One text or document, or one id, where there should be several.
        ValueError: The counts differ.
    """
    documents = _counted(several("documents", documents), ids=ids)
    rows = zip(map(_checked, documents), _each(ids, None), strict=False)
    return _as(
        documents,
        (_row(one.page_content, one.metadata, one.id if key is None else key) for one, key in rows),
    )


def load_of_documents(load: Load, embedding: Embeddings | None) -> Load:
    """Return a load with LangChain's documents as the core's rows, and their dense vectors.

    Args:
        load: The load; rows that are none of LangChain's documents stay as they are.
        embedding: Makes dense vectors, of the documents that are written alone.
    """
    embed = load.embed if embedding is None else partial(_with_dense, embedding)
    return replace(load, rows=map(_loaded, load.rows), embed=embed)


def to_document(found: SearchHit | SparseDocument) -> Document:
    """Convert a hit or a stored document to LangChain's document, with its id."""
    return Document(id=found.id, page_content=found.text or "", metadata=dict(found.metadata))


def annotated(document: Document, hit: SearchHit, *, score: bool) -> Document:
    """Convert a hit to a document with the score and explanation in its metadata.

    Args:
        document: The document; it stays as it is.
        hit: The hit.
        score: Whether `_score` is added. The others are where the search was asked for an explanation.
    """
    notes: dict[str, Any] = {SCORE_KEY: hit.score} if score else {}
    if hit.legs is not None:
        notes[LEGS_KEY] = {name: leg.to_dict() for name, leg in hit.legs.items()}
    if hit.matches is not None:
        notes[MATCHES_KEY] = list(map(asdict, hit.matches))
        if hit.chunk is not None:
            notes[CHUNK_KEY] = asdict(hit.chunk)
        if hit.search_score is not None:
            notes[RERANK_KEY] = {"score": hit.rerank_score, "search_score": hit.search_score}
    return document.model_copy(update={"metadata": {**document.metadata, **notes}}) if notes else document


def with_embeddings(rows: Iterable[Row], embedding: Embeddings, batch_size: int) -> Iterator[Row]:
    """Yield rows with dense vectors, embedded in batches."""
    for batch in batches_of(rows, batch_size):
        yield from with_vectors(batch, embedding.embed_documents([row["text"] for row in batch]))


async def awith_embeddings(rows: Iterable[Row], embedding: Embeddings, batch_size: int) -> list[Row]:
    """Return rows with dense vectors, embedded in batches."""
    done: list[Row] = []
    for batch in batches_of(rows, batch_size):
        done += with_vectors(batch, await embedding.aembed_documents([row["text"] for row in batch]))
    return done


def batches_of(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Yield rows in lists of `size`."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def with_vectors(rows: Sequence[Row], vectors: Sequence[Sequence[float]]) -> list[Row]:
    """Add a dense vector to each row."""
    return [{**row, "embedding": vector} for row, vector in zip(rows, vectors, strict=True)]


def _row(text: str | None, metadata: Mapping[str, Any], key: str | None) -> Row:
    if text is None:  # which the core takes for a document without a text
        raise IndexSchemaError(f"Document {key!r}: its text is of type NoneType.")
    return {"id": uuid4().hex if key is None else key, "text": text, "metadata": metadata}


def _checked(document: Document) -> Document:
    if not isinstance(document, Document):
        raise TypeError(f"documents holds documents of LangChain, got {type(document).__name__} in it.")
    return document


def _loaded(row: Any) -> Any:
    if not isinstance(row, Document):
        return row
    return {"id": row.id, "text": row.page_content, "metadata": row.metadata}


def _with_dense(embedding: Embeddings, documents: Sequence[SparseDocument]) -> list[SparseDocument]:
    vectors = embedding.embed_documents([document.text or "" for document in documents])
    return [replace(document, embedding=vector) for document, vector in zip(documents, vectors, strict=True)]


def _as(source: Iterable[Any], rows: Iterator[Row]) -> Iterable[Row]:
    return list(rows) if isinstance(source, Sequence) else rows


def several(name: str, values: Iterable[T]) -> Iterable[T]:
    """Return several values as a list; one text is refused, because it would pass for its letters.

    Raises:
        TypeError: It is one text or one document.
    """
    if isinstance(values, str | Document):
        raise TypeError(f"{name} takes several, got one {type(values).__name__}; put it into a list.")
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} takes several, as a list, got {type(values).__name__}.")
    return values


def _each(values: Iterable[T] | None, otherwise: T) -> Iterable[T]:
    return repeat(otherwise) if values is None else values


def _counted(items: Iterable[T], **companions: Sequence[Any] | None) -> Iterable[T]:
    given = {name: values for name, values in companions.items() if values is not None}
    if not given:
        return items
    counted = list(items)
    for name, values in given.items():
        several(name, values)
        if not isinstance(values, Sized):
            raise TypeError(f"{name} is a list, one for each document, got {type(values).__name__}.")
        if len(values) != len(counted):
            raise ValueError(f"There are {len(counted)} documents and {len(values)} {name}; give one for each.")
    return counted
