import math

import pytest

from opensearch_neural_sparse.evaluate.metrics import mean_metrics

JUDGEMENTS = {"q1": {"d1": 1, "d2": 1}, "q2": {"d3": 1}}


def test_ndcg_agrees_with_its_definition() -> None:
    found = mean_metrics(JUDGEMENTS, {"q1": {"d1": 3.0, "x": 2.0, "d2": 1.0}, "q2": {"d3": 1.0}})
    first = (1 + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert found["nDCG@10"] == pytest.approx((first + 1) / 2)


def test_a_query_without_a_ranking_counts_as_zero() -> None:
    found = mean_metrics(JUDGEMENTS, {"q2": {"d3": 1.0}}, ["nDCG@10", "RR@10"])
    assert found == {"nDCG@10": 0.5, "RR@10": 0.5}
