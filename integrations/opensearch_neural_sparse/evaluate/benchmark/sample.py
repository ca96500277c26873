"""Texts and queries to measure speed by: a collection's, those of files, or made up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.readers.formats import RefusedRow

MOST_QUERIES = 100
QUERY_WORDS, TEXT_WORDS = 6, 150
SHORTEST_WORD = 3
ZIPF_SHIFT = 10
"""Added to a word's rank: the most frequent are less frequent than by the plain law."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What is encoded, written and searched for.

    Attributes:
        origin: Where it is from.
        documents: Texts.
        queries: Queries.
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
        IndexSchemaError: A row is no document, or there is none.
    """
    texts = []
    for row in islice(rows, count):
        if isinstance(row, RefusedRow):
            raise IndexSchemaError(f"{row.place}: {row.reason}")
        texts.append(row.text or "")
    if not any(text.split() for text in texts):
        raise IndexSchemaError(f"{origin} has no document with a text.")
    return Sample(origin=origin, documents=texts, queries=draw_queries(texts))


def make_up(tokens: Sequence[str], count: int) -> Sample:
    """Return texts of the whole words of a vocabulary, the first as much more frequent as in a language."""
    chance = Random(0)  # noqa: S311  no secret, and the same each time
    words = [token for token in tokens if token.isalpha() and len(token) >= SHORTEST_WORD]
    shares = [1 / (rank + ZIPF_SHIFT) for rank in range(len(words))]
    texts = [" ".join(chance.choices(words, shares, k=TEXT_WORDS)) for _ in range(count)]
    return Sample(origin="made-up texts", documents=texts, queries=draw_queries(texts))


def draw_queries(texts: Sequence[str]) -> list[str]:
    """Return neighbouring words of texts drawn at random, the same each time."""
    chance = Random(1)  # noqa: S311  no secret, and the same each time
    filled = [words for text in texts if (words := text.split())]
    queries = []
    for words in chance.choices(filled, k=MOST_QUERIES):
        start = chance.randrange(max(1, len(words) - QUERY_WORDS))
        queries.append(" ".join(words[start : start + QUERY_WORDS]))
    return queries
