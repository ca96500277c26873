"""Addresses at which nodes of a cluster read archives."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.loopback import is_loopback

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


@contextmanager
def offered(
    path: Path, client: OpenSearch, *, model: str, serve_from: str | None, archive_url: str | None
) -> Iterator[str]:
    """Yield the URL at which the nodes read an archive.

    Args:
        path: The archive.
        client: A client; where all its servers are on this machine, they read the file itself.
        model: Name of the model, for messages.
        serve_from: Address of this machine, `host` or `host:port`, at which the archive is served meanwhile.
        archive_url: URL of the folder into which the archive was put.

    Raises:
        ServerModelError: The server is elsewhere and neither is given, or the address is not of this machine.
    """
    if archive_url is not None:
        yield f"{archive_url.rstrip('/')}/{path.name}"
    elif serve_from is not None:
        with _served(path, serve_from, model) as url:
            yield url
    elif all(is_loopback(host.get("host", "localhost")) for host in client.transport.hosts):
        yield path.absolute().as_uri()
    else:
        problem = "the server is on another machine, which cannot read the archive"
        remedy = (
            "Give serve_from, an address of this machine that the nodes reach, or put "
            f"{path} where they read it and give archive_url."
        )
        raise ServerModelError(model, problem, remedy=remedy, cause="unreadable_archive")


@contextmanager
def _served(path: Path, address: str, model: str) -> Iterator[str]:
    host, _, port = address.rpartition(":") if address.count(":") == 1 else (address, "", "0")
    secret = secrets.token_urlsafe(16)
    try:
        server = ThreadingHTTPServer((host, int(port)), _handler(f"/{secret}/{path.name}", path))
    except (OSError, ValueError) as error:
        remedy = "serve_from is an address of this machine, `host` or `host:port`."
        raise ServerModelError(model, f"nothing can be served at {address!r}: {error}", remedy=remedy) from None
    with server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{server.server_address[1]}/{secret}/{path.name}"
        finally:
            server.shutdown()
            thread.join()


def _handler(place: str, path: Path) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Serves one file at one place."""

        def do_GET(self) -> None:
            """Send the file."""
            if self.path != place:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            with path.open("rb") as file:
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "application/zip")
                self.send_header("Content-Length", str(path.stat().st_size))
                self.end_headers()
                shutil.copyfileobj(file, self.wfile)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler
