"""What the benchmarks share: interleaved timing, ratios with their uncertainty, and one JSON line at the end."""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "opensearch-neural-sparse",
    "tokenizers",
    "sentence-transformers",
    "transformers",
    "torch",
    "onnxruntime",
    "numpy",
)
RESAMPLES = 2000


def time_interleaved(candidates: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Run every candidate once a round, in an order drawn anew each round; return seconds by name."""
    chance = random.Random(0)
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name in chance.sample(list(candidates), len(candidates)):
            seconds[name].append(time_call(candidates[name]))
    return seconds


def time_call(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes, without garbage collection."""
    gc.collect(0)
    gc.disable()
    try:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    finally:
        gc.enable()


def ratio_of_medians(baseline: Sequence[float], own: Sequence[float], prefix: str = "ratio") -> dict[str, float]:
    """Return how many times faster `own` is, with the 95 % interval of a bootstrap over the measurements."""
    chance = random.Random(0)
    ratios = sorted(
        statistics.median(chance.choices(baseline, k=len(baseline)))
        / statistics.median(chance.choices(own, k=len(own)))
        for _ in range(RESAMPLES)
    )
    ratio = statistics.median(baseline) / statistics.median(own)
    low, high = ratios[int(0.025 * RESAMPLES)], ratios[int(0.975 * RESAMPLES)]
    return {prefix: round(ratio, 2), f"{prefix}_low": round(low, 2), f"{prefix}_high": round(high, 2)}


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def environment() -> dict[str, Any]:
    """Return the CPU, its cores and the versions of what was measured."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def print_report(results: Mapping[str, Any]) -> None:
    """Print the results as one JSON line, the environment with them."""
    print(json.dumps({**results, **environment()}), flush=True)


def note(text: str) -> None:
    """Tell whoever watches; standard output is for the report."""
    print(text, file=sys.stderr, flush=True)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
