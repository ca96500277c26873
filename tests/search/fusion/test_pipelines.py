from typing import Any

import pytest

from opensearch_neural_sparse import Bound, BoundMode, Combination, Normalization, UnsupportedServerError
from opensearch_neural_sparse.search.fusion.pipelines import normalization_pipeline, rrf_pipeline
from opensearch_neural_sparse.server_info import ServerInfo

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


def test_weights_take_another_way_on_a_server_that_does_not_know_them() -> None:
    (processor,) = rrf_pipeline(OLD, weights=[0.25, 0.75])["phase_results_processors"]
    assert processor["normalization-processor"] == {
        "normalization": {"technique": "rrf"},
        "combination": {"technique": "arithmetic_mean", "parameters": {"weights": [0.25, 0.75]}},
    }


@pytest.mark.parametrize(("weights", "rank_constant"), [([0.5, 0.5], 61), ([0.5, 0.505], 60)])
def test_weights_that_this_way_would_get_wrong_are_refused(weights: list[float], rank_constant: int) -> None:
    with pytest.raises(UnsupportedServerError, match=r"3\.1\.0 or later.*2\.19\.1.*fusion='client'"):
        rrf_pipeline(OLD, weights=weights, rank_constant=rank_constant)


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


def test_normalisation_is_spelled_as_the_server_reads_it() -> None:
    pipeline = normalization_pipeline(
        NEW,
        normalization=Normalization.MIN_MAX,
        combination=Combination.HARMONIC_MEAN,
        weights=[0, 1],
        lower_bounds=[Bound(mode=BoundMode.APPLY, score=1), Bound(mode=BoundMode.IGNORE)],
        upper_bounds=[Bound(mode=BoundMode.IGNORE), Bound(mode=BoundMode.CLIP, score=2)],
    )
    assert pipeline["phase_results_processors"][0]["normalization-processor"] == {
        "normalization": {
            "technique": "min_max",
            "parameters": {
                "lower_bounds": [{"mode": "apply", "min_score": 1.0}, {"mode": "ignore"}],
                "upper_bounds": [{"mode": "ignore"}, {"mode": "clip", "max_score": 2.0}],
            },
        },
        "combination": {"technique": "harmonic_mean", "parameters": {"weights": [0.0, 1.0]}},
    }


@pytest.mark.parametrize(
    ("arguments", "version"),
    [
        ({"normalization": Normalization.Z_SCORE}, r"3\.0\.0"),
        ({"normalization": Normalization.MIN_MAX, "lower_bounds": [Bound(mode=BoundMode.IGNORE)]}, r"3\.0\.0"),
        ({"normalization": Normalization.MIN_MAX, "upper_bounds": [Bound(mode=BoundMode.IGNORE)]}, r"3\.2\.0"),
    ],
)
def test_normalisation_that_a_server_lacks_or_ignores_is_refused(arguments: dict[str, Any], version: str) -> None:
    with pytest.raises(UnsupportedServerError, match=version):
        normalization_pipeline(OLD, **arguments)
    assert normalization_pipeline(NEW, **arguments)


@pytest.mark.parametrize(("mode", "score"), [("apply", None), ("clip", None), ("ignore", 0.5)])
def test_bound_has_a_score_unless_it_is_none(mode: BoundMode, score: float | None) -> None:
    with pytest.raises(ValueError, match="ignore"):
        Bound(mode=mode, score=score)
