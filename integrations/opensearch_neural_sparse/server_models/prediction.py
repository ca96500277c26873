"""Requests that read a model in the server and encode texts by it; pure but for the client that sends them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import InvalidVectorError, unreadable_answer
from opensearch_neural_sparse.index.ingest_pipeline import TEMPLATE

ML_ROOT = "/_plugins/_ml"
"""Root of the requests to the plugin that runs models."""
_BROKEN_TEMPLATE = "$ {parameters."


def get_server_model(model_id: str, client: Any, *, ignore: int | None = None) -> Any:
    """Send the request for what the server knows of a model.

    Args:
        model_id: The server's id of the model.
        client: The client, blocking or asynchronous.
        ignore: A status that the client lets through, without a warning in its log.
    """
    params = {} if ignore is None else {"ignore": ignore}
    return client.transport.perform_request("GET", f"{ML_ROOT}/models/{model_id}", params=params)


def predict(model_id: str, texts: Sequence[str], client: Any) -> Any:
    """Send the request that encodes texts by a sparse model in the server."""
    body = {"text_docs": [without_templates(text) for text in texts]}
    return client.transport.perform_request("POST", f"{ML_ROOT}/_predict/sparse_encoding/{model_id}", body=body)


def read_vectors(response: Mapping[str, Any], count: int) -> list[SparseVector]:
    """Read the vectors of a prediction, one for each text.

    Args:
        response: The response.
        count: How many texts were sent.

    Raises:
        ServerRequestError: The response holds no vectors, or another number of them.
    """
    try:
        vectors = [SparseVector(weights) for weights in predicted_weights(response)]
    except (AttributeError, InvalidVectorError, KeyError, TypeError, ValueError):
        raise unreadable_answer("it holds no token weights; is the model a sparse one?") from None
    if len(vectors) != count:
        raise unreadable_answer(f"it holds {len(vectors)} vectors for {count} texts")
    return vectors


def without_templates(text: str) -> str:
    """Return a text in which a connector replaces nothing; a WordPiece tokenizer reads both alike."""
    return text.replace(TEMPLATE, _BROKEN_TEMPLATE)


def predicted_weights(response: Mapping[str, Any]) -> Iterator[Mapping[str, float]]:
    """Yield token -> weight of each text, as a prediction holds them."""
    for result in response["inference_results"]:
        for output in result["output"]:
            yield from output["dataAsMap"]["response"]
