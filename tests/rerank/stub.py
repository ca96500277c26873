"""A reranker behind HTTP, with the `POST /rerank` of Text Embeddings Inference, which a test may make fail."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self


class RerankerStub:
    """Scores a text by the number after its last `#`; answers are sorted by score, best first.

    Args:
        key: The key that each request must have.
        most_texts: Texts of a request above which the answer is 413.

    Attributes:
        statuses: What the next requests are answered with, in place of scores.
        bodies: The body of each request.
        answer: What is answered in place of scores; None is scores.
    """

    def __init__(self, *, key: str | None = None, most_texts: int = 32) -> None:
        self.key, self.most_texts = key, most_texts
        self.statuses: list[int] = []
        self.bodies: list[Any] = []
        self.answer: Any = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": self}))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def respond(self, path: str, authorization: str | None, body: Any) -> tuple[int, Any]:
        self.bodies.append(body)
        if self.key is not None and authorization != f"Bearer {self.key}":
            return 401, {"error": "no key", "error_type": "unauthorized"}
        if path != "/rerank":
            return 404, {"error": "not found"}
        if self.statuses:
            return self.statuses.pop(0), {"error": "made to fail", "error_type": "overloaded"}
        if len(body["texts"]) > self.most_texts:
            return 413, {"error": "too many texts", "error_type": "validation"}
        if self.answer is not None:
            return 200, self.answer
        rows = [{"index": place, "score": float(text.rpartition("#")[2])} for place, text in enumerate(body["texts"])]
        return 200, sorted(rows, key=lambda row: -row["score"])


class _Handler(BaseHTTPRequestHandler):
    stub: RerankerStub
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = self.stub.respond(self.path, self.headers.get("authorization"), body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
