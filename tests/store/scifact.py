"""Beginnings of real scientific texts with vectors of the bundled model, and real questions about them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cache

import pytest

from opensearch_neural_sparse import SparseDocument, SparseVector, load_document_encoder
from opensearch_neural_sparse.evaluate.datasets.beir import read_collection
from tests.paths import DATA, SMALL_MODEL

FOLDER = DATA / "scifact"
DOCUMENTS, QUERIES, TOKENS = 120, 300, 32
needed = pytest.mark.skipif(not FOLDER.is_dir(), reason="the collection scifact is not at hand")


@dataclass(frozen=True)
class Sample:
    """Documents, and the texts of queries."""

    documents: tuple[SparseDocument, ...]
    queries: tuple[str, ...]


@cache
def sample() -> Sample:
    """Encode the documents, once in a test session; the first tokens of each, so that it takes seconds."""
    collection = read_collection(FOLDER)
    texts = dict(list(collection.documents.items())[:DOCUMENTS])
    short = [" ".join(text.split()[: TOKENS // 2]) for text in texts.values()]
    with closing(load_document_encoder(SMALL_MODEL, max_length=TOKENS)) as encoder:
        vectors: list[SparseVector] = encoder.encode_documents(short)
    rows = zip(texts, short, vectors, strict=True)
    documents = tuple(SparseDocument(id=key, text=text, vector=vector) for key, text, vector in rows)
    return Sample(documents, tuple(list(collection.queries.values())[:QUERIES]))
