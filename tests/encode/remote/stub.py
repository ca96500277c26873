"""Encoders behind HTTP that answer with an encoder of this process, or do harm by a schedule.

```python
with TeiStub(encoder) as stub, load_document_encoder(model, url=stub.url) as remote:
    stub.faults += [Fault.BUSY, Fault.RESET]
```
"""

from __future__ import annotations

import json
import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opensearch_neural_sparse import DocumentEncoder, SparseTokenizer
from opensearch_neural_sparse.layer_support import collected_cuts


class Fault(StrEnum):
    """What is done with a request for vectors."""

    PASS = "answered"
    BUSY = "429 with Retry-After"
    UNAVAILABLE = "503"
    RESET = "connection reset"
    CUT = "body cut"
    PAGE = "HTML with status 200"
    SLOW = "no answer for a second"
    ONE_LESS = "a vector too few"
    NOT_FINITE = "a weight that is not finite"
    NEGATIVE = "a weight below 0"
    FOREIGN = "a token of no model"
    UNAUTHORISED = "401"


class EncoderStub:
    """A threaded HTTP server on a free port.

    Args:
        encoder: What encodes.
        most_texts: Texts of a request above which the answer is 413.
        refused: A text with this word is refused with 422.
        key: Key that each request must have.
        port: Its port; by default a free one.

    Attributes:
        faults: What is done to the next requests for vectors.
        requests: How many texts each request for vectors had.
        auth: The header `Authorization` of each request.
    """

    path = "/"

    def __init__(
        self,
        encoder: DocumentEncoder,
        *,
        most_texts: int = 1000,
        refused: str | None = None,
        key: str | None = None,
        port: int = 0,
    ) -> None:
        self.encoder, self.most_texts, self.refused, self.key = encoder, most_texts, refused, key
        self.faults: list[Fault] = []
        self.requests: list[int] = []
        self.times: list[float] = []
        self.bodies: list[Any] = []
        self.auth: list[str | None] = []
        self.before: Callable[[], None] = lambda: None
        self.at_once, self.most_at_once = 0, 0
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"stub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.shutdown()
        self._server.server_close()

    def info(self) -> dict[str, Any]:
        raise NotImplementedError

    def texts(self, body: Any) -> list[str]:
        raise NotImplementedError

    def answer(self, texts: Sequence[str], fault: Fault) -> Any:
        raise NotImplementedError

    def refusal(self, kind: str, reason: str) -> Any:
        raise NotImplementedError


class TeiStub(EncoderStub):
    """Text Embeddings Inference with `--pooling splade`, by its documentation and its source.

    Attributes:
        model: Its `model_id`.
        double_log: Whether the encoder's weights have a second logarithm, which this server does not take.
    """

    path = "/embed_sparse"
    model = "/models/small-en"
    double_log = True

    def info(self) -> dict[str, Any]:
        return {
            "model_id": self.model,
            "model_sha": None,
            "model_dtype": "float32",
            "model_type": {"embedding": {"pooling": "splade"}},
            "max_concurrent_requests": 512,
            "max_input_length": self.encoder.max_length,
            "max_batch_tokens": 16384,
            "max_batch_requests": None,
            "max_client_batch_size": self.most_texts,
            "auto_truncate": True,
            "tokenization_workers": 2,
            "version": "1.9.3",
        }

    def texts(self, body: Any) -> list[str]:
        assert body["truncate"] is True
        return [body["inputs"]] if isinstance(body["inputs"], str) else body["inputs"]

    def answer(self, texts: Sequence[str], fault: Fault) -> Any:
        tokenizer = SparseTokenizer.from_file(self.encoder.files.document_tokenizer)
        rows = []
        with collected_cuts():  # this server does not say which texts it cut
            vectors = self.encoder.encode_documents(texts)
        for vector in vectors:
            ids, weights = vector.to_ids(tokenizer.vocabulary)
            values = [math.expm1(weight) if self.double_log else weight for weight in weights]
            row = [{"index": index, "value": value} for index, value in zip(ids, values, strict=True)]
            rows.append([{"index": min(tokenizer.special_ids), "value": 0.7}, *row])  # special tokens are not left out
        _harm(rows[0], fault)
        return rows[1:] if fault is Fault.ONE_LESS else rows

    def refusal(self, kind: str, reason: str) -> Any:
        return {"error": reason, "error_type": kind}


def _harm(row: list[dict[str, Any]], fault: Fault) -> None:
    harms: dict[Fault, dict[str, Any]] = {
        Fault.NOT_FINITE: {"index": 2000, "value": None},
        Fault.FOREIGN: {"index": 10**6, "value": 1.0},
        Fault.NEGATIVE: {"index": 2000, "value": -1.0},
    }
    if fault in harms:
        row.append(harms[fault])


