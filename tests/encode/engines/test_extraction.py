from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from opensearch_neural_sparse.encode.engines.extraction import Entries, VectorMaker, entries_of
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.spec import Activation

TOKENS = ("[PAD]", "a", "b", "", "c", "d")
LOGITS = arrays(np.float32, st.tuples(st.integers(1, 4), st.just(len(TOKENS))), elements=st.floats(-4, 4, width=32))


def logits(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def vectors(array: np.ndarray, activation: Activation = Activation.RELU, **options) -> list[SparseVector]:
    maker = VectorMaker(TOKENS, {0}, **options)
    return maker.vectors(entries_of(array, activation), len(array))


@given(LOGITS, st.sampled_from(list(Activation)))
def test_every_positive_logit_of_a_named_token_becomes_a_weight(array: np.ndarray, activation: Activation):
    def weight(logit: float) -> float:
        times = {Activation.PLAIN: 0, Activation.RELU: 1, Activation.LOG1P_RELU: 2}[activation]
        for _ in range(times):
            logit = math.log1p(logit)
        return logit

    expected = [
        {
            TOKENS[i]: weight(x)
            for i, x in enumerate(row)
            if x >= np.finfo(np.float32).tiny and TOKENS[i] not in ("", "[PAD]")
        }
        for row in array.tolist()
    ]
    for vector, wanted in zip(vectors(array, activation), expected, strict=True):
        assert vector.to_dict() == pytest.approx(wanted, rel=1e-6)
        assert list(vector) == list(wanted)
        SparseVector(vector)


@given(LOGITS, st.integers(1, 5))
def test_a_limit_keeps_the_heaviest(array: np.ndarray, limit: int):
    for short, whole in zip(vectors(array, max_active_dims=limit), vectors(array), strict=True):
        assert len(short) == min(limit, len(whole))
        assert short.items() <= whole.items()
        assert sorted(short.values()) == sorted(whole.values())[len(whole) - len(short) :]


def test_of_equal_weights_the_lower_id_stays():
    (vector,) = vectors(logits([0, 1, 1, 0, 1, 1]), max_active_dims=2)
    assert list(vector) == ["a", "b"]


def test_the_input_is_left_as_it_is():
    array = logits([5, 1, -2, 3, 0, 1])
    copy = array.copy()
    vectors(array)
    assert (array == copy).all()


def test_logits_beyond_the_vocabulary_are_left_out():
    (vector,) = vectors(logits([0, 1, 0, 0, 0, 0, 7, 7]))
    assert list(vector) == ["a"]


def test_special_ids_beyond_the_vocabulary_are_no_error():
    maker = VectorMaker(TOKENS, {0, 99})
    assert list(maker.vectors(entries_of(logits([1, 1, 0, 0, 0, 0]), Activation.RELU), 1)[0]) == ["a"]


def test_rows_without_entries_give_empty_vectors():
    assert list(map(len, vectors(logits([-1] * 6, [0, 2, 0, 0, 0, 0], [0] * 6)))) == [0, 1, 0]


def test_no_entries_at_all_give_empty_vectors():
    nothing = Entries(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    assert list(map(len, VectorMaker(TOKENS).vectors(nothing, 3))) == [0, 0, 0]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_that_is_not_finite_is_an_error(value: float):
    with pytest.raises(ModelFilesError, match="not finite"):
        vectors(logits([0, 1, value, 0, 0, 0]))


def test_a_subnormal_weight_is_dropped_because_the_server_would_refuse_it():
    (vector,) = vectors(logits([0, 1e-39, 1, 0, 0, 0]))
    assert list(vector) == ["b"]
