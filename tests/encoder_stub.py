"""An encoder behind a connector of the server, which a test may make fail or change."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep
from typing import Any

from opensearch_neural_sparse import DocumentEncoder

ML = "/_plugins/_ml"


class EncoderStub(ThreadingHTTPServer):
    """Encodes the texts of a connector's requests.

    Attributes:
        encoder: Encodes the texts.
        status: The status of its answers; another one than 200 comes with an error.
        failing: Texts that hold this word are answered with status 500; None answers all.
        factor: What each weight is multiplied by; another factor is another model.
        texts: The texts that it was asked for, in order.
    """

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, encoder: DocumentEncoder) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.encoder, self.status, self.factor = encoder, 200, 1.0
        self.failing: str | None = None
        self.texts: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/connector"

    def answer(self, texts: list[str]) -> tuple[int, Any]:
        self.texts += texts
        failing = self.failing is not None and any(self.failing in text for text in texts)
        if self.status != 200 or failing:
            status = 500 if failing else self.status
            return status, {"error": {"type": "test", "reason": "made to fail"}}
        vectors = self.encoder.encode_documents(texts)
        return 200, [{token: weight * self.factor for token, weight in vector.items()} for vector in vectors]


class _Handler(BaseHTTPRequestHandler):
    server: EncoderStub

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = self.server.answer(request["inputs"])
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def running_stub(encoder: DocumentEncoder) -> Iterator[EncoderStub]:
    """Run an encoder until the end of the block."""
    with EncoderStub(encoder) as stub:
        Thread(target=stub.serve_forever, daemon=True).start()
        yield stub
        stub.shutdown()


@contextmanager
def remote_model(client: Any, url: str, *, description: str | None = None) -> Iterator[str]:
    """Register a model behind a connector, and yield its id; both are removed at the end."""
    name = f"test-{uuid.uuid4().hex}"

    def send(method: str, path: str, body: Any = None) -> Any:
        return client.transport.perform_request(method, f"{ML}/{path}", body=body)

    action = {
        "action_type": "predict",
        "method": "POST",
        "url": url,
        "headers": {"content-type": "application/json"},
        "pre_process_function": "connector.pre_process.openai.embedding",
        "request_body": '{"inputs": ${parameters.input}}',
    }
    body = {"name": name, "description": name, "version": "1", "protocol": "http", "credential": {"key": "none"}}
    connector = send("POST", "connectors/_create", {**body, "actions": [action]})["connector_id"]
    register = {"name": name, "function_name": "remote", "connector_id": connector}
    if description is not None:
        register["description"] = description
    answer = send("POST", "models/_register?deploy=true", register)
    ends = monotonic() + 30
    while (model := answer.get("model_id")) is None:
        assert monotonic() < ends, f"Model {name!r} was not registered."
        sleep(0.1)
        answer = send("GET", f"tasks/{answer['task_id']}")
    try:
        yield str(model)
    finally:
        group = send("GET", f"models/{model}")["model_group_id"]
        _remove(send, str(model))
        send("DELETE", f"connectors/{connector}")
        send("DELETE", f"model_groups/{group}")


def _remove(send: Any, model: str) -> None:
    """Undeploy and delete a model; any document that comes meanwhile deploys it again."""
    from opensearchpy.exceptions import TransportError

    ends = monotonic() + 30
    while True:
        send("POST", f"models/{model}/_undeploy")
        try:
            send("DELETE", f"models/{model}")
        except TransportError:
            if monotonic() > ends:
                raise
            sleep(0.2)
        else:
            return
