"""What the server behind each client is, so that several stores over one client ask once."""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from opensearch_neural_sparse.server_info import ServerInfo

_known: WeakKeyDictionary[Any, ServerInfo] = WeakKeyDictionary()
_lock = Lock()


def known_server(client: Any) -> ServerInfo | None:
    """Return what the server of a client is, if it told a store before."""
    with _lock:
        return _known.get(client)


def remember_server(client: Any, server: ServerInfo) -> ServerInfo:
    """Keep what the server of a client is, for as long as there is the client; return it.

    A server that refused to tell something is asked again by the next store, whose rights may be others by then.
    """
    if server.tells_version and server.plugins is not None:
        with _lock:
            _known[client] = server
    return server
