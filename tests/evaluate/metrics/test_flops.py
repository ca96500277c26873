import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import SparseVector
from opensearch_neural_sparse.evaluate.metrics.flops import average_flops, mean_tokens, quantile

VECTORS = st.lists(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 10), max_size=6).map(SparseVector),
    min_size=1,
    max_size=5,
)


@given(VECTORS, VECTORS)
def test_flops_are_the_tokens_that_a_query_and_a_document_share_on_average(queries, documents) -> None:
    shared = [len(set(query) & set(document)) for query in queries for document in documents]
    assert average_flops(queries, documents) == pytest.approx(sum(shared) / len(shared))


def test_nothing_costs_nothing() -> None:
    assert average_flops([], [SparseVector({"a": 1.0})]) == 0.0
    assert average_flops([SparseVector()], [SparseVector({"a": 1.0})]) == 0.0


def test_active_dimensions_are_counted_on_average() -> None:
    assert mean_tokens([SparseVector({"a": 1.0, "b": 1.0}), SparseVector()]) == 1.0


def test_quantiles_are_values_that_were_seen() -> None:
    values = list(range(100, 0, -1))
    assert [quantile(values, share) for share in (0.0, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert quantile([7.0], 0.99) == 7.0
