"""Connections of urllib3 with a timeout for the whole answer, not only for the wait for its next byte."""

from __future__ import annotations

from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from socket import socket

    from _typeshed import WriteableBuffer

_LEAST = 0.001
"""Seconds that a phase has at least; 0 would make a socket one that does not wait."""


class _BoundedReader(RawIOBase):
    """Reads from a socket until its timeout, counted from now, is over."""

    def __init__(self, sock: socket) -> None:
        seconds = sock.gettimeout()
        self._ends_at = None if seconds is None else monotonic() + seconds
        self._socket, self._raw = sock, sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self._ends_at is not None:
            left = self._ends_at - monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedSocket:
    """A socket as an HTTP response takes it."""

    def __init__(self, sock: socket) -> None:
        self._socket = sock

    def makefile(self, _: str) -> BufferedReader:
        return BufferedReader(_BoundedReader(self._socket))


class BoundedHTTPConnection(HTTPConnection):
    """A connection with one timeout for connecting, and for status line, headers and body together."""

    def connect(self) -> None:
        """Connect; what that took is no longer left for the request."""
        began = monotonic()
        super().connect()
        if isinstance(self.timeout, int | float):
            self.timeout = max(_LEAST, self.timeout - (monotonic() - began))
            self.sock.settimeout(self.timeout)

    def response_class(self, sock: Any, *arguments: Any, **options: Any) -> HTTPResponse:  # type: ignore[override]
        """Return the response that is read from a socket; `http.client` calls this."""
        bounded: Any = _BoundedSocket(sock)
        return HTTPResponse(bounded, *arguments, **options)


class BoundedHTTPSConnection(BoundedHTTPConnection, HTTPSConnection):
    """A bounded connection over TLS."""


class BoundedHTTPPool(HTTPConnectionPool):
    """A pool of bounded connections."""

    ConnectionCls = BoundedHTTPConnection


class BoundedHTTPSPool(HTTPSConnectionPool):
    """A pool of bounded connections over TLS."""

    ConnectionCls = BoundedHTTPSConnection


BOUNDED_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": BoundedHTTPPool, "https": BoundedHTTPSPool}
"""Scheme -> pool, as a pool manager of urllib3 takes them."""
