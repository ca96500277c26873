from typing import Any

import pytest

from opensearch_neural_sparse import UnsupportedServerError
from opensearch_neural_sparse.index.pipelines import rrf_pipeline
from opensearch_neural_sparse.server import ServerInfo

OLD, NEW = ServerInfo(version=(2, 19, 1)), ServerInfo(version=(3, 6, 0))


def combination(pipeline: dict[str, Any]) -> dict[str, Any]:
    (processor,) = pipeline["phase_results_processors"]
    found: dict[str, Any] = processor["score-ranker-processor"]["combination"]
    return found


def test_rank_constant_lies_where_each_line_reads_it() -> None:
    assert combination(rrf_pipeline(OLD, rank_constant=7)) == {"technique": "rrf", "parameters": {"rank_constant": 7}}
    assert combination(rrf_pipeline(NEW, rank_constant=7)) == {"technique": "rrf", "rank_constant": 7}


def test_weights_are_sent_as_floats() -> None:
    weights = combination(rrf_pipeline(NEW, weights=[1, 0]))["parameters"]["weights"]
    assert list(map(repr, weights)) == ["1.0", "0.0"]


def test_weights_need_a_server_that_knows_them() -> None:
    with pytest.raises(UnsupportedServerError, match=r"3\.1\.0 or later.*2\.19\.1"):
        rrf_pipeline(OLD, weights=[0.5, 0.5])


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.5, -0.5], [0.3, 0.3], [float("nan"), 1.0], []])
def test_weights_that_no_server_takes_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        rrf_pipeline(NEW, weights=weights)


@pytest.mark.parametrize("rank_constant", [0, -1, 10_001])
def test_rank_constant_out_of_range_is_refused(rank_constant: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 10000"):
        rrf_pipeline(NEW, rank_constant=rank_constant)


@pytest.mark.parametrize("rank_constant", [True, 1.5, "60"])
def test_rank_constant_that_is_no_integer_is_refused(rank_constant: Any) -> None:
    with pytest.raises(TypeError, match="integer"):
        rrf_pipeline(NEW, rank_constant=rank_constant)
