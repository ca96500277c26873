"""Small JSON requests to a server, with the standard library alone."""

from __future__ import annotations

import base64
import json
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

NO_ANSWER = (OSError, HTTPException, ValueError)
"""What a request raises when the server does not answer, refuses, or answers no JSON."""


def get_json(url: str, path: str = "/", *, timeout: float = 5) -> dict[str, Any]:
    """Return the answer to a GET request. Credentials in the URL go into the header, never into a message.

    Raises:
        OSError: The server did not answer or refused.
        HTTPException: It closed the connection in between.
        ValueError: The answer is no JSON, or the URL is none.
    """
    request = urllib.request.Request(without_credentials(url) + path)  # noqa: S310
    parts = urlsplit(url)
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
    with _opener(parts.hostname).open(request, timeout=timeout) as answer:
        content: dict[str, Any] = json.load(answer)
    return content


def without_credentials(url: str) -> str:
    """Return the URL without user, password, query and trailing slash: fit to be shown."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def _opener(host: str | None) -> urllib.request.OpenerDirector:
    """Return an opener that asks no proxy for a server on this machine."""
    local = host in ("localhost", "127.0.0.1", "::1")
    return urllib.request.build_opener(urllib.request.ProxyHandler({} if local else None))
