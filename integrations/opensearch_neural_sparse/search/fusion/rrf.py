"""Reciprocal rank fusion in the server's own arithmetic, for rankings that came one by one."""

from __future__ import annotations

import struct
from collections.abc import Hashable, Sequence
from typing import TypeVar

from opensearch_neural_sparse.search.options.fusion import DEFAULT_RANK_CONSTANT

Key = TypeVar("Key", bound=Hashable)
_SCALE = 10**10
"""The server divides in decimals of ten places and rounds half up, then goes on in float32."""


def rrf_term(rank: int, rank_constant: int = DEFAULT_RANK_CONSTANT) -> float:
    """Return what a rank, counted from 1, gives to the fused score: the very float32 that the server computes."""
    divisor = rank_constant + rank
    return float32((2 * _SCALE + divisor) // (2 * divisor) / _SCALE)


def rank_of(term: float, rank_constant: int = DEFAULT_RANK_CONSTANT) -> int | None:
    """Return the rank whose `rrf_term` a term is, or None where it is none."""
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
    """Fuse rankings as a server does that has the index in one shard.

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
    """Return a float32 as the number that its shortest decimal is, which is how a server sends it."""
    return next(near for digits in range(1, 10) if float32(near := float(f"{value:.{digits}g}")) == value)


def float32(value: float) -> float:
    """Return the float32 nearest to a number."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)
