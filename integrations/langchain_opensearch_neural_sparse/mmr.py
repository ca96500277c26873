"""Similarity of sparse vectors: cosine, and maximal marginal relevance."""

from __future__ import annotations

import math
from collections.abc import Sequence

from opensearch_neural_sparse import SparseVector
from opensearch_neural_sparse.layer_support import check_number


def cosine(one: SparseVector, other: SparseVector) -> float:
    """Return the cosine of two vectors, from 0 (no common token) to 1 (same direction)."""
    length = math.hypot(*one.values()) * math.hypot(*other.values())
    return min(1.0, one.dot(other) / length) if length else 0.0


def diverse(query: SparseVector, vectors: Sequence[SparseVector], *, k: int, lambda_mult: float) -> list[int]:
    """Select vectors in order by maximal marginal relevance: similar to the query, unlike those selected before.

    Args:
        query: The query.
        vectors: What to choose from.
        k: How many to take.
        lambda_mult: 1 goes by likeness to the query alone, 0 by difference alone.

    Raises:
        ValueError: `lambda_mult` lies outside 0 to 1.
    """
    check_number(lambda_mult=lambda_mult)
    if not 0 <= lambda_mult <= 1:
        raise ValueError(f"lambda_mult lies between 0 and 1, got {lambda_mult!r}.")
    relevance = [cosine(query, vector) for vector in vectors]
    likeness = [0.0] * len(vectors)
    chosen: list[int] = []
    left = list(range(len(vectors)))
    while left and len(chosen) < k:
        best = max(left, key=lambda place: lambda_mult * relevance[place] - (1 - lambda_mult) * likeness[place])
        left.remove(best)
        chosen.append(best)
        for place in left:
            likeness[place] = max(likeness[place], cosine(vectors[best], vectors[place]))
    return chosen
