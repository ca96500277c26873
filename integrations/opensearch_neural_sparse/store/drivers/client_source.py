"""Clients that are handed in, or made for a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.portable import Portable
from opensearch_neural_sparse.transport.address import check_address
from opensearch_neural_sparse.transport.client_options import check_client_options, check_host_options

Client = TypeVar("Client")
CLIENT_DEFAULTS: Mapping[str, Any] = {"timeout": 60, "pool_maxsize": 20}
"""Options of the clients that stores make: opensearch-py gives up after 10 seconds and keeps one connection."""


class ClientSource(Portable, Generic[Client]):
    """A client of the caller's, or the URL and options that a client is made of.

    Args:
        context: What the store knows.
        client: A client of the caller's, or None.
        url: Address of a server, in place of a client.
        client_options: Options of the client that is made for a url.

    Raises:
        TypeError: An unknown client option, or key of a host.
        ValueError: Neither a client nor a url, or both; client options beside a client; or a url that is none.
    """

    def __init__(
        self,
        context: StoreContext,
        client: Client | None,
        url: str | None,
        client_options: Mapping[str, Any] | None,
    ) -> None:
        if (client is None) == (url is None):
            raise ValueError("Give either a client or the url of a server.")
        if client is None:
            check_address(url)
            check_client_options(client_options or {})
            check_host_options(url, client_options or {})
        elif client_options:
            raise ValueError("client_options are for the client that is made for a url; the client given has its own.")
        self._context, self._client, self._url = context, client, url
        self._owns_client = client is None
        self._client_options = {**CLIENT_DEFAULTS, **(client_options or {})}
        self._begin()

    def _begin(self) -> None:
        """Set nothing: a copy without a client makes its own."""

    def _as_made(self) -> dict[str, Any]:
        return super()._as_made() | ({"_client": None} if self._owns_client else {})

    def _ensure_picklable(self) -> None:
        if not self._owns_client:
            index = self._context.index
            raise TypeError(
                f"The store of index {index!r} has a client that was handed in, and a client cannot be pickled. "
                "Give url=... and client_options=... instead: whoever unpickles the store opens a client of its own."
            )
