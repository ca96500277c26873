import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse import IndexSchema, SparseDocument, SparseVector
from opensearch_neural_sparse.encode.sparse_vector import LARGEST_WEIGHT, SMALLEST_WEIGHT
from opensearch_neural_sparse.index.bulk.actions import BulkAction, bulk_actions
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.documents import serializer
from opensearch_neural_sparse.index.documents.feature_weights import shortest_weight
from opensearch_neural_sparse.index.documents.serializer import to_json, to_lines

TOKENS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
WEIGHTS = st.floats(SMALLEST_WEIGHT, LARGEST_WEIGHT) | st.floats(0.001, 100)
VECTORS = st.dictionaries(TOKENS, WEIGHTS, max_size=20).map(SparseVector)
EVERY_EXAMPLE_ALIKE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["orjson", "json"], autouse=True)
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    serializer._serializer.cache_clear()
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    yield
    serializer._serializer.cache_clear()


@EVERY_EXAMPLE_ALIKE
@given(VECTORS)
def test_vector_is_written_with_its_shortest_weights_in_its_order(vector: SparseVector) -> None:
    written = json.loads(to_json(vector))
    assert written == {token: shortest_weight(weight) for token, weight in vector.items()}
    assert list(written) == list(vector)


@EVERY_EXAMPLE_ALIKE
@given(VECTORS)
def test_vector_is_written_whole_where_weights_are_to_be_exact(vector: SparseVector) -> None:
    assert json.loads(to_json(vector, exact_weights=True)) == vector


@EVERY_EXAMPLE_ALIKE
@given(st.lists(st.fixed_dictionaries({"text": st.text(st.characters(exclude_categories=["Cs"])), "vector": VECTORS})))
def test_values_that_are_written_together_are_as_each_alone(values: list[dict[str, Any]]) -> None:
    assert list(to_lines([value] for value in values)) == [to_json(value) + b"\n" for value in values]
    for value in values:
        weights = {token: shortest_weight(weight) for token, weight in value["vector"].items()}
        assert json.loads(to_json(value)) == {"text": value["text"], "vector": weights}


def test_value_without_json_leaves_those_around_it() -> None:
    vector = SparseVector({"a": 1.5})
    first, bad, third = to_lines([[{"v": vector}], [1, {"v": vector, "x": object()}], [{"v": vector}, 2]])
    assert (first, third) == (b'{"v":{"a":1.5}}\n', b'{"v":{"a":1.5}}\n2\n')
    assert isinstance(bad, TypeError)


def test_tokens_are_escaped() -> None:
    tokens = ['"', "\\", '","', ":", "\n", "\x00", "\x7f", "é", "\u2028", "😀"]
    assert list(json.loads(to_json(SparseVector(dict.fromkeys(tokens, 0.5))))) == tokens


def test_weights_are_written_in_few_characters() -> None:
    assert to_json({"v": SparseVector({"a": 0.30000001192092896, "b": 0.123456789})}) == b'{"v":{"a":0.3,"b":0.1234}}'


def test_vectors_lie_at_any_depth_and_may_be_empty() -> None:
    value = {"chunks": [{"vector": SparseVector({"a": 1.5})}, {"vector": SparseVector()}], "n": None}
    assert to_json(value) == b'{"chunks":[{"vector":{"a":1.5}},{"vector":{}}],"n":null}'


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}])
def test_value_that_has_no_json_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError):
        to_json(value)


def test_token_that_is_not_unicode_is_a_failure_that_says_so() -> None:
    documents = [SparseDocument(id=f"{n}", vector={token: 1.0}) for n, token in enumerate(["a", "\ud800", "b"])]
    first, failure, third = bulk_actions(documents, IndexSchema())
    assert isinstance(first, BulkAction)
    assert isinstance(third, BulkAction)
    assert isinstance(failure, BulkFailure)
    assert "surrogates" in failure.reason
