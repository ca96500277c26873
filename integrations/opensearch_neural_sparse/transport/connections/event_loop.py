"""Transport and connections of asynchronous clients; imported only with a client."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any

from opensearchpy import AIOHttpConnection, AsyncConnection, AsyncHttpConnection, AsyncTransport

from opensearch_neural_sparse.transport.connections.deadline import attempt
from opensearch_neural_sparse.transport.connections.transport import DeadlineTransport

LARGE = 1024 * 1024
"""Body size in bytes beyond which aiohttp warns unless the body is a stream."""


class AsyncDeadlineTransport(DeadlineTransport, AsyncTransport):
    """Gives each request one deadline, as the blocking one does."""


class _Bounded(AsyncConnection):
    """Ends each attempt within what is left of its request; aiohttp bounds the whole answer."""

    async def perform_request(
        self,
        method: str,
        url: str,
        params: Any = None,
        body: Any = None,
        timeout: Any = None,  # noqa: ASYNC109  the request's own
        ignore: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request; see `opensearchpy.AsyncConnection`."""
        with attempt(timeout, self.timeout) as seconds:
            return await super().perform_request(method, url, params, body, seconds, ignore, headers)


class StreamingConnection(_Bounded, AIOHttpConnection):
    """Stream large requests, so that a bulk request does not block the event loop."""

    async def perform_request(
        self, method: str, url: str, params: Any = None, body: Any = None, *arguments: Any, **options: Any
    ) -> Any:
        """Send a request; see `opensearchpy.AIOHttpConnection`."""
        if isinstance(body, bytes) and len(body) > LARGE and not self.http_compress:
            body = BytesIO(body)
        return await super().perform_request(method, url, params, body, *arguments, **options)


class BoundedSigningConnection(_Bounded, AsyncHttpConnection):
    """The connection that has its requests signed by a callable."""


_BOUNDED: Mapping[Any, type[AsyncConnection]] = {
    None: StreamingConnection,
    AIOHttpConnection: StreamingConnection,
    AsyncHttpConnection: BoundedSigningConnection,
}


def bounded(connection_class: Any) -> Any:
    """Return the bounded form of a connection class of opensearch-py; None is the usual one, others stay."""
    return _BOUNDED.get(connection_class, connection_class)
