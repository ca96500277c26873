"""Blocking clients that are handed in, or made for a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.transport.address import hosts_of, shown
from opensearch_neural_sparse.transport.client_options import CLIENT_DEFAULTS, check_client_source
from opensearch_neural_sparse.transport.connection_failures import check_files

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


def open_client(url: Any, options: Mapping[str, Any]) -> OpenSearch:
    """Return a client for one or several addresses; nothing is sent.

    Args:
        url: As `check_address` takes it.
        options: Options of the client.
    """
    from opensearchpy import OpenSearch

    from opensearch_neural_sparse.transport.connections.blocking import bounded
    from opensearch_neural_sparse.transport.connections.transport import DeadlineTransport

    check_files(options, shown(url))
    connection_class = bounded(options.get("connection_class"))
    parts = {"transport_class": DeadlineTransport, **options, "connection_class": connection_class}
    return OpenSearch(hosts_of(url), **parts)


class BlockingClient:
    """A client of the caller's, or one that is opened for a URL; the second kind can be pickled.

    Args:
        client: A client of the caller's, or None.
        url: Address of a server, in place of a client.
        options: Options of the client that is made for a url.

    Raises:
        TypeError: An unknown client option, or key of a host.
        ValueError: Neither a client nor a url, or both; or options beside a client.
    """

    def __init__(self, client: OpenSearch | None, url: Any, options: Mapping[str, Any] | None) -> None:
        check_client_source(client, url, options)
        self._given, self._url, self._options = client, url, {**CLIENT_DEFAULTS, **(options or {})}

    def open(self) -> OpenSearch:
        """Return the client."""
        return open_client(self._url, self._options) if self._given is None else self._given

    def close(self, client: OpenSearch) -> None:
        """Close a client that `open` returned, unless it is the caller's."""
        if self._given is None:
            client.close()

    def __getstate__(self) -> dict[str, Any]:
        if self._given is not None:
            raise TypeError(
                "A client that was handed in cannot be pickled. Give url=... and client_options=... instead: each "
                "unpickled copy opens its own client."
            )
        return dict(vars(self))
