"""OpenSearch calls the service through a connector."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
from tests.conftest import RunningServer
from tests.serving.conftest import KEY, GatedEncoder, Service

TEXTS = ["The heart pumps blood through the body.", "A stone rests on the bed of a river."]
SPARSE = {"model_type": "SPARSE_ENCODING", "framework_type": "SENTENCE_TRANSFORMERS", "all_config": "{}"}


def _until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


@contextmanager
def connected(client: Any, server: RunningServer, url: str, **options: Any) -> Iterator[str]:
    """A model of the server that calls an address; its id."""
    http, name = client.transport, f"test-{uuid.uuid4().hex}"
    connector = {
        "name": name,
        "description": "an encoder service",
        "version": "1",
        "protocol": "http",
        "parameters": {},
        "credential": {"api_key": KEY},
        "client_config": {"read_timeout": 30, "connection_timeout": 5, **options},
        "actions": [
            {
                "action_type": "predict",
                "method": "POST",
                "url": url,
                "headers": {"content-type": "application/json", "authorization": "Bearer ${credential.api_key}"},
                "pre_process_function": "connector.pre_process.openai.embedding",
                "request_body": '{"inputs": ${parameters.input}}',
            }
        ],
    }
    made = http.perform_request("POST", "/_plugins/_ml/connectors/_create", body=connector)["connector_id"]
    model = {"name": name, "function_name": "remote", "connector_id": made}
    if server.version.startswith("3."):
        model |= {"model_config": SPARSE}
    registered = http.perform_request("POST", "/_plugins/_ml/models/_register", body=model)
    model_id = registered["model_id"]
    try:
        http.perform_request("POST", f"/_plugins/_ml/models/{model_id}/_deploy")
        state = f"/_plugins/_ml/models/{model_id}"
        _until(lambda: http.perform_request("GET", state)["model_state"] == "DEPLOYED")
        yield model_id
    finally:
        http.perform_request("POST", f"/_plugins/_ml/models/{model_id}/_undeploy")
        _until(lambda: _deleted(http, f"/_plugins/_ml/models/{model_id}"))
        http.perform_request("DELETE", f"/_plugins/_ml/connectors/{made}")


def _deleted(http: Any, path: str) -> bool:
    from opensearchpy.exceptions import RequestError

    try:
        http.perform_request("DELETE", path)
    except RequestError:  # it is still on its way out
        return False
    return True


def _predict(client: Any, model_id: str, texts: list[str]) -> list[dict[str, float]]:
    answer = client.transport.perform_request(
        "POST", f"/_plugins/_ml/_predict/sparse_encoding/{model_id}", body={"text_docs": texts}
    )
    return [
        vector
        for result in answer["inference_results"]
        for output in result["output"]
        for vector in output["dataAsMap"]["response"]
    ]


def test_a_connector_has_the_vectors_of_the_encoder(
    model_client: Any, model_server: RunningServer, limited: Service, encoder: DocumentEncoder
) -> None:
    with connected(model_client, model_server, f"{limited.url}/connector") as model_id:
        found = _predict(model_client, model_id, TEXTS)
    for vector, expected in zip(found, encoder.encode_documents(TEXTS), strict=True):
        assert vector == pytest.approx(dict(expected), abs=1e-5)


def test_documents_are_encoded_on_their_way_into_an_index(
    model_client: Any, model_server: RunningServer, model_index: str, limited: Service, encoder: DocumentEncoder
) -> None:
    pipeline = f"{model_index}-pipeline"
    with connected(model_client, model_server, f"{limited.url}/connector") as model_id:
        processor = {"sparse_encoding": {"model_id": model_id, "field_map": {"text": "vector"}, "batch_size": 10}}
        model_client.ingest.put_pipeline(id=pipeline, body={"processors": [processor]})
        try:
            mappings = {"properties": {"text": {"type": "text"}, "vector": {"type": "rank_features"}}}
            settings = {"index.number_of_replicas": 0, "index.default_pipeline": pipeline}
            model_client.indices.create(index=model_index, body={"settings": settings, "mappings": mappings})
            rows = [row for text in TEXTS for row in ({"index": {}}, {"text": text})]
            assert not model_client.bulk(index=model_index, body=rows, refresh=True)["errors"]
            hits = model_client.search(index=model_index)["hits"]["hits"]
        finally:
            model_client.indices.delete(index=model_index, ignore_unavailable=True)
            model_client.ingest.delete_pipeline(id=pipeline)
    stored = {hit["_source"]["text"]: hit["_source"]["vector"] for hit in hits}
    for text, expected in zip(TEXTS, encoder.encode_documents(TEXTS), strict=True):
        assert stored[text] == pytest.approx(dict(expected), abs=1e-5)


def test_a_connector_sends_a_request_again_that_found_the_queue_full(
    model_client: Any, model_server: RunningServer, gated: tuple[GatedEncoder, Callable[..., Service]]
) -> None:
    gate, serve = gated
    service = serve(max_texts=2, queue=2)
    retries = {"max_retry_times": 5, "retry_backoff_policy": "constant", "retry_backoff_millis": 500}
    with connected(model_client, model_server, f"{service.url}/connector", **retries) as model_id:
        gate.open.clear()
        waiting = [threading.Thread(target=service.post, args=("/connector", {"inputs": ["a", "b"]})) for _ in range(2)]
        waiting[0].start()
        _until(lambda: gate.calls[-1] == ["a", "b"])
        waiting[1].start()
        _until(lambda: service.metric("neural_sparse_queue_texts") == 2)
        opener = threading.Thread(
            target=lambda: (_until(lambda: service.metric("neural_sparse_refused_total") >= 1), gate.open.set())
        )
        opener.start()
        found = _predict(model_client, model_id, TEXTS)
        for thread in (*waiting, opener):
            thread.join()
    assert len(found) == len(TEXTS)
    assert service.metric("neural_sparse_refused_total") >= 1
