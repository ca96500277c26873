"""A model of search latency by number of documents, fitted to what `search_scaling` measured.

    python -m benchmarks.latency_model [RESULTS.jsonl] [DOCUMENTS ...]

Latency = base + slope x documents, for one shard, by least squares of relative errors. `fit_error` is the largest
relative error at a measured point, `left_out_error` the largest where each point is predicted from the others: that is
what a prediction between them may be wrong by. Beyond the largest measured number the model is an extrapolation, which
holds as long as the index fits into the page cache.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import print_report
from benchmarks.scaling_plot import sizes_of

RESULTS = Path(__file__).with_name("search_scaling.jsonl")
WAYS = ("exact", "two_phase", "seismic")
PREDICTED = (3_000_000, 10_000_000)
Point = tuple[int, float]


def fit(points: Sequence[Point]) -> tuple[float, float]:
    """Return base in milliseconds and slope in milliseconds a million documents."""
    counts, values = np.array([count / 1e6 for count, _ in points]), np.array([value for _, value in points])
    design = np.stack([np.ones(len(points)), counts], axis=1) / values[:, None]
    (base, slope), *_ = np.linalg.lstsq(design, np.ones(len(points)), rcond=None)
    return float(base), float(slope)


def predict(model: tuple[float, float], documents: int) -> float:
    """Return the latency in milliseconds."""
    base, slope = model
    return base + slope * documents / 1e6


def largest_error(points: Sequence[Point], model: tuple[float, float]) -> float:
    """Return the largest relative error at points."""
    return max(abs(predict(model, count) / value - 1) for count, value in points)


def left_out_error(points: Sequence[Point]) -> float:
    """Return the largest relative error at a point of a model fitted to the others."""
    return max(
        largest_error([point], fit([*points[:place], *points[place + 1 :]])) for place, point in enumerate(points)
    )


def modelled(sizes: Sequence[Mapping[str, Any]], way: str, quantile: str, predicted: Sequence[int]) -> dict[str, Any]:
    """Return the model of a way to search, its errors and predictions."""
    points = [
        (size["documents"], size["searched"]["all"]["latency"][way][f"{quantile}_ms"])
        for size in sizes
        if way in size["searched"]["all"]["latency"]
    ]
    model = fit(points)
    return {
        "base_ms": round(model[0], 2),
        "ms_a_million": round(model[1], 2),
        "points": len(points),
        "fit_error": round(largest_error(points, model), 2),
        "left_out_error": round(left_out_error(points), 2),
        "predicted_ms": {str(count): round(predict(model, count), 1) for count in predicted},
    }


def main(results: Path = RESULTS, predicted: Sequence[int] = PREDICTED) -> None:
    """Print the models."""
    sizes = sizes_of(results.read_text(encoding="utf-8").splitlines())
    found = {way: {each: modelled(sizes, way, each, predicted) for each in ("p50", "p99")} for way in WAYS}
    print_report(found)


if __name__ == "__main__":
    files = [Path(word) for word in sys.argv[1:] if not word.isdecimal()]
    main(files[0] if files else RESULTS, [int(word) for word in sys.argv[1:] if word.isdecimal()] or PREDICTED)
