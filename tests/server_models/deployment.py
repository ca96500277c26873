"""Deploy an archive on a server with plain requests, and remove it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opensearch_neural_sparse.server_models.archive import ModelArchive

SECONDS = 180.0
ALGORITHMS = {"SPARSE_ENCODING": "sparse_encoding", "SPARSE_TOKENIZE": "sparse_tokenize"}


def request(client: Any, method: str, path: str, body: Any = None) -> Any:
    return client.transport.perform_request(method, f"/_plugins/_ml/{path}", body=body)


@contextmanager
def deployed_archive(client: Any, archive: ModelArchive, **further: Any) -> Iterator[str]:
    """Yield the id of a model that is registered from an archive and deployed, and delete it afterwards."""
    body = {
        "name": f"test-{uuid.uuid4().hex}",
        "version": "1",
        "model_format": archive.format.upper(),
        "function_name": archive.function_name,
        "model_content_hash_value": archive.sha256,
        "url": archive.path.absolute().as_uri(),
        **further,
    }
    model = finished(client, request(client, "POST", "models/_register", body)["task_id"])["model_id"]
    try:
        finished(client, request(client, "POST", f"models/{model}/_deploy")["task_id"])
        yield model
    finally:
        remove(client, model)


def finished(client: Any, task: str) -> Any:
    """Wait for a task and return it; fail with its error."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        state = request(client, "GET", f"tasks/{task}")
        if state["state"] == "COMPLETED":
            return state
        assert state["state"] in ("CREATED", "RUNNING"), state
        time.sleep(0.2)
    raise AssertionError(state)


def remove(client: Any, model: str) -> None:
    """Undeploy and delete a model; a model that is being deployed is refused at first."""
    from opensearchpy.exceptions import RequestError

    deadline = time.monotonic() + SECONDS
    while True:
        request(client, "POST", f"models/{model}/_undeploy")
        try:
            request(client, "DELETE", f"models/{model}")
        except RequestError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        else:
            return


def vectors(client: Any, archive: ModelArchive, model: str, texts: Sequence[str]) -> list[dict[str, float]]:
    """Return the vectors of texts by a deployed model."""
    path = f"_predict/{ALGORITHMS[archive.function_name]}/{model}"
    answers = [request(client, "POST", path, {"text_docs": [text]}) for text in texts]
    return [answer["inference_results"][0]["output"][0]["dataAsMap"]["response"][0] for answer in answers]
