"""Rank documents by sparse vectors in this process, with the weights and the ties of `rank_features`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.search.options.two_phase import TwoPhase

Positions = NDArray[np.int64]
Scores = NDArray[np.float32]
_DROPPED_BITS = 15
"""Bits of a float32 that `rank_features` does not store."""


@dataclass(frozen=True, kw_only=True)
class RankedHits:
    """Hits of a leg for a query, best first.

    Attributes:
        documents: Positions of the documents in the collection.
        scores: Their scores.
    """

    documents: Positions
    scores: Scores

    @classmethod
    def of(cls, documents: Iterable[int], scores: Iterable[float]) -> RankedHits:
        """Make arrays of positions and scores."""
        return cls(documents=np.array([*documents], np.int64), scores=np.array([*scores], np.float32))


class SparseRanker:
    """Ranks documents as a `rank_features` field of one shard does: equal scores stand in the order of writing.

    Args:
        vectors: The vectors of the documents, in the order of writing.
    """

    def __init__(self, vectors: Sequence[SparseVector]) -> None:
        postings: defaultdict[str, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for position, vector in enumerate(vectors):
            for token, weight in vector.items():
                positions, weights = postings[token]
                positions.append(position)
                weights.append(weight)
        self._count = len(vectors)
        self._postings = {token: (np.array(at, np.int64), _stored(of)) for token, (at, of) in postings.items()}

    def rank(self, query: SparseVector, size: int, two_phase: TwoPhase | None = None) -> RankedHits:
        """Rank the `size` best documents.

        Args:
            query: Token weights of the query.
            size: Most documents.
            two_phase: Heavy tokens find documents, and light ones refine the scores of a window; None is one phase.
        """
        heavy, light = (query, SparseVector({})) if two_phase is None else two_phase.split(query)
        if two_phase is None or not heavy or not light:
            scores, found = self._score(query)
            return _best(scores, found, size)
        first = _best(*self._score(heavy), two_phase.window(size))
        scores = np.zeros(self._count)
        scores[first.documents] = first.scores + self._score(light)[0][first.documents]
        return _best(scores, np.sort(first.documents), size)

    def _score(self, query: SparseVector) -> tuple[NDArray[np.float64], Positions]:
        """Return the score of each document, and the positions of those that match."""
        scores, matched = np.zeros(self._count), np.zeros(self._count, np.bool_)
        for token, weight in query.items():
            if token in self._postings:
                positions, weights = self._postings[token]
                scores[positions] += np.float32(weight) * weights
                matched[positions] = True
        return scores, np.flatnonzero(matched)


def _stored(weights: Sequence[float]) -> Scores:
    bits = np.array(weights, np.float32).view(np.uint32)
    return (bits >> _DROPPED_BITS << _DROPPED_BITS).view(np.float32)


def _best(scores: NDArray[np.float64], found: Positions, size: int) -> RankedHits:
    scored = scores[found].astype(np.float32)
    order = np.argsort(-scored, kind="stable")[:size]
    return RankedHits(documents=found[order], scores=scored[order])
