"""Split judged queries into two halves: one to choose on, one to report on."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import NamedTuple

FEWEST_QUERIES = 4


class Halves(NamedTuple):
    """Ids of the queries to choose on, and of those to report on."""

    chosen_on: tuple[str, ...]
    reported_on: tuple[str, ...]


def split_queries(judgements: Mapping[str, Mapping[str, int]], seed: int = 0) -> Halves:
    """Split queries into halves, each with as many queries of few and of many relevant documents as the other.

    Args:
        judgements: Query id -> document id -> relevance.
        seed: The same seed and queries give the same halves.

    Returns:
        Two halves without a common query; with an odd number of queries, the first has one more.

    Raises:
        ValueError: Fewer than four queries.
    """
    if len(judgements) < FEWEST_QUERIES:
        raise ValueError(
            f"Tuning needs at least {FEWEST_QUERIES} judged queries, two for each half, got {len(judgements)}. "
            "Judge more queries."
        )
    random = Random(seed)  # noqa: S311 (no secret)
    shuffled = sorted(judgements)
    random.shuffle(shuffled)
    shuffled.sort(key=lambda query: sum(value > 0 for value in judgements[query].values()))
    halves: tuple[list[str], list[str]] = ([], [])
    for start in range(0, len(shuffled), 2):
        pair = shuffled[start : start + 2]
        if len(pair) > 1 and random.random() < 0.5:
            pair.reverse()
        for half, query in zip(halves, pair, strict=False):
            half.append(query)
    return Halves(*map(tuple, halves))
