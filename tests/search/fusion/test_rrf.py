from decimal import ROUND_HALF_UP, Decimal
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.search.fusion.rrf import fuse, rank_of, rrf_term

KEYS = st.integers(0, 40)
RANKINGS = st.lists(st.lists(KEYS, unique=True, max_size=25), min_size=1, max_size=5)
CONSTANTS = st.integers(1, 10_000)


def weights_of(rankings: list[list[int]], seeds: list[float]) -> list[float]:
    parts = seeds[: len(rankings)]
    return [part / sum(parts) for part in parts]


def reference(rankings: list[list[int]], constant: int, weights: list[float] | None) -> dict[int, float]:
    """The same by numpy's float32 and decimals, document by document."""
    scores = {}
    for key in {key for ranking in rankings for key in ranking}:
        score = np.float32(0)
        for leg, ranking in enumerate(rankings):
            if key in ranking:
                quotient = Decimal(1) / (constant + ranking.index(key) + 1)
                term = np.float32(float(quotient.quantize(Decimal("1e-10"), ROUND_HALF_UP)))
                score += term if weights is None else term * np.float32(weights[leg])
        scores[key] = float(score)
    return scores


@pytest.mark.parametrize(
    ("rank", "constant", "term"), [(1, 60, 0.016393442), (50, 60, 0.009090909), (1, 1, 0.5), (1, 10_000, 9.999e-05)]
)
def test_terms_are_those_of_a_server(rank: int, constant: int, term: float) -> None:
    assert rrf_term(rank, constant) == float(np.float32(term))


@given(st.integers(1, 30_000), CONSTANTS)
def test_rank_can_be_read_back_from_its_term(rank: int, constant: int) -> None:
    assert rank_of(rrf_term(rank, constant), constant) == rank


@pytest.mark.parametrize("term", [0.0, -1.0, 0.5, 0.0164, float("nan")])
def test_what_is_no_term_has_no_rank(term: float) -> None:
    assert rank_of(term, 60) is None


@given(RANKINGS, CONSTANTS, st.none() | st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
def test_scores_are_sums_of_weighted_terms_in_float32(
    rankings: list[list[int]], constant: int, seeds: list[float] | None
) -> None:
    weights = None if seeds is None else weights_of(rankings, seeds)
    assert dict(fuse(rankings, rank_constant=constant, weights=weights)) == reference(rankings, constant, weights)


@given(RANKINGS, CONSTANTS)
def test_everything_found_is_there_once_and_best_first(rankings: list[list[int]], constant: int) -> None:
    fused = fuse(rankings, rank_constant=constant)
    assert sorted(key for key, _ in fused) == sorted({key for ranking in rankings for key in ranking})
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)


@given(st.lists(KEYS, unique=True, max_size=30), st.integers(1, 5), CONSTANTS)
def test_legs_that_agree_are_not_reordered(ranking: list[int], legs: int, constant: int) -> None:
    assert [key for key, _ in fuse([ranking] * legs, rank_constant=constant)] == ranking


@given(RANKINGS, CONSTANTS)
def test_document_better_in_every_leg_is_never_below(rankings: list[list[int]], constant: int) -> None:
    place = {key: number for number, (key, _) in enumerate(fuse(rankings, rank_constant=constant))}
    ranks = {key: [r.index(key) if key in r else len(r) + 100 for r in rankings] for key in place}
    for one, other in permutations(place, 2):
        if all(a < b for a, b in zip(ranks[one], ranks[other], strict=True)):
            assert place[one] < place[other]


@given(RANKINGS, CONSTANTS)
def test_leg_of_no_weight_changes_no_score(rankings: list[list[int]], constant: int) -> None:
    weights = [1.0] + [0.0] * (len(rankings) - 1)
    scores = dict(fuse(rankings, rank_constant=constant, weights=weights))
    alone = dict(fuse(rankings[:1], rank_constant=constant))
    assert scores == {key: alone.get(key, 0.0) for key in scores}
