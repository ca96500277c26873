import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse import SparseVector
from opensearch_neural_sparse.search.query import (
    hybrid_query,
    limit_tokens,
    match_query,
    neural_sparse_query,
    rank_feature_query,
)

WEIGHTS = st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.001, 1e6), min_size=1, max_size=5)


@settings(deadline=None)
@given(WEIGHTS)
def test_weights_and_boost_give_the_scores_that_were_asked_for(weights: dict[str, float]) -> None:
    body = neural_sparse_query("f", weights)["neural_sparse"]["f"]
    assert all(0 < weight <= 64 for weight in body["query_tokens"].values())
    boost = body.get("boost", 1.0)
    assert {token: weight * boost for token, weight in body["query_tokens"].items()} == weights


def test_boost_and_name_are_carried() -> None:
    assert neural_sparse_query("f", {"a": 128.0}, boost=3.0, name="leg") == {
        "neural_sparse": {"f": {"query_tokens": {"a": 64.0}, "boost": 6.0, "_name": "leg"}}
    }
    assert match_query("content", "words", name="leg") == {"match": {"content": {"query": "words", "_name": "leg"}}}


def test_rank_features_are_asked_for_without_dotted_tokens() -> None:
    body = rank_feature_query("f", {"a": 2.0, ".": 1.0, "##.": 1.0}, boost=2.0, name="leg")["bool"]
    assert body["should"] == [{"rank_feature": {"field": "f.a", "linear": {}, "boost": 2.0}}]
    assert (body["boost"], body["_name"]) == (2.0, "leg")
    assert rank_feature_query("f", {".": 1.0}) == {"match_none": {}}


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


@pytest.mark.parametrize("count", [0, 1, 6])
def test_hybrid_query_has_two_to_five_legs(count: int) -> None:
    with pytest.raises(ValueError, match=f"2 to 5 legs, got {count}"):
        hybrid_query([{"match_all": {}}] * count, pagination_depth=10)


def test_filter_is_in_every_leg() -> None:
    legs = [match_query("content", str(n)) for n in range(5)]
    clause = {"term": {"lang": "en"}}
    body = hybrid_query(legs, pagination_depth=7, clauses=[clause])["hybrid"]
    assert body["pagination_depth"] == 7
    assert body["queries"] == [{"bool": {"must": [leg], "filter": [clause]}} for leg in legs]
