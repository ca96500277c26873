import math
import warnings

import ir_measures
import pytest

from opensearch_neural_sparse.evaluate.metrics.relevance import mean_metrics, query_metrics

JUDGEMENTS = {"q1": {"d1": 1, "d2": 1}, "q2": {"d3": 1}}


def test_ndcg_agrees_with_its_definition() -> None:
    found = mean_metrics(JUDGEMENTS, {"q1": {"d1": 3.0, "x": 2.0, "d2": 1.0}, "q2": {"d3": 1.0}})
    first = (1 + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert found["nDCG@10"] == pytest.approx((first + 1) / 2)


def test_a_query_without_a_ranking_counts_as_zero() -> None:
    found = mean_metrics(JUDGEMENTS, {"q2": {"d3": 1.0}}, ["nDCG@10", "RR@10"])
    assert found == {"nDCG@10": 0.5, "RR@10": 0.5}


@pytest.mark.parametrize("served", [["d1", "d2", "x"], ["d2", "d1", "x"], ["x", "d1", "d2"], ["x", "d2", "d1"]])
def test_equal_scores_count_in_the_order_they_were_served(served: list[str]) -> None:
    ranks = {"q1": {"d1": 1}}
    rank = served.index("d1") + 1
    for ranking in (served, dict.fromkeys(served, 0.5)):
        assert query_metrics(ranks, {"q1": ranking}, ["RR@10"]) == {"q1": {"RR@10": pytest.approx(1 / rank)}}


def test_the_order_counts_whatever_the_scores_are() -> None:
    found = mean_metrics(JUDGEMENTS, {"q1": {"x": 1.0, "d1": 2.0}, "q2": {"d3": -1.0, "x": 5.0}}, ["RR@10"])
    assert found == {"RR@10": pytest.approx((1 / 2 + 1) / 2)}


@pytest.mark.parametrize("name", ["nDCG@10", "R@100", "RR@10", "AP@100", "AP"])
def test_metrics_are_those_that_ir_measures_reads_from_their_names(name: str) -> None:
    ranking = {"q1": ["x", "d1", *map(str, range(99)), "d2"], "q2": ["d3"]}
    scored = {query: {document: -rank for rank, document in enumerate(found)} for query, found in ranking.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its parser uses what Python 3.14 no longer has
        measure = ir_measures.parse_measure(name)
    expected = ir_measures.calc_aggregate([measure], JUDGEMENTS, scored)[measure]
    assert mean_metrics(JUDGEMENTS, ranking, [name]) == {name: pytest.approx(expected)}


@pytest.mark.parametrize("name", ["nDGC@10", "nDCG@ten", "nDCG@-1"])
def test_unknown_metric_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"Unknown metric '{name}'"):
        mean_metrics(JUDGEMENTS, {}, [name])
