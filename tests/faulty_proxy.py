"""A proxy between a store and a server that forwards every request, or does it harm by a schedule.

```python
with FaultyProxy(server.url, listed(Fault.PASS, Fault.RESET_AFTER, kind="_bulk")) as proxy:
    store = NeuralSparseStore("articles", url=proxy.url)
```
"""

from __future__ import annotations

import gzip
import json
import random
import select
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit


class Fault(StrEnum):
    """What is done with a request."""

    PASS = "forwarded"
    BUSY = "429 without forwarding"
    UNAVAILABLE = "503 without forwarding"
    BAD_GATEWAY = "502 without forwarding"
    GATEWAY_TIMEOUT = "504 without forwarding"
    TOO_LARGE = "413 without forwarding"
    LATE_GATEWAY_TIMEOUT = "504 after forwarding"
    RESET_BEFORE = "reset before forwarding"
    RESET_AFTER = "reset after forwarding"
    CUT = "answer cut within its Content-Length"
    CUT_CHUNKED = "answer cut within its chunks"
    HANG_BEFORE = "hang before forwarding"
    HANG_AFTER = "hang after forwarding"
    PAGE = "HTML with status 200"
    TEXT = "plain text with status 200"
    EMPTY = "empty body with status 200"
    OTHER_JSON = "another JSON object with status 200"
    BROKEN_JSON = "half of the answer as if it were whole"
    DRIP = "answer byte by byte"
    FULL_ITEMS = "429 for every second item of a bulk request, which is not forwarded"


STATUSES = {
    Fault.BUSY: 429,
    Fault.UNAVAILABLE: 503,
    Fault.BAD_GATEWAY: 502,
    Fault.GATEWAY_TIMEOUT: 504,
    Fault.TOO_LARGE: 413,
    Fault.LATE_GATEWAY_TIMEOUT: 504,
}
BODIES = {
    Fault.PAGE: ("text/html", b"<html><body>Please log in.</body></html>"),
    Fault.TEXT: ("text/plain", b"ok"),
    Fault.EMPTY: ("application/json", b""),
    Fault.OTHER_JSON: ("application/json", b'{"message": "ok"}'),
}
FORWARDED_FIRST = {
    Fault.LATE_GATEWAY_TIMEOUT,
    Fault.RESET_AFTER,
    Fault.CUT,
    Fault.CUT_CHUNKED,
    Fault.HANG_AFTER,
    Fault.BROKEN_JSON,
    Fault.DRIP,
}
"""Faults after which the server has carried out what it was asked."""
_HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}


@dataclass(frozen=True)
class ProxiedRequest:
    """A request that arrived."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_bulk(self) -> bool:
        return self.path.partition("?")[0].endswith("/_bulk")


@dataclass(frozen=True)
class ProxiedAnswer:
    """An answer of the server."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Schedule = Callable[[ProxiedRequest], Fault]


def listed(*faults: Fault, kind: str = "") -> Schedule:
    """Do these faults to the first requests whose method and path contain `kind`, and none to those after them."""
    left = list(faults)
    return lambda request: left.pop(0) if left and _is_of(request, kind) else Fault.PASS


def always(fault: Fault, *, kind: str = "", after: int = 0) -> Schedule:
    """Do a fault to all requests whose method and path contain `kind`, but the first `after` ones."""
    first = listed(*[Fault.PASS] * after, kind=kind)
    passed = [0]

    def schedule(request: ProxiedRequest) -> Fault:
        if not _is_of(request, kind):
            return Fault.PASS
        passed[0] += 1
        return first(request) if passed[0] <= after else fault

    return schedule


def at_random(seed: int, share: float, faults: Sequence[Fault] = tuple(Fault)) -> Schedule:
    """Do one of the faults, drawn from a seed, to a share of all requests."""
    draw = random.Random(seed)
    return lambda request: draw.choice(faults) if draw.random() < share else Fault.PASS


def _is_of(request: ProxiedRequest, kind: str) -> bool:
    return kind in f"{request.method} {request.path} "


