"""Send small JSON requests to a server, with the standard library alone."""

from __future__ import annotations

import json
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from opensearch_neural_sparse.devserver.security.login import Login, basic_authorization

if TYPE_CHECKING:
    from ssl import SSLContext

NO_ANSWER = (OSError, HTTPException, ValueError)
"""Exceptions of a request to a server that does not answer, refuses, or does not answer JSON."""


def get_json(url: str, path: str = "/", *, login: Login | None = None, timeout: float = 5) -> dict[str, Any]:
    """Send a GET request and return the JSON of its response. Credentials are sent as a header, never in a message.

    Args:
        url: The server's URL, perhaps with credentials.
        path: Path and query.
        login: Login of a secured server; takes precedence over credentials in the URL.
        timeout: Seconds until the server must answer.

    Raises:
        OSError: The server did not answer or refused.
        HTTPException: It closed the connection in between.
        ValueError: The response is no JSON, or the URL is invalid.
    """
    request = urllib.request.Request(without_credentials(url) + path)  # noqa: S310
    parts = urlsplit(url)
    if login is not None:
        request.add_header("Authorization", basic_authorization(login.user, login.password))
    elif parts.username is not None:
        user, password = unquote(parts.username), unquote(parts.password or "")
        request.add_header("Authorization", basic_authorization(user, password))
    with _opener(parts.hostname, None if login is None else login.tls()).open(request, timeout=timeout) as response:
        content: dict[str, Any] = json.load(response)
    return content


def without_credentials(url: str) -> str:
    """Return a URL without user, password, query and trailing slash, for messages."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def _opener(host: str | None, tls: SSLContext | None) -> urllib.request.OpenerDirector:
    """Return an opener that uses no proxy for a server on this machine."""
    local = host in ("localhost", "127.0.0.1", "::1")
    proxies = urllib.request.ProxyHandler({} if local else None)
    return urllib.request.build_opener(proxies, urllib.request.HTTPSHandler(context=tls))
