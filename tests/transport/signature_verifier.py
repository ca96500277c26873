"""A server that checks signatures of version 4 by itself, as Amazon documents them."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "AKIAEXAMPLEOFTESTS", "a/secret+key of tests", "a-session-token-of-tests"
REGION = "eu-central-1"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_FOUND = {"took": 1, "timed_out": False, "_shards": {"total": 1, "successful": 1, "failed": 0}, "hits": {"hits": []}}


@dataclass
class Verifier:
    """What a verifying server saw.

    Attributes:
        url: Its address.
        service: The service that requests have to be signed for.
        problems: What was wrong with each request; an empty text where nothing was.
    """

    url: str
    service: str
    problems: list[str] = field(default_factory=list)


def problem_of(method: str, target: str, headers: Any, body: bytes, service: str) -> str:
    """Return what is wrong with the signature of a request, or an empty text."""
    found = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
    if found is None:
        return "no signature"
    if (found["key"], found["region"], found["service"]) != (ACCESS_KEY, REGION, service):
        return "another scope"
    digest = hashlib.sha256(body).hexdigest()
    if headers.get("x-amz-content-sha256") != digest:
        return "another body"
    path, _, query = target.partition("?")
    names = found["headers"].split(";")
    if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names):
        return "headers that are not signed"
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, True))
    canonical = "\n".join(
        [
            method,
            quote(path, safe="/-_.~"),  # encoded twice, as every service but S3 has it
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in names),
            "",
            found["headers"],
            digest,
        ]
    )
    scope = f"{found['day']}/{found['region']}/{found['service']}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashed])
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    fits = hmac.compare_digest(hmac.new(key, to_sign.encode(), "sha256").hexdigest(), found["signature"])
    return "" if fits else f"another signature for {unquote(target)}"


@contextmanager
def verifying_server(service: str) -> Iterator[Verifier]:
    """Run a server that answers 403 to every request whose signature is not right."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            problem = problem_of(self.command, self.path, self.headers, body, service)
            seen.problems.append(problem)
            content = json.dumps({"message": problem} if problem else _FOUND).encode()
            self.send_response(403 if problem else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen = Verifier(url=f"http://127.0.0.1:{server.server_port}", service=service)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
