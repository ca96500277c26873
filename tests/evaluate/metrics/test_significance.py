import sys

import pytest

from opensearch_neural_sparse import MissingDependencyError
from opensearch_neural_sparse.evaluate.metrics.significance import paired_p_value

QUERIES = [f"q{number}" for number in range(12)]


def test_the_same_difference_everywhere_is_not_chance() -> None:
    one, other = dict.fromkeys(QUERIES, 0.5), dict.fromkeys(QUERIES, 0.4)
    assert paired_p_value(one, other) == pytest.approx(2 / 2**12)  # two of all signs are as extreme


def test_differences_that_cancel_out_are_chance() -> None:
    one = {query: float(number % 2) for number, query in enumerate(QUERIES)}
    other = {query: 1.0 - value for query, value in one.items()}
    assert paired_p_value(one, other) == 1.0


def test_alike_is_alike() -> None:
    same = dict.fromkeys(QUERIES, 0.5)
    assert paired_p_value(same, dict(same)) == 1.0


@pytest.mark.parametrize("other", [{"q0": 1.0}, {"x": 1.0, "y": 2.0}])
def test_only_the_same_queries_are_paired(other) -> None:
    with pytest.raises(ValueError, match="the same two or more queries"):
        paired_p_value({"q0": 1.0, "q1": 0.5}, other)


def test_a_missing_scipy_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingDependencyError, match=r"\[evaluate\]"):
        paired_p_value({"a": 1.0, "b": 0.5}, {"a": 0.0, "b": 0.0})
