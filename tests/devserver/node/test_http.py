from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from opensearch_neural_sparse.devserver.node.http import get_json, without_credentials


@pytest.fixture
def listening() -> Iterator[tuple[str, list[str | None]]]:
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"path": "%s"}' % self.path.encode())

        def log_message(self, *arguments: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def test_credentials_of_the_url_go_into_the_header(listening: tuple[str, list[str | None]]):
    address, seen = listening
    assert get_json(f"http://us%40er:p%2Fw@{address}/", "/_cluster/health") == {"path": "/_cluster/health"}
    assert seen == [f"Basic {base64.b64encode(b'us@er:p/w').decode()}"]


def test_a_url_without_credentials_sends_none(listening: tuple[str, list[str | None]]):
    address, seen = listening
    get_json(f"http://{address}")
    assert seen == [None]


def test_no_proxy_is_asked_for_a_server_on_this_machine(
    listening: tuple[str, list[str | None]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert get_json(f"http://{listening[0]}") == {"path": "/"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@host:9200/", "https://host:9200"),
        ("https://user:se@cret@host/prefix/?token=secret", "https://host/prefix"),
        ("http://localhost:9200", "http://localhost:9200"),
    ],
)
def test_a_url_is_shown_without_credentials(url: str, shown: str):
    assert without_credentials(url) == shown
