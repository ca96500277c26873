"""Vectors in the responses of predictions."""

from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import ServerRequestError
from opensearch_neural_sparse.server_models.prediction import read_vectors, without_templates
from opensearch_neural_sparse.server_models.registered_model import RegisteredModel


def of_outputs(*outputs: list[Any]) -> dict[str, Any]:
    return {"inference_results": [{"output": [{"dataAsMap": {"response": output}}]} for output in outputs]}


@pytest.mark.parametrize("response", [of_outputs([{"a": 1.5}], [{"b": 2}]), of_outputs([{"a": 1.5}, {"b": 2}])])
def test_vectors_are_read_of_local_models_and_of_connectors(response: dict[str, Any]) -> None:
    assert [vector.to_dict() for vector in read_vectors(response, 2)] == [{"a": 1.5}, {"b": 2.0}]


@pytest.mark.parametrize(
    "response",
    [
        of_outputs([{"a": 1.5}]),
        {},
        {"inference_results": [{"output": [{"data": [0.1]}]}]},
        of_outputs([[0.1]], [[0.2]]),
    ],
)
def test_other_responses_are_refused(response: dict[str, Any]) -> None:
    with pytest.raises(
        ServerRequestError, match=r"1 vectors for 2 texts|no token weights; is the model a sparse one\?"
    ):
        read_vectors(response, 2)


def test_model_is_read_of_its_response() -> None:
    response = {"name": "small", "algorithm": "REMOTE", "description": "Of the team."}
    expected = RegisteredModel(
        model_id="m", name="small", function="REMOTE", state="UNKNOWN", description="Of the team."
    )
    assert RegisteredModel.read("m", response) == expected


def test_templates_of_a_connector_are_broken() -> None:
    assert without_templates("a ${parameters.input} and ${price}") == "a $ {parameters.input} and ${price}"
