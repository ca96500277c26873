import copy
import pickle
import struct
import tracemalloc
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import InvalidVectorError, SparseVector

WEIGHTS = st.floats(1.2e-38, 3e38)
VECTORS = st.dictionaries(st.text(min_size=1, max_size=4), WEIGHTS, max_size=10)


def test_vector_is_a_mapping_that_keeps_its_order() -> None:
    vector = SparseVector({"b": 2, "a": 1.5})
    assert list(vector.items()) == [("b", 2.0), ("a", 1.5)]
    assert vector == {"a": 1.5, "b": 2.0}
    assert (len(vector), "a" in vector, "c" in vector, vector["a"], vector.get("c")) == (2, True, False, 1.5, None)


@given(VECTORS)
def test_tokens_and_weights_lie_side_by_side_in_the_vector_s_order(weights: dict[str, float]) -> None:
    vector = SparseVector(weights)
    assert (vector.tokens, [*vector.weights]) == (tuple(weights), [*weights.values()])
    assert np.frombuffer(vector.weights).tolist() == [*vector.values()]
    assert SparseVector.from_trusted(vector.tokens, vector.weights) == vector
    with pytest.raises(TypeError):
        vector.weights[0] = 1.0


def test_vector_takes_less_than_half_the_memory_of_a_dict() -> None:
    tokens, weights = [f"token{number}" for number in range(140)], [1 / (number + 1) for number in range(140)]

    def memory_of(make: Callable[[], Mapping[str, float]]) -> int:
        tracemalloc.start()
        kept = [make() for _ in range(10)]
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return held // len(kept)

    vector = memory_of(lambda: SparseVector.from_trusted(tokens, weights))
    assert vector < 0.5 * memory_of(
        lambda: {token: weight + 0.0 for token, weight in zip(tokens, weights, strict=True)}
    )


def test_vector_does_not_follow_the_dict_it_was_made_of() -> None:
    weights = {"a": 1.0}
    vector = SparseVector(weights)
    weights["a"] = 2.0
    vector.to_dict()["a"] = 3.0
    assert vector == {"a": 1.0}


def test_equal_vectors_have_equal_hashes() -> None:
    assert hash(SparseVector({"a": 1.0, "b": 2.0})) == hash(SparseVector({"b": 2.0, "a": 1.0}))
    assert SparseVector({"a": 1.0}) != SparseVector({"a": 2.0})
    assert SparseVector() != []


def test_repr_shows_no_token_and_no_weight() -> None:
    assert repr(SparseVector({"secret": 1.25})) == "SparseVector(1 tokens)"


@pytest.mark.parametrize(
    ("token", "weight", "reason"),
    [
        ("a", 0.0, "at least"),
        ("a", -1.0, "at least"),
        ("a", 1e-40, "at least"),
        ("a", 1e39, "at most"),
        ("a", float("nan"), "finite"),
        ("a", float("inf"), "finite"),
        pytest.param("a", 10**400, "finite", id="beyond every float"),
        ("a", True, "number"),
        ("a", None, "number"),
        ("a", "heavy", "number"),
        ("", 1.0, "not empty"),
        (7, 1.0, "string"),
    ],
)
def test_entry_that_the_server_would_refuse_is_refused(token, weight, reason) -> None:
    for others in ({}, {"before": 1.0}):
        with pytest.raises(InvalidVectorError, match=reason) as caught:
            SparseVector({**others, token: weight, "after": 1.0})
        assert caught.value.token == token
        assert caught.value.weight is weight


@given(VECTORS)
def test_ids_and_back_are_the_same_vector(weights: dict[str, float]) -> None:
    tokens = [*weights, "unused"]
    vector = SparseVector(weights)
    indices, values = vector.to_ids({token: index for index, token in enumerate(tokens)})
    assert SparseVector.from_ids(indices, values, tokens) == vector


@pytest.mark.parametrize(("indices", "values"), [([2], [1.0]), ([-1], [1.0]), ([0, 0], [1.0, 2.0]), ([0], [0.0])])
def test_ids_that_make_no_vector_are_refused(indices: list[int], values: list[float]) -> None:
    with pytest.raises(InvalidVectorError):
        SparseVector.from_ids(indices, values, ["a", "b"])


def test_token_outside_the_vocabulary_has_no_id() -> None:
    with pytest.raises(InvalidVectorError, match="vocabulary"):
        SparseVector({"a": 1.0}).to_ids({"b": 0})


@given(VECTORS, VECTORS)
def test_dot_is_the_sum_over_common_tokens_either_way(one: dict[str, float], two: dict[str, float]) -> None:
    small = {token: min(weight, 1e100) for token, weight in two.items()}
    expected = sum(weight * small[token] for token, weight in one.items() if token in small)
    assert SparseVector(one).dot(small) == pytest.approx(expected)
    assert SparseVector(small).dot(one) == SparseVector(one).dot(small)


def test_top_is_heaviest_first_and_equal_weights_by_token() -> None:
    assert SparseVector({"c": 1.0, "b": 1.0, "a": 0.5, "d": 2.0}).top(3) == [("d", 2.0), ("b", 1.0), ("c", 1.0)]


def test_vector_can_be_copied_and_pickled() -> None:
    vector = SparseVector({"a": struct.unpack("f", struct.pack("f", 0.1))[0]})
    assert copy.deepcopy(vector) == pickle.loads(pickle.dumps(vector)) == vector
