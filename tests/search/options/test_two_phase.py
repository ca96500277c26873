from typing import Any

import pytest

from opensearch_neural_sparse import PruneType, SparseVector, TwoPhase


def test_defaults_are_the_server_s() -> None:
    assert TwoPhase().pipeline() == {
        "request_processors": [
            {
                "neural_sparse_two_phase_processor": {
                    "enabled": True,
                    "two_phase_parameter": {
                        "prune_type": "max_ratio",
                        "prune_ratio": 0.4,
                        "expansion_rate": 5.0,
                        "max_window_size": 10_000,
                    },
                }
            }
        ]
    }


def test_split_loses_no_token() -> None:
    vector = SparseVector({"a": 10.0, "b": 4.0, "c": 3.9, "d": 0.1})
    heavy, light = TwoPhase().split(vector)
    assert (heavy, light) == ({"a": 10.0, "b": 4.0}, {"c": 3.9, "d": 0.1})


def test_window_grows_with_what_is_asked_for_up_to_its_limit() -> None:
    two_phase = TwoPhase(expansion_rate=2.5, max_window_size=50)
    assert [two_phase.window(size) for size in (1, 3, 20)] == [2, 7, 50]
    with pytest.raises(ValueError, match=r"21 hits with expansion_rate 2\.5 need a window of 52, above.* 50"):
        two_phase.window(21)


@pytest.mark.parametrize(
    "parameters",
    [
        {"prune_type": "none"},
        {"prune_type": "other"},
        {"prune_ratio": 1.0},
        {"prune_ratio": -0.1},
        {"prune_type": PruneType.TOP_K, "prune_ratio": 0.4},
        {"expansion_rate": 0.9},
        {"expansion_rate": float("nan")},
        {"max_window_size": 49},
    ],
)
def test_parameters_that_the_server_refuses_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        TwoPhase(**parameters)
