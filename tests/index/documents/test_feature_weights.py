import json
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.encode.sparse_vector import LARGEST_WEIGHT, SMALLEST_WEIGHT, SparseVector
from opensearch_neural_sparse.index.documents.feature_weights import (
    decode_weight,
    encode_weight,
    shorten,
    shortest_weight,
    stored_weight,
)

WEIGHTS = st.floats(SMALLEST_WEIGHT, LARGEST_WEIGHT) | st.floats(0.001, 100)


def float_to_int_bits(weight: float) -> int:
    return int(struct.unpack(">i", struct.pack(">f", weight))[0])


@given(WEIGHTS)
def test_code_is_the_float_s_upper_bits(weight: float) -> None:
    assert encode_weight(weight) == float_to_int_bits(weight) >> 15


@given(WEIGHTS)
def test_stored_weight_is_below_by_less_than_one_in_256(weight: float) -> None:
    whole = struct.unpack(">f", struct.pack(">f", weight))[0]
    assert 0 <= (whole - stored_weight(weight)) / whole < 2**-8


@given(WEIGHTS)
def test_shortest_weight_is_stored_alike(weight: float) -> None:
    assert encode_weight(shortest_weight(weight)) == encode_weight(weight)


@given(WEIGHTS)
def test_shortest_weight_has_at_most_four_digits(weight: float) -> None:
    digits = repr(shortest_weight(weight)).split("e")[0].replace(".", "").strip("0")
    assert len(digits) <= 4


@given(WEIGHTS)
def test_shortest_weight_is_its_own_shortest(weight: float) -> None:
    assert shortest_weight(shortest_weight(weight)) == shortest_weight(weight)


def test_every_code_of_a_weight_decodes_to_itself() -> None:
    first, last = encode_weight(SMALLEST_WEIGHT), encode_weight(LARGEST_WEIGHT)
    codes = list(range(first, last + 1))
    assert [encode_weight(decode_weight(code)) for code in codes] == codes
    vector = SparseVector({str(code): decode_weight(code) for code in codes})
    assert [encode_weight(weight) for weight in shorten(vector).values()] == codes


@given(st.lists(WEIGHTS))
def test_vector_is_shortened_weight_by_weight(weights: list[float]) -> None:
    vector = SparseVector({f"token{n}": weight for n, weight in enumerate(weights)})
    assert shorten(vector) == {token: shortest_weight(weight) for token, weight in vector.items()}


@pytest.mark.parametrize(
    ("weight", "shortest"), [(1.0, 1.0), (0.30000001192092896, 0.3), (2.7182817459106445, 2.715), (0.123456789, 0.1234)]
)
def test_known_shortest_weights(weight: float, shortest: float) -> None:
    assert shortest_weight(weight) == shortest


def test_shortened_vector_is_a_fraction_of_the_characters() -> None:
    rounded = array("f", (3 / (n + 1.7) for n in range(100)))
    vector = SparseVector({f"token{n}": weight for n, weight in enumerate(rounded)})
    whole, short = (sum(len(json.dumps(w)) for w in v.values()) for v in (vector, shorten(vector)))
    assert list(shorten(vector)) == list(vector)
    assert short < whole / 3
