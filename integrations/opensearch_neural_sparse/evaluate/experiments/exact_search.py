"""Rank sparse vectors exactly, without a server, as a reference for a server's ranking."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping

from opensearch_neural_sparse.encode.sparse_vector import SparseVector

Ranking = dict[str, float]
"""Document ids with their scores, best first."""


class ExactRanker:
    """Ranks documents by dot products over an inverted index in memory.

    Args:
        vectors: Document id -> vector.
    """

    def __init__(self, vectors: Mapping[str, SparseVector]) -> None:
        self._postings: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
        for document, vector in vectors.items():
            for token, weight in vector.items():
                self._postings[token].append((document, weight))

    def rank(self, query: SparseVector, size: int) -> Ranking:
        """Rank the `size` best documents, equal scores by document id."""
        scores: defaultdict[str, float] = defaultdict(float)
        for token, query_weight in query.items():
            for document, weight in self._postings.get(token, ()):
                scores[document] += query_weight * weight
        best = heapq.nsmallest(size, scores.items(), key=lambda entry: (-entry[1], entry[0]))
        return dict(best)
