"""Connections of blocking clients."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from opensearchpy import Connection, RequestsHttpConnection, Urllib3HttpConnection
from urllib3 import Timeout

from opensearch_neural_sparse.bounded_http import BOUNDED_POOLS
from opensearch_neural_sparse.transport.connections.deadline import attempt


class _Bounded(Connection):
    """Ends each attempt within what is left of its request."""

    def perform_request(
        self,
        method: str,
        url: str,
        params: Any = None,
        body: Any = None,
        timeout: Any = None,
        ignore: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request; see `opensearchpy.Connection`."""
        with attempt(timeout, self.timeout) as seconds:
            # Both libraries take this object where opensearch-py names a number.
            limit: Any = Timeout(total=seconds) if seconds else seconds
            return super().perform_request(method, url, params, body, timeout=limit, ignore=ignore, headers=headers)


class BoundedUrllib3Connection(_Bounded, Urllib3HttpConnection):
    """The usual connection, by urllib3."""

    def _create_urllib3_pool(self) -> None:
        super()._create_urllib3_pool()
        self.pool.ConnectionCls = BOUNDED_POOLS[self.pool.scheme].ConnectionCls


class BoundedRequestsConnection(_Bounded, RequestsHttpConnection):  # type: ignore[misc]
    """The connection by requests."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        adapters: Any = self.session.adapters
        for adapter in adapters.values():
            adapter.poolmanager.pool_classes_by_scheme = BOUNDED_POOLS


_BOUNDED: Mapping[Any, type[Connection]] = {
    None: BoundedUrllib3Connection,
    Urllib3HttpConnection: BoundedUrllib3Connection,
    RequestsHttpConnection: BoundedRequestsConnection,
}


def bounded(connection_class: Any) -> Any:
    """Return the bounded form of a connection class of opensearch-py; None is the usual one, others stay."""
    return _BOUNDED.get(connection_class, connection_class)