class FaultyProxy:
    """Stands between clients and a server; several clients may use it at once.

    Args:
        target: Address of the server.
        schedule: Request -> the fault that is done to it.
        drip_seconds: How long an answer takes that comes byte by byte.

    Attributes:
        seen: Method and path of each request, and the fault that was done to it.
    """

    def __init__(self, target: str, schedule: Schedule, *, drip_seconds: float = 1.5) -> None:
        self.target, self.schedule, self.drip_seconds = urlsplit(target).netloc, schedule, drip_seconds
        self.seen: list[tuple[str, Fault]] = []
        self.ended, self._lock = threading.Event(), threading.Lock()
        proxy = self

        class Handler(_Handler):
            pass

        Handler.proxy = proxy
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def faults(self) -> list[Fault]:
        """The faults that were done."""
        return [fault for _, fault in self.seen if fault is not Fault.PASS]

    def choose(self, request: ProxiedRequest) -> Fault:
        with self._lock:
            fault = self.schedule(request)
            if fault is Fault.FULL_ITEMS and not request.is_bulk:
                fault = Fault.BUSY
            self.seen.append((f"{request.method} {request.path}", fault))
            return fault

    def forward(self, request: ProxiedRequest, body: bytes | None = None) -> ProxiedAnswer:
        """Send a request to the server, with another body where one is given."""
        connection = HTTPConnection(self.target, timeout=60)
        try:
            sent = request.body if body is None else body
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
            connection.request(request.method, request.path, sent or None, headers)
            answer = connection.getresponse()
            return ProxiedAnswer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error of the proxy's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = ProxiedRequest(self.command, self.path, dict(self.headers.items()), body)
        fault = self.proxy.choose(request)
        answer = self.proxy.forward(request) if fault in FORWARDED_FIRST | {Fault.PASS} else None
        if fault is Fault.FULL_ITEMS:
            self.send(*_with_full_items(self.proxy, request))
        elif fault in STATUSES:
            self.send(STATUSES[fault], [("Content-Type", "text/html")], f"<html>{fault}</html>".encode())
        elif fault in BODIES:
            kind, content = BODIES[fault]
            self.send(200, [("Content-Type", kind)], content)
        elif fault in (Fault.RESET_BEFORE, Fault.RESET_AFTER):
            self.reset()
        elif fault in (Fault.HANG_BEFORE, Fault.HANG_AFTER):
            self.hang()
        elif answer is not None:
            self.answer(fault, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815  names of http.server

    def answer(self, fault: Fault, answer: ProxiedAnswer) -> None:
        half = answer.body[: len(answer.body) // 2]
        if fault is Fault.PASS:
            self.send(answer.status, answer.headers, answer.body)
        elif fault is Fault.BROKEN_JSON:
            plain = _plain(answer)
            headers = [(name, value) for name, value in answer.headers if name.lower() != "content-encoding"]
            self.send(answer.status, headers, plain[: len(plain) // 2])
        elif fault is Fault.DRIP:
            self.head(answer.status, [*answer.headers, ("Content-Length", str(len(answer.body)))])
            self.drip(answer.body)
        elif fault is Fault.CUT:
            self.head(answer.status, [*answer.headers, ("Content-Length", str(len(answer.body)))])
            self.wfile.write(half)
            self.hang_up()
        else:
            self.head(answer.status, [*answer.headers, ("Transfer-Encoding", "chunked")])
            self.wfile.write(b"%x\r\n%s\r\n" % (len(half), half) if half else b"")
            self.hang_up()

    def send(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        if self.command == "HEAD":
            body = b""
        self.head(status, [*headers, ("Content-Length", str(len(body)))])
        self.wfile.write(body)

    def head(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.send_response_only(status)
        last = len(headers) - 1
        for place, (name, value) in enumerate(headers):
            if name.lower() not in _HOP_BY_HOP or place == last:
                self.send_header(name, value)
        self.end_headers()

    def drip(self, body: bytes) -> None:
        for place in range(len(body)):
            self.wfile.write(body[place : place + 1])
            if self.proxy.ended.wait(self.proxy.drip_seconds / len(body)):
                return

    def hang(self) -> None:
        """Answer nothing until the client hangs up."""
        while not self.proxy.ended.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                break
        self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


def _plain(answer: ProxiedAnswer) -> bytes:
    zipped = any(name.lower() == "content-encoding" and value == "gzip" for name, value in answer.headers)
    return gzip.decompress(answer.body) if zipped else answer.body


def _with_full_items(proxy: FaultyProxy, request: ProxiedRequest) -> tuple[int, list[tuple[str, str]], bytes]:
    """Forward every second action of a bulk request, and answer 429 for the others."""
    actions: list[list[bytes]] = []
    for line in request.body.splitlines(keepends=True):
        if actions and len(actions[-1]) == 1 and b'"delete"' not in actions[-1][0][:12]:
            actions[-1].append(line)
        else:
            actions.append([line])
    kept = b"".join(line for action in actions[::2] for line in action)
    headers = {name: value for name, value in request.headers.items() if name.lower() != "accept-encoding"}
    plain = ProxiedRequest(request.method, request.path, headers, kept)
    answer = proxy.forward(plain)
    content = json.loads(answer.body)
    done = iter(content["items"])
    full = {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "queue is full"}}
    names = [next(iter(json.loads(action[0]))) for action in actions]
    content["items"] = [next(done) if place % 2 == 0 else {name: full} for place, name in enumerate(names)]
    return answer.status, answer.headers, json.dumps(content).encode()
