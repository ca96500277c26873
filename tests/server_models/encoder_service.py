"""An encoder service with the interface that connectors call, whose answers a test chooses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opensearch_neural_sparse import load_document_encoder
from opensearch_neural_sparse.models.files.resolve import ModelFiles


@dataclass
class EncoderService:
    """A running service.

    Attributes:
        url: Its address.
        token: The token that it wants, or None.
        answer: What it answers with instead of vectors: status, headers' content type and body.
        fewer: How many vectors too few it gives.
        scale: Factor of all weights, of a service of another model.
        info: What `/info` says.
        batches: Sizes of the requests to `/connector`.
    """

    url: str = ""
    token: str | None = None
    answer: tuple[int, str] | None = None
    fewer: int = 0
    scale: float = 1.0
    info: dict[str, Any] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


@contextmanager
def encoder_service(files: ModelFiles) -> Iterator[EncoderService]:
    """Yield a service that encodes with a model."""
    encoder = load_document_encoder(files.root)
    spec = files.spec
    info = {"service": "opensearch-neural-sparse", "model": spec.id, "max_length": spec.max_length}
    info |= {"mode": str(spec.mode), "activation": str(spec.activation)}
    service = EncoderService(info={**info, "query_sha256": files.query_sha256, "weights_sha256": files.weights_sha256})

    def encode(texts: list[str]) -> list[dict[str, float]]:
        vectors = encoder.encode_documents(texts)
        return [{token: weight * service.scale for token, weight in vector.items()} for vector in vectors]

    with _Server(("127.0.0.1", 0), _handler(service, encode)) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()


def _handler(
    service: EncoderService, encode: Callable[[list[str]], list[dict[str, float]]]
) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _send(self, status: int, body: str) -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _refused(self) -> bool:
            if service.token is None or self.headers.get("authorization") == f"Bearer {service.token}":
                return False
            self._send(401, json.dumps({"error": {"type": "unauthorized", "reason": "wrong token"}}))
            return True

        def do_GET(self) -> None:
            if not self._refused():
                self._send(200, json.dumps(service.info))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self._refused():
                return
            if service.answer is not None:
                self._send(*service.answer)
                return
            service.batches.append(len(body["inputs"]))
            vectors = encode(body["inputs"])
            self._send(200, json.dumps(vectors[: len(vectors) - service.fewer]))

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
