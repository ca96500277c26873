"""A server with ml-commons: sparse models inside OpenSearch."""

from __future__ import annotations

import json
import platform
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.devserver.distribution.natives import LIBRARY_VARIABLE, PLATFORM
from opensearch_neural_sparse.models.files.resolve import resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.server_models.archive import write_document_archive
from tests.paths import SMALL_MODEL
from tests.server_models.deployment import deployed_archive, vectors

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


@pytest.mark.skipif((platform.system(), platform.machine()) != PLATFORM, reason="libraries for Linux on x86-64 alone")
def test_a_node_has_the_native_libraries_of_pytorch(ml_server: DevServer):
    (pid,) = ml_server.pids
    variables = dict(row.split("=", 1) for row in Path(f"/proc/{pid}/environ").read_text().split("\0") if row)
    names = {path.name for path in Path(variables[LIBRARY_VARIABLE]).iterdir()}
    assert names >= {"libtorch.so", "libtorch_cpu.so", "libc10.so", "libdjl_torch.so"}


def test_a_local_model_deploys_without_the_hosts_of_its_libraries(model_client: Any, tmp_path: Path):
    archive = write_document_archive(resolve_files(get_model(SMALL_MODEL)), tmp_path)
    with deployed_archive(model_client, archive) as model:
        (vector,) = vectors(model_client, archive, model, ["hello world."])
    assert vector.keys() >= {"hello", "world"}
