"""Sample texts and queries for a benchmark from a collection, from files, or from a vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow

MOST_QUERIES = 100
QUERY_WORDS, TEXT_WORDS = 6, 150
SHORTEST_WORD = 3
ZIPF_SHIFT = 10
"""Shift of the rank in Zipf's law (Mandelbrot), which flattens the most frequent words."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Texts and queries of a benchmark.

    Attributes:
        origin: Source of the texts.
        documents: Texts to encode and write.
        queries: Texts to search for.
    """

    origin: str
    documents: Sequence[str] = field(repr=False)
    queries: Sequence[str] = field(repr=False)


def sample_collection(collection: Collection, count: int) -> Sample:
    """Return the first documents and queries of a judged collection."""
    queries = list(islice(collection.queries.values(), MOST_QUERIES))
    return Sample(origin=collection.name, documents=list(islice(collection.documents.values(), count)), queries=queries)


def sample_rows(rows: Iterable[SparseDocument | RefusedRow], count: int, *, origin: str) -> Sample:
    """Return the first documents of files, and queries drawn from them.

    Raises:
        IndexSchemaError: A row is no document, or no document has a text.
    """
    texts = []
    for row in islice(rows, count):
        if isinstance(row, RefusedRow):
            raise IndexSchemaError(f"{row.place}: {row.reason}")
        texts.append(row.text or "")
    if not any(text.split() for text in texts):
        raise IndexSchemaError(f"{origin} has no document with a text. Give files with texts in their rows.")
    return Sample(origin=origin, documents=texts, queries=draw_queries(texts))


def make_up(tokens: Sequence[str], count: int) -> Sample:
    """Generate texts from the whole words of a vocabulary, by Zipf's law in its order."""
    chance = Random(0)  # noqa: S311  no secret, and the same each time
    words = [token for token in tokens if token.isalpha() and len(token) >= SHORTEST_WORD]
    shares = [1 / (rank + ZIPF_SHIFT) for rank in range(len(words))]
    texts = [" ".join(chance.choices(words, shares, k=TEXT_WORDS)) for _ in range(count)]
    return Sample(origin="made-up texts", documents=texts, queries=draw_queries(texts))


def draw_queries(texts: Sequence[str]) -> list[str]:
    """Draw queries of neighbouring words from random texts, reproducibly."""
    chance = Random(1)  # noqa: S311  no secret, and the same each time
    filled = [words for text in texts if (words := text.split())]
    queries = []
    for words in chance.choices(filled, k=MOST_QUERIES):
        start = chance.randrange(max(1, len(words) - QUERY_WORDS))
        queries.append(" ".join(words[start : start + QUERY_WORDS]))
    return queries
