import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.search.query.clauses import (
    hybrid_query,
    knn_query,
    match_query,
    neural_sparse_query,
    rank_feature_query,
)

WEIGHTS = st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.001, 1e6), min_size=1, max_size=5)


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


@pytest.mark.parametrize("count", [0, 1, 6])
def test_hybrid_query_has_two_to_five_legs(count: int) -> None:
    with pytest.raises(ValueError, match=f"2 to 5 legs, got {count}"):
        hybrid_query([{"match_all": {}}] * count, pagination_depth=10)


def test_nearest_are_looked_for_among_what_the_filter_lets_through() -> None:
    clause = {"term": {"lang": "en"}}
    assert knn_query("e", (0.5, 1.0), k=7, clauses=[clause], name="leg") == {
        "knn": {"e": {"vector": [0.5, 1.0], "k": 7, "filter": {"bool": {"filter": [clause]}}, "_name": "leg"}}
    }