class OwnStub(EncoderStub):
    """The service of this package, by its interface."""

    path = "/encode"
    changes: dict[str, Any] = {}  # noqa: RUF012  a test sets its own

    def info(self) -> dict[str, Any]:
        files = self.encoder.files
        return {
            "service": "opensearch-neural-sparse",
            "version": "0.1.0",
            "model": files.spec.id,
            "revision": files.revision,
            "mode": str(files.spec.mode),
            "activation": str(files.spec.activation),
            "query_sha256": files.query_sha256,
            "weights_sha256": files.weights_sha256,
            "max_length": self.encoder.max_length,
            "max_active_dims": self.encoder.max_active_dims,
            "limits": {"texts": self.most_texts, "characters": 1_000_000, "bytes": 16_777_216},
        } | self.changes

    def texts(self, body: Any) -> list[str]:
        assert body["input_type"] == "document"
        return list(body["texts"])

    def answer(self, texts: Sequence[str], fault: Fault) -> Any:
        with collected_cuts() as cuts:
            vectors: list[dict[str, Any]] = [vector.to_dict() for vector in self.encoder.encode_documents(texts)]
        harms: dict[Fault, dict[str, Any]] = {
            Fault.NOT_FINITE: {"word": float("nan")},
            Fault.NEGATIVE: {"word": -1.0},
            Fault.FOREIGN: {"no token of a model": 1.0},
        }
        vectors[0] |= harms.get(fault, {})
        dropped = [cuts[text].tokens if text in cuts else 0 for text in texts]
        if fault is Fault.ONE_LESS:
            vectors = vectors[1:]
        hashes = {name: self.info()[name] for name in ("query_sha256", "weights_sha256")}
        return {**hashes, "vectors": vectors, "dropped_tokens": dropped}

    def refusal(self, kind: str, reason: str) -> Any:
        return {"error": {"type": kind, "reason": reason}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: EncoderStub

    def do_GET(self) -> None:
        self.stub.auth.append(self.headers.get("Authorization"))
        if self._is_allowed():
            self._send(200, self.stub.info())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stub = self.stub
        stub.auth.append(self.headers.get("Authorization"))
        if not self._is_allowed():
            return
        assert self.path == stub.path
        content = json.loads(body)
        texts = stub.texts(content)
        with stub.lock:
            stub.requests.append(len(texts))
            stub.times.append(time.monotonic())
            stub.bodies.append(content)
            stub.at_once += 1
            stub.most_at_once = max(stub.most_at_once, stub.at_once)
            fault = stub.faults.pop(0) if stub.faults else Fault.PASS
        try:
            stub.before()
            self._answer(texts, fault)
        finally:
            with stub.lock:
                stub.at_once -= 1

    def log_message(self, *args: Any) -> None:
        pass

    def _is_allowed(self) -> bool:
        allowed = self.stub.key is None or self.headers.get("Authorization") == f"Bearer {self.stub.key}"
        if not allowed:
            self._send(401, self.stub.refusal("unauthorised", "no or wrong token"))
        return allowed

    def _answer(self, texts: list[str], fault: Fault) -> None:
        stub = self.stub
        if fault is Fault.BUSY:
            self._send(429, stub.refusal("overloaded", "Model is overloaded"), {"Retry-After": "1"})
        elif fault is Fault.UNAVAILABLE:
            self._send(503, stub.refusal("unhealthy", "it ends"))
        elif fault is Fault.UNAUTHORISED:
            self._send(401, stub.refusal("unauthorised", "no or wrong token"))
        elif fault is Fault.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif fault is Fault.PAGE:
            self._write(200, b"<html>Please log in.</html>", {"Content-Type": "text/html"})
        elif len(texts) > stub.most_texts:
            self._send(413, stub.refusal("validation", f"batch size {len(texts)} > {stub.most_texts}"))
        elif stub.refused is not None and any(stub.refused in text for text in texts):
            self._send(422, stub.refusal("tokenizer", f"cannot tokenise {stub.refused}"))
        else:
            if fault is Fault.SLOW:
                time.sleep(1.0)
            with stub.lock:  # an encoder of this process serves one caller at a time
                content = json.dumps(stub.answer(texts, fault)).encode()
            self._write(200, content, cut=fault is Fault.CUT)

    def _send(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        self._write(status, json.dumps(content).encode(), headers or {})

    def _write(self, status: int, content: bytes, headers: dict[str, str] | None = None, *, cut: bool = False) -> None:
        try:
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = self.close_connection or cut
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has gone
