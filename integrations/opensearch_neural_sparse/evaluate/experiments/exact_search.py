"""Exact ranking of sparse vectors without a server, to check a server's ranking against."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping

from opensearch_neural_sparse.encode.sparse_vector import SparseVector

Ranking = dict[str, float]
"""Document id -> score, best first."""


class ExactRanker:
    """All documents' vectors as an inverted index in memory; scores are dot products.

    Args:
        vectors: Document id -> vector.
    """

    def __init__(self, vectors: Mapping[str, SparseVector]) -> None:
        self._postings: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for document, vector in vectors.items():
            for token, weight in vector.items():
                self._postings[token].append((document, weight))

    def rank(self, query: SparseVector, size: int) -> Ranking:
        """Return the `size` best documents, equal scores by document id."""
        scores: defaultdict[str, float] = defaultdict(float)
        for token, query_weight in query.items():
            for document, weight in self._postings.get(token, ()):
                scores[document] += query_weight * weight
        best = heapq.nsmallest(size, scores.items(), key=lambda entry: (-entry[1], entry[0]))
        return dict(best)
