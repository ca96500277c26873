"""Estimate the cost of a search from its sparse vectors alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil
from statistics import fmean

from opensearch_neural_sparse.encode.sparse_vector import SparseVector


def average_flops(queries: Sequence[SparseVector], documents: Sequence[SparseVector]) -> float:
    """Return the expected number of multiplications between a query and a document, as the SPLADE papers define it.

    It is the sum over tokens of the share of queries times the share of documents that have the token.
    """
    if not queries or not documents:
        return 0.0
    in_queries, in_documents = _counts(queries), _counts(documents)
    products = sum(count * in_documents[token] for token, count in in_queries.items())
    return products / (len(queries) * len(documents))


def mean_tokens(vectors: Iterable[SparseVector]) -> float:
    """Return the mean number of tokens of a vector."""
    return fmean(map(len, vectors))


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least a share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _counts(vectors: Sequence[SparseVector]) -> Counter[str]:
    return Counter(token for vector in vectors for token in vector)
