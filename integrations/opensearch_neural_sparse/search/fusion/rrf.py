"""Reciprocal rank fusion of separate rankings, with the server's arithmetic."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Sequence
from typing import TypeVar

from opensearch_neural_sparse.search.options.fusion import DEFAULT_RANK_CONSTANT

Key = TypeVar("Key", bound=Hashable)
_SCALE = 10**10
"""Scale of the server's division: decimals of ten places, rounded half up, then float32."""


def rrf_term(rank: int, rank_constant: int = DEFAULT_RANK_CONSTANT) -> float:
    """Return the RRF score of a rank, from 1, as the server's float32."""
    divisor = rank_constant + rank
    return float32((2 * _SCALE + divisor) // (2 * divisor) / _SCALE)


def rank_of(term: float, rank_constant: int = DEFAULT_RANK_CONSTANT) -> int | None:
    """Return the rank with this `rrf_term`, or None."""
    if not term > 0:
        return None
    rank = round(1 / term) - rank_constant
    return rank if rank >= 1 and rrf_term(rank, rank_constant) == float32(term) else None


def fuse(
    rankings: Sequence[Sequence[Key]],
    *,
    rank_constant: int = DEFAULT_RANK_CONSTANT,
    weights: Sequence[float] | None = None,
) -> list[tuple[Key, float]]:
    """Fuse rankings as a server does with a single-shard index.

    Args:
        rankings: For each leg, what it found, best first.
        rank_constant: 1 to 10,000; the higher, the flatter.
        weights: One for each leg; None gives every leg 1.

    Returns:
        Everything that any leg found, with its score, best first; equal scores stand as the legs found them.
    """
    scores: dict[Key, float] = {}
    for leg, ranking in enumerate(rankings):
        for rank, key in enumerate(ranking, start=1):
            term = rrf_term(rank, rank_constant)
            if weights is not None:
                term = float32(term * float32(weights[leg]))
            scores[key] = float32(scores.get(key, 0.0) + term)
    return sorted(scores.items(), key=lambda entry: -entry[1])


def shortest(value: float) -> float:
    """Return the shortest decimal of a float32, as a server sends it."""
    return next(near for digits in range(1, 10) if float32(near := float(f"{value:.{digits}g}")) == value)


def float32(value: float) -> float:
    """Round a number to float32."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)
