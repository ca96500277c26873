"""Halves of judged queries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.evaluate.tuning.settings.split import split_queries

JUDGEMENTS = st.dictionaries(
    st.text(min_size=1, max_size=4),
    st.dictionaries(st.text(min_size=1, max_size=2), st.integers(-1, 2), max_size=4),
    min_size=4,
    max_size=40,
)


@given(JUDGEMENTS, st.integers())
def test_each_query_is_in_one_half_and_the_halves_are_equally_large(judgements, seed: int) -> None:
    one, other = split_queries(judgements, seed)
    assert sorted([*one, *other]) == sorted(judgements)
    assert len(one) - len(other) in (0, 1)


@given(JUDGEMENTS, st.integers())
def test_the_seed_and_the_queries_alone_decide(judgements, seed: int) -> None:
    backwards = dict(reversed(judgements.items()))
    assert split_queries(judgements, seed) == split_queries(backwards, seed)


@given(JUDGEMENTS, st.integers())
def test_halves_have_as_many_queries_of_few_relevant_documents(judgements, seed: int) -> None:
    def few(half: tuple[str, ...], most: int) -> int:
        return sum(sum(value > 0 for value in judgements[query].values()) <= most for query in half)

    one, other = split_queries(judgements, seed)
    assert all(abs(few(one, most) - few(other, most)) <= 1 for most in range(5))


def test_another_seed_gives_other_halves() -> None:
    judgements = {str(number): {"d": 1} for number in range(20)}
    assert len({split_queries(judgements, seed) for seed in range(5)}) == 5


def test_too_few_queries_are_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 4 judged queries, two for each half, got 3\. Judge more"):
        split_queries({"a": {}, "b": {}, "c": {}})
