"""Fuse the hits of legs with many weights at once, with the server's arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from opensearch_neural_sparse.evaluate.tuning.scores.sparse_ranking import Positions, RankedHits, Scores
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import FusionSetting
from opensearch_neural_sparse.search.fusion.rrf import rrf_term
from opensearch_neural_sparse.search.options.fusion import Combination, Normalization

LEAST_SCORE = np.float32(0.001)
"""Normalised score that the server gives a hit in place of zero or less."""


def fuse_hits(
    legs: Sequence[RankedHits], fusions: Sequence[FusionSetting], size: int, *, by_server: bool = False
) -> list[Positions]:
    """Return the best documents by each fusion.

    Args:
        legs: What each leg found for one query.
        fusions: Fusions that differ in their weights alone.
        size: Most documents of each.
        by_server: Whether equal scores stand as a server has them, with documents numbered in the order of writing;
            else as the legs found them.
    """
    documents, matrix = score_matrix(legs, fusions[0])
    if by_server:
        order = np.argsort(_buckets(documents), kind="stable")
        documents, matrix = documents[order], matrix[:, order]
    weights = np.array([fusion.weights or (1.0,) * len(legs) for fusion in fusions], np.float32)
    by_rank = fusions[0].normalization is None
    fused = add_ranks(matrix, weights) if by_rank else combine(matrix, weights, fusions[0].combination)
    order = np.argsort(-fused, axis=1, kind="stable")[:, :size]
    return list(documents[order])


def score_matrix(legs: Sequence[RankedHits], fusion: FusionSetting) -> tuple[Positions, Scores]:
    """Return the documents that any leg found, and a row of normalised scores for each leg; zero where it found none.

    Args:
        legs: What each leg found for one query.
        fusion: The fusion; its weights have no effect.
    """
    places: dict[int, int] = {}
    for leg in legs:
        for document in leg.documents.tolist():
            places.setdefault(document, len(places))
    matrix = np.zeros((len(legs), len(places)), np.float32)
    for row, leg in zip(matrix, legs, strict=True):
        row[[places[document] for document in leg.documents.tolist()]] = _terms(leg.scores, fusion)
    return np.array(list(places), np.int64), matrix


def _buckets(documents: Positions) -> Positions:
    """Return the place of each document in the server's hash table of them, which ranks equal scores."""
    capacity = 16
    while len(documents) > 0.75 * capacity:
        capacity *= 2
    return (documents ^ documents >> 16) & (capacity - 1)


def add_ranks(matrix: Scores, weights: Scores) -> Scores:
    """Add the weighted terms of reciprocal ranks in the order of the legs, as float32.

    Args:
        matrix: Terms, a row for each leg.
        weights: A row of weights for each fusion.
    """
    fused = np.zeros((len(weights), matrix.shape[1]), np.float32)
    for leg, terms in enumerate(matrix):
        fused += weights[:, leg : leg + 1] * terms
    return fused


def combine(matrix: Scores, weights: Scores, combination: Combination) -> Scores:
    """Return a mean of normalised scores for each row of weights.

    The arithmetic mean counts a leg that did not find a document as zero; the others leave it out.

    Args:
        matrix: Normalised scores, a row for each leg.
        weights: A row of weights for each fusion.
        combination: Which mean.
    """
    if combination is Combination.ARITHMETIC_MEAN:
        mean: Scores = add_ranks(matrix, weights) / weights.sum(axis=1, keepdims=True)
        return mean
    found = matrix > 0
    present = weights @ found.astype(np.float32)
    safe = np.where(found, matrix, np.float32(1))
    if combination is Combination.GEOMETRIC_MEAN:
        return _divided(weights @ np.log(safe), present, np.exp)
    inverse = weights @ np.where(found, 1 / safe, np.float32(0))
    return np.where(inverse > 0, present / np.where(inverse > 0, inverse, 1), 0).astype(np.float32)


def _divided(sums: Scores, present: Scores, then: np.ufunc) -> Scores:
    known = present > 0
    return np.where(known, then(sums / np.where(known, present, 1)), 0).astype(np.float32)


def _terms(scores: Scores, fusion: FusionSetting) -> Scores:
    if not len(scores):
        return scores
    if fusion.normalization is None:
        return _rank_terms(len(scores), fusion.rank_constant)
    return _NORMALIZATIONS[fusion.normalization](scores)


@cache
def _rank_terms(count: int, rank_constant: int) -> Scores:
    return np.array([rrf_term(rank, rank_constant) for rank in range(1, count + 1)], np.float32)


def _min_max(scores: Scores) -> Scores:
    low, high = scores.min(), scores.max()
    if low == high:
        return np.ones_like(scores)
    scaled = (scores - low) / (high - low)
    return np.where(scaled == 0, LEAST_SCORE, scaled)


def _l2(scores: Scores) -> Scores:
    length = np.sqrt(np.square(scores).sum(dtype=np.float32))
    return scores / length if length else np.zeros_like(scores)


def _z_score(scores: Scores) -> Scores:
    mean = np.float32(scores.mean(dtype=np.float64))
    deviation = np.float32(scores.std(ddof=1, dtype=np.float64)) if len(scores) > 1 else np.float32(0)
    scaled = (scores - mean) / deviation if deviation else np.full_like(scores, scores.min())
    scaled = np.where(scaled <= 0, LEAST_SCORE, scaled)
    return np.where(scores == mean, scores.max(), scaled).astype(np.float32)


_NORMALIZATIONS = {Normalization.MIN_MAX: _min_max, Normalization.L2: _l2, Normalization.Z_SCORE: _z_score}


def discounted_gains(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the discounted cumulative gain of each row of gains, best document first."""
    found: NDArray[np.float64] = gains @ (1 / np.log2(np.arange(2, gains.shape[-1] + 2)))
    return found
