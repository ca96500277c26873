from __future__ import annotations

import pytest

from benchmarks.latency_model import fit, largest_error, left_out_error, modelled, predict


def test_points_on_a_line_are_fitted_and_predicted_exactly() -> None:
    points = [(10_000, 3.07), (100_000, 3.7), (1_000_000, 10.0)]
    model = fit(points)
    assert model == (pytest.approx(3.0), pytest.approx(7.0))
    assert predict(model, 10_000_000) == pytest.approx(73.0)
    assert largest_error(points, model) == pytest.approx(0.0, abs=1e-9)
    assert left_out_error(points) == pytest.approx(0.0, abs=1e-9)


def test_a_point_off_the_line_is_an_error() -> None:
    points = [(10_000, 3.0), (100_000, 3.0), (1_000_000, 6.0)]
    assert left_out_error(points) == pytest.approx(0.5)


def test_ways_that_were_not_measured_at_a_size_are_left_out_there() -> None:
    def size(documents: int, **latency: float) -> dict[str, object]:
        found = {way: {"p50_ms": value} for way, value in latency.items()}
        return {"documents": documents, "searched": {"all": {"latency": found}}}

    sizes = [
        size(1_000_000, exact=10.0, seismic=5.0),
        size(2_000_000, exact=17.0, seismic=6.0),
        size(3_000_000, exact=24.0),
    ]
    assert modelled(sizes, "exact", "p50", [10_000_000])["predicted_ms"] == {"10000000": 73.0}
    assert modelled(sizes, "seismic", "p50", [])["points"] == 2
