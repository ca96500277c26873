"""Test the difference of two search methods for significance, and estimate its range, query by query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError

RESAMPLES = 9999
SEED = 0


def paired_p_value(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Compute the two-sided p-value of the mean difference of a metric.

    Args:
        one: Query id -> metric.
        other: Query id -> the same metric by another search method, for the same queries.

    Raises:
        ValueError: The queries differ, or there are fewer than two.
        MissingDependencyError: SciPy is not installed.
    """
    differences = paired_differences(one, other)
    if not any(differences):
        return 1.0
    try:
        import numpy as np
        from scipy.stats import permutation_test
    except ImportError:
        raise MissingDependencyError("scipy", "evaluate", "Testing differences for significance") from None

    def mean(sample: Any, axis: int) -> Any:
        return np.mean(sample, axis=axis)

    found = permutation_test(
        (differences,), mean, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES, batch=500, rng=SEED
    )
    return float(found.pvalue)


def paired_interval(one: Mapping[str, float], other: Mapping[str, float]) -> tuple[float, float]:
    """Compute the 95 % confidence interval of the mean difference of a metric, by a paired bootstrap.

    Args:
        one: Query id -> metric.
        other: Query id -> the same metric by another search method, for the same queries.

    Raises:
        ValueError: The queries differ, or there are fewer than two.
    """
    import numpy as np

    differences = np.array(paired_differences(one, other))
    drawn = np.random.default_rng(SEED).integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def paired_differences(one: Mapping[str, float], other: Mapping[str, float]) -> list[float]:
    """Return the difference of a metric for each query.

    Raises:
        ValueError: The queries differ, or there are fewer than two.
    """
    if one.keys() != other.keys() or len(one) < 2:
        raise ValueError(
            f"The test pairs the same two or more queries; got {len(one)} and {len(other)}. Give both the same ids."
        )
    return [value - other[query] for query, value in one.items()]
