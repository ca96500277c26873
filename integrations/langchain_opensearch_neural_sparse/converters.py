"""LangChain's documents as the core's, and what the core found as LangChain's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar
from uuid import uuid4

from langchain_core.documents import Document

from opensearch_neural_sparse.index.document import SparseDocument
from opensearch_neural_sparse.search.hits import SearchHit

T = TypeVar("T")

SCORE_KEY = "_score"
"""Metadata key of a hit's score, where it is asked for."""

Row = Mapping[str, Any]
"""A document with the keys `id`, `text` and `metadata`, as `NeuralSparseStore.write` takes it."""


def rows_of_texts(
    texts: Iterable[str],
    metadatas: Sequence[Mapping[str, Any]] | None = None,
    ids: Sequence[str | None] | None = None,
) -> Iterable[Row]:
    """Return rows of texts: a list of a sequence, else an iterator that takes texts as rows are taken.

    Args:
        texts: Texts; consumed once, and at once where metadata or ids are given.
        metadatas: One for each text.
        ids: One for each text; one is made where it is None.

    Raises:
        TypeError: One text or document, or one id, where there should be several.
        ValueError: The counts differ.
    """
    texts = _counted(several("texts", texts), metadatas=metadatas, ids=ids)
    rows = zip(texts, metadatas or repeat({}), ids or repeat(None), strict=False)
    return _as(texts, (_row(text, metadata, key) for text, metadata, key in rows))


def rows_of_documents(documents: Iterable[Document], ids: Sequence[str | None] | None = None) -> Iterable[Row]:
    """Return rows of documents: a list of a sequence, else an iterator that takes documents as rows are taken.

    Args:
        documents: Documents; consumed once, and at once where ids are given. They stay as they are.
        ids: One for each document; where it is None, the document's own id, or else a new one.

    Raises:
        TypeError: One text or document, or one id, where there should be several.
        ValueError: The counts differ.
    """
    documents = _counted(several("documents", documents), ids=ids)
    rows = zip(documents, ids or repeat(None), strict=False)
    return _as(
        documents,
        (_row(one.page_content, one.metadata, one.id if key is None else key) for one, key in rows),
    )


def to_document(found: SearchHit | SparseDocument) -> Document:
    """Return a hit or a stored document as LangChain's document, with its id."""
    return Document(id=found.id, page_content=found.text or "", metadata=dict(found.metadata))


def to_scored_document(hit: SearchHit) -> Document:
    """Return a hit as LangChain's document, with its score under `_score` in the metadata."""
    return Document(id=hit.id, page_content=hit.text or "", metadata={**hit.metadata, SCORE_KEY: hit.score})


def _row(text: str, metadata: Mapping[str, Any], key: str | None) -> Row:
    return {"id": uuid4().hex if key is None else key, "text": text, "metadata": metadata}


def _as(source: Iterable[Any], rows: Iterator[Row]) -> Iterable[Row]:
    return list(rows) if isinstance(source, Sequence) else rows


def several(name: str, values: Iterable[T]) -> Iterable[T]:
    """Return what is several things; one text would pass for its letters.

    Raises:
        TypeError: It is one text or one document.
    """
    if isinstance(values, str | Document):
        raise TypeError(f"{name} takes several, got one {type(values).__name__}; put it into a list.")
    return values


def _counted(items: Iterable[T], **companions: Sequence[Any] | None) -> Iterable[T]:
    given = {name: values for name, values in companions.items() if values is not None}
    if not given:
        return items
    counted = list(items)
    for name, values in given.items():
        several(name, values)
        if len(values) != len(counted):
            raise ValueError(f"There are {len(counted)} documents and {len(values)} {name}; give one for each.")
    return counted
