from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import SparseVector
from opensearch_neural_sparse.evaluate.experiments.exact_search import ExactRanker

VECTORS = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 10), max_size=6).map(SparseVector)


@given(st.dictionaries(st.sampled_from(["d1", "d2", "d3", "d4"]), VECTORS), VECTORS)
def test_scores_are_dot_products_and_best_come_first(vectors, query) -> None:
    ranking = ExactRanker(vectors).rank(query, size=10)
    expected = {document: query.dot(vector) for document, vector in vectors.items() if query.dot(vector) > 0}
    assert ranking.keys() == expected.keys()
    assert all(abs(ranking[document] - score) < 1e-9 for document, score in expected.items())
    assert list(ranking.values()) == sorted(ranking.values(), reverse=True)


def test_equal_scores_are_ordered_by_id_and_size_is_kept() -> None:
    vectors = {name: SparseVector({"a": 1.0}) for name in ("d3", "d1", "d2")}
    assert list(ExactRanker(vectors).rank(SparseVector({"a": 2.0}), size=2)) == ["d1", "d2"]
