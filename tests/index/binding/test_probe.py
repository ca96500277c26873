"""Recognition of a model by its weights for one fixed text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.index.binding.probe import PROBE, probe_difference, probe_of

VECTORS = st.dictionaries(st.text(min_size=1, max_size=5), st.floats(min_value=0.01, max_value=9.0), max_size=30)


@given(VECTORS)
def test_a_vector_is_like_its_own_probe(vector: dict[str, float]) -> None:
    assert probe_difference(probe_of(vector), vector) is None


@given(VECTORS, st.floats(min_value=0.99, max_value=1.01))
def test_small_differences_are_of_the_same_model(vector: dict[str, float], factor: float) -> None:
    assert probe_difference(probe_of(vector), {token: weight * factor for token, weight in vector.items()}) is None


@given(VECTORS.filter(bool), st.floats(min_value=1.05, max_value=3.0))
def test_larger_differences_are_of_another_model(vector: dict[str, float], factor: float) -> None:
    assert probe_difference(probe_of(vector), {token: weight * factor for token, weight in vector.items()}) is not None


def test_probe_is_the_ten_heaviest_tokens_to_four_digits() -> None:
    vector = {f"t{number:02}": 1.23456789 + number for number in range(12)}
    assert probe_of(vector) == {
        f"t{number:02}": round(1.23456789 + number, 3 if number < 9 else 2) for number in range(2, 12)
    }


@pytest.mark.parametrize(
    ("vector", "difference"),
    [
        ({"a": 2.0}, "its probe gives 'b' the weight 0, it was 1"),
        ({"a": 2.0, "b": 1.0, "c": 3.0}, "its probe has the token 'c' with weight 3, which it had not"),
    ],
)
def test_other_tokens_are_named(vector: dict[str, float], difference: str) -> None:
    assert probe_difference({"a": 2.0, "b": 1.0}, vector) == difference


def test_the_probe_stays_as_it_is() -> None:
    """Stamps hold its vector."""
    assert PROBE == "OpenSearch finds documents by the words of a query, and by words of related meaning."
