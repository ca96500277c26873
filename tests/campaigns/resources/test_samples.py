"""A growth is seen, and noise is none."""

from __future__ import annotations

import pytest

from tests.campaigns.resources.samples import Sample, growths


def samples(per_step: float, noise: float = 0.0) -> list[Sample]:
    return [Sample(1000 * n, 100 + per_step * n + noise * (n % 2), 12, 30 + n) for n in range(40)]


def test_line_through_what_grows() -> None:
    memory, threads, descriptors = growths(samples(0.5))
    assert (memory.per_thousand, memory.total, memory.is_flat) == (0.5, 11.5, True)
    assert (threads.mean, threads.total, threads.is_flat) == (12, 0, True)
    assert not descriptors.is_flat


def test_memory_that_grows_further_is_not_flat_and_noise_is() -> None:
    assert not growths(samples(1.0))[0].is_flat
    assert growths(samples(0.0, noise=10))[0].is_flat


def test_what_grew_while_warming_up_counts_for_nothing() -> None:
    warm = [Sample(n, 50.0 * n if n < 8 else 400.0, 1, 1) for n in range(20)]
    assert [each.total for each in growths(warm)] == [0, 0, 0]


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="four samples"):
        growths(samples(1.0)[:5])
