"""Texts that look like an answer and are none, with what the teachers think of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.train.cross_encoder import CrossEncoderTeacher
from examples.train.pairs import Pair
from examples.train.teachers import Scores, Teacher, fuse

POOL = 2000
"""Pairs or texts that are scored together: a query's candidates come from among these, so the work grows linearly."""


@dataclass(frozen=True, kw_only=True)
class Mining:
    """How rows are made of pairs.

    Attributes:
        miners: Each proposes its `depth` best texts that are no answer of the query.
        teachers: Their fused scores are what the student learns.
        count: Negatives a query: those among the candidates that the teachers rank highest.
        depth: Candidates a miner.
        scale: What a score of 1 becomes, on the scale of the student's scores.
        cross_encoder: Its scores are learnt instead of the fused ones.
    """

    miners: Sequence[Teacher]
    teachers: Sequence[Teacher]
    count: int
    depth: int = 20
    scale: float = 10.0
    cross_encoder: CrossEncoderTeacher | None = None

    def score(self, queries: Sequence[str], documents: Sequence[str], candidates: NDArray[np.bool_]) -> Scores:
        """Return the scores that the student learns, minus infinity where there is no candidate."""
        if self.cross_encoder is not None:
            return self.cross_encoder.score_candidates(queries, documents, candidates)
        scores = (teacher.score(queries, documents) for teacher in self.teachers)
        return fuse([np.where(candidates, rows, -np.inf) for rows in scores])


def make_rows(pairs: Sequence[Pair], mining: Mining) -> list[dict[str, Any]]:
    """Return `query`, `positive`, `negative_1` and so on, and `label`: the scores of the positive and the negatives."""
    if not mining.count:
        return [pair._asdict() for pair in pairs]
    pools = (pairs[start : start + POOL] for start in range(0, len(pairs), POOL))
    return [row for pool in pools for row in _mine(pool, mining)]


def _mine(pairs: Sequence[Pair], mining: Mining) -> Iterator[dict[str, Any]]:
    documents = list(dict.fromkeys(pair.positive for pair in pairs))
    queries = [pair.query for pair in pairs]
    place = {text: number for number, text in enumerate(documents)}
    answers = _answers(pairs, place)
    candidates = np.zeros((len(pairs), len(documents)), dtype=bool)
    for miner in mining.miners:
        candidates |= _best(miner.score(queries, documents), answers, mining.depth)
    positives = [place[pair.positive] for pair in pairs]
    candidates[np.arange(len(pairs)), positives] = True
    learnt = mining.score(queries, documents, candidates)
    for pair, positive, scores in zip(pairs, positives, learnt, strict=True):
        yield from _row(pair, positive, scores, documents, mining)


def _answers(pairs: Sequence[Pair], place: dict[str, int]) -> list[list[int]]:
    """Return for each pair all texts of the pool that answer its query."""
    known: defaultdict[str, list[int]] = defaultdict(list)
    for pair in pairs:
        known[pair.query].append(place[pair.positive])
    return [known[pair.query] for pair in pairs]


def _best(scores: Scores, answers: Sequence[Sequence[int]], depth: int) -> Any:
    wrong = scores.copy()
    for row, right in zip(wrong, answers, strict=True):
        row[list(right)] = -np.inf
    depth = min(depth, wrong.shape[1])
    chosen = np.zeros(wrong.shape, dtype=bool)
    np.put_along_axis(chosen, np.argpartition(-wrong, depth - 1, axis=1)[:, :depth], values=True, axis=1)
    return chosen & np.isfinite(wrong)


def _row(
    pair: Pair, positive: int, scores: Scores, documents: Sequence[str], mining: Mining
) -> Iterator[dict[str, Any]]:
    """Yield the pair's row, or nothing where it has too few candidates."""
    right = scores[positive]
    scores[positive] = -np.inf
    chosen = np.argsort(-scores)[: mining.count]
    if len(chosen) == mining.count and np.isfinite(scores[chosen]).all():
        negatives = {f"negative_{rank}": documents[number] for rank, number in enumerate(chosen, start=1)}
        label = [mining.scale * float(score) for score in (right, *scores[chosen])]
        yield {**pair._asdict(), **negatives, "label": label}
