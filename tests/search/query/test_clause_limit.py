import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import SparseVector
from opensearch_neural_sparse.search.query.clause_limit import (
    FEWEST_SPARSE_TOKENS,
    MOST_CLAUSES,
    count_clauses,
    count_words,
    fit_legs,
    limit_tokens,
    limit_words,
    share_tokens,
    tokens_left_out,
)
from opensearch_neural_sparse.search.query.resolved_legs import (
    ResolvedBm25Leg,
    ResolvedDenseLeg,
    ResolvedLeg,
    ResolvedSparseLeg,
)

TERM = {"term": {"lang": "en"}}


def test_heaviest_tokens_are_kept_with_a_warning_of_counts_alone(caplog: pytest.LogCaptureFixture) -> None:
    vector = SparseVector({f"secret{n}": n + 1.0 for n in range(30)})
    with caplog.at_level(logging.WARNING):
        assert limit_tokens(vector, 30) is vector
        assert not caplog.records
        kept = limit_tokens(vector, 10)
    assert sorted(kept.values()) == [float(n) for n in range(21, 31)]
    assert [record.getMessage() for record in caplog.records] == [
        "The query has 30 tokens; the heaviest 10 are searched for."
    ]


@pytest.mark.parametrize(
    ("clauses", "count"),
    [
        ([], 0),
        ([TERM, {"terms": {"lang": ["a", "b"]}}], 2),
        ([{"bool": {"must": [TERM, TERM], "must_not": TERM, "filter": {"bool": {"should": [TERM] * 3}}}}], 6),
        ([{"nested": {"path": "p", "query": {"bool": {"filter": [TERM, TERM]}}}}], 2),
        ([{"match_all": {}}, {"constant_score": {"filter": TERM}}, {"bool": {}}], 3),
        ([{"match": {"query": {"query": "a field of this name"}}}], 5),
        ([{"match": {"content": "three more words"}}, {"match": {"n": 7}}, {"match": {"content": ""}}], 5),
        ([{"match_phrase": {"content": "words that stand together"}}], 1),
        ([{"bool": {"should": [{"multi_match": {"query": "two words", "fields": ["a", "b^2", "c"]}}]}}], 6),
        ([{"query_string": {"query": "any field"}}], 2),
    ],
)
def test_queries_that_hold_no_other_are_counted(clauses: list[dict[str, Any]], count: int) -> None:
    assert count_clauses(clauses) == count


@pytest.mark.parametrize(
    ("text", "words"), [("", 0), ("two words", 2), ("well-known café, isn't", 5), ("東京タワー", 5), ("ab東cd", 3)]
)
def test_words_are_counted_as_the_standard_analyzer_cuts_or_more(text: str, words: int) -> None:
    assert count_words(text) == words


def test_first_words_are_kept_with_a_warning_of_counts_alone(caplog: pytest.LogCaptureFixture) -> None:
    text = "secret " * 30
    assert limit_words(text, 30) is text
    with caplog.at_level(logging.WARNING):
        assert limit_words(text, 2) == "secret secret"
    assert [record.getMessage() for record in caplog.records] == [
        "The query has 30 words; the first 2 are searched for by BM25."
    ]


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=5), st.integers(-500, 2000))
def test_shares_are_fair_and_within_what_is_available(counts: list[int], available: int) -> None:
    limits = share_tokens(counts, available)
    assert all(limit <= count for limit, count in zip(limits, counts, strict=True))
    floor = sum(min(count, FEWEST_SPARSE_TOKENS) for count in counts)
    assert sum(limits) <= max(available, floor)
    if sum(counts) <= available:
        assert limits == counts
    cut = [limit for limit, count in zip(limits, counts, strict=True) if limit < count]
    assert all(limit <= max(cut) for limit in limits) if cut else True
    assert all(limit >= min(count, FEWEST_SPARSE_TOKENS) for limit, count in zip(limits, counts, strict=True))


@pytest.mark.parametrize("sparse_legs", [1, 2, 3])
@pytest.mark.parametrize("words", [0, 5, 3000])
@pytest.mark.parametrize("filters", [0, 3, 100])
def test_legs_and_filters_together_stay_within_the_limit(sparse_legs: int, words: int, filters: int) -> None:
    vector = SparseVector({f"t{n}": n + 1.0 for n in range(2000)})
    legs: list[ResolvedLeg] = [ResolvedSparseLeg(name=f"s{n}", field="f", vector=vector) for n in range(sparse_legs)]
    legs += [
        ResolvedBm25Leg(name="w", field="f", text="word " * words),
        ResolvedDenseLeg(name="d", field="e", vector=(1.0,)),
    ]
    fitted = fit_legs(legs, [TERM] * filters)
    tokens = [len(leg.vector) for leg in fitted if isinstance(leg, ResolvedSparseLeg)]
    kept_words = sum(count_words(leg.text) for leg in fitted if isinstance(leg, ResolvedBm25Leg))
    assert sum(tokens) + kept_words + 1 + filters * len(legs) <= MOST_CLAUSES
    assert max(tokens) - min(tokens) <= 1
    assert min(tokens) >= FEWEST_SPARSE_TOKENS
    assert kept_words >= min(words, 100)
    assert tokens_left_out(legs, fitted) == 2000 * sparse_legs - sum(tokens)


def test_legs_that_fit_stay_as_they_are() -> None:
    legs = [
        ResolvedSparseLeg(name="s", field="f", vector=SparseVector({"a": 1.0})),
        ResolvedBm25Leg(name="w", field="f", text="a b"),
    ]
    assert fit_legs(legs, [TERM]) == tuple(legs)
