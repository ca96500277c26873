"""Whether two ways of searching differ by more than chance: a paired randomisation test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError

RESAMPLES = 9999
SEED = 0


def paired_p_value(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return how probable a mean difference at least this large is if the two were alike, two-sided.

    Args:
        one: Query id -> metric.
        other: The same queries' metric by another way of searching.

    Raises:
        ValueError: Other queries, or fewer than two.
        MissingDependencyError: SciPy is not installed.
    """
    if one.keys() != other.keys() or len(one) < 2:
        raise ValueError(f"The test pairs the same two or more queries; got {len(one)} and {len(other)}.")
    differences = [value - other[query] for query, value in one.items()]
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
