"""A server with ml-commons: sparse models inside OpenSearch."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from opensearch_neural_sparse.devserver import DevServer

pytestmark = pytest.mark.slow

CONNECTOR = {
    "name": "encoder",
    "description": "an encoder of this test",
    "version": 1,
    "protocol": "http",
    "credential": {"key": "none"},
}
ACTION = {
    "action_type": "predict",
    "method": "POST",
    "headers": {"content-type": "application/json"},
    "request_body": '{"inputs": ${parameters.input}}',
    "pre_process_function": "connector.pre_process.openai.embedding",
}
SPARSE_MODEL = {"model_type": "SPARSE_ENCODING", "framework_type": "SENTENCE_TRANSFORMERS", "all_config": "{}"}


@pytest.fixture(scope="module")
def client(ml_server: DevServer) -> Iterator[Any]:
    from opensearchpy import OpenSearch

    with OpenSearch(ml_server.url, timeout=60) as client:
        client.indices.create(index="docs", body={"mappings": {"properties": {"e": {"type": "rank_features"}}}})
        client.index(index="docs", id="1", body={"e": {"hello": 1.5, "world": 0.5, ".": 0.3}}, refresh=True)
        yield client


@pytest.fixture
def encoder() -> Iterator[str]:
    """An encoder over HTTP that gives every word of a text the weight 2."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["inputs"]
            answer = json.dumps([dict.fromkeys(text.split(), 2.0) for text in texts]).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/encode"
        server.shutdown()
        thread.join()


def connect(client: Any, url: str) -> str:
    body = {**CONNECTOR, "actions": [{**ACTION, "url": url}]}
    created = client.transport.perform_request("POST", "/_plugins/_ml/connectors/_create", body=body)
    return str(created["connector_id"])


def deploy(client: Any, connector: str) -> str:
    """Register a model behind a connector and return its id once it is deployed."""
    model = {"name": "encoder", "function_name": "remote", "connector_id": connector, "model_config": SPARSE_MODEL}
    task = client.transport.perform_request("POST", "/_plugins/_ml/models/_register?deploy=true", body=model)["task_id"]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        state = client.transport.perform_request("GET", f"/_plugins/_ml/tasks/{task}")
        if state["state"] == "COMPLETED":
            return str(state["model_id"])
        assert state["state"] in ("CREATED", "RUNNING"), state
        time.sleep(0.1)
    raise AssertionError(state)


def score(client: Any, **query: str) -> float:
    body = {"query": {"neural_sparse": {"e": query}}}
    (hit,) = client.search(index="docs", body=body)["hits"]["hits"]
    return float(hit["_score"])


def test_the_servers_own_analyzer_weighs_a_query_as_published(client: Any):
    assert score(client, query_text="hello world.", analyzer="bert-uncased") == pytest.approx(12.121882, abs=1e-5)


def test_what_the_analyzer_unpacks_stays_in_the_home(ml_server: DevServer, client: Any):
    score(client, query_text="hello", analyzer="bert-uncased")
    assert ml_server.home is not None
    assert any((ml_server.home / "nodes" / "n1" / "data" / "ml_cache").rglob("*"))


def test_a_model_id_stands_for_an_encoder_on_this_machine(client: Any, encoder: str):
    model = deploy(client, connect(client, encoder))
    assert score(client, query_text="hello nothing", model_id=model) == pytest.approx(3.0, abs=1e-6)


def test_an_encoder_elsewhere_is_refused(client: Any):
    from opensearchpy.exceptions import RequestError

    with pytest.raises(RequestError, match="not matching the trusted connector endpoint regex"):
        connect(client, "http://127.0.0.1.example.org/encode")
