"""Server info cached per client, so that several stores ask once."""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from opensearch_neural_sparse.server_info import ServerInfo

_known: WeakKeyDictionary[Any, ServerInfo] = WeakKeyDictionary()
_lock = Lock()


def known_server(client: Any) -> ServerInfo | None:
    """Return the cached server info of a client, or None."""
    with _lock:
        return _known.get(client)


def remember_server(client: Any, server: ServerInfo) -> ServerInfo:
    """Cache the server info for the lifetime of a client; return it.

    Incomplete answers are not cached: the next store may have more permissions.
    """
    if server.tells_version and server.plugins is not None:
        with _lock:
            _known[client] = server
    return server
