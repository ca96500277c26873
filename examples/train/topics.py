"""Batches of texts on one topic: each text is a hard negative of its neighbours, and none has to be encoded for that.

Queries of a doc-only model cost nothing in training either, so a text brings several along, and all of a batch's
queries are scored against all of its texts, by the teachers and by the student.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from examples.train.negatives import POOL
from examples.train.pairs import Pair
from examples.train.teachers import Scores, Teacher, fuse

if TYPE_CHECKING:
    from torch.utils.data import BatchSampler


@dataclass(frozen=True, kw_only=True)
class Topics:
    """How batches are made of pairs.

    Attributes:
        teachers: Their fused scores say which texts are alike, and are what the student learns.
        size: Texts a batch.
        queries: Queries a text; one with fewer repeats them.
        scale: What a fused score of 1 becomes, on the scale of the student's scores.
    """

    teachers: Sequence[Teacher]
    size: int
    queries: int
    scale: float


def make_batches(pairs: Sequence[Pair], topics: Topics, *, texts: int, seed: int) -> list[dict[str, Any]]:
    """Return `positive`, `query_1` and so on, and `label`, the scores [queries, size]; every `size` rows are a batch.

    The pairs' first `texts` texts are taken; what is left over of a pool, less than a batch, is not.
    """
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        asked[pair.positive].append(pair.query)
    taken = list(asked)[:texts]
    pools = (taken[start : start + POOL] for start in range(0, len(taken), POOL))
    batches = [batch for pool in pools for batch in _batches(pool, asked, topics)]
    random.Random(seed).shuffle(batches)
    return [row for batch in batches for row in batch]


def _batches(texts: Sequence[str], asked: dict[str, list[str]], topics: Topics) -> Iterator[list[dict[str, Any]]]:
    queries = [query for text in texts for query in islice(cycle(asked[text]), topics.queries)]
    scores = fuse([teacher.score(queries, texts) for teacher in topics.teachers])
    scores = scores.reshape(len(texts), topics.queries, len(texts))
    own = np.arange(len(texts))
    scores[own, :, own] = scores.max(axis=2)
    likeness = scores.mean(axis=1)
    for members in _neighbours(likeness + likeness.T, topics.size):
        labels = topics.scale * scores[members][:, :, members]
        yield [
            _row(texts[member], queries[member * topics.queries :][: topics.queries], label.tolist())
            for member, label in zip(members, labels, strict=True)
        ]


def _neighbours(likeness: Scores, size: int) -> Iterator[list[int]]:
    """Yield groups of a text and those most like it among the texts that are in no group yet."""
    free = np.ones(len(likeness), dtype=bool)
    for first in range(len(likeness)):
        if free[first] and free.sum() >= size:
            row = np.where(free, likeness[first], -np.inf)
            row[first] = np.inf
            members = np.argpartition(-row, size - 1)[:size]
            free[members] = False
            yield members.tolist()


def _row(text: str, queries: Sequence[str], label: list[list[float]]) -> dict[str, Any]:
    return {"positive": text, **{f"query_{rank}": query for rank, query in enumerate(queries, start=1)}, "label": label}


def in_order(dataset: Any, *, batch_size: int, drop_last: bool, **_: Any) -> BatchSampler:
    """Return the sampler of rows that are in batches already."""
    from torch.utils.data import BatchSampler, SequentialSampler

    return BatchSampler(SequentialSampler(dataset), batch_size, drop_last)
