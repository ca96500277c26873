"""Clients that are handed in, or made for a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.portable import Portable
from opensearch_neural_sparse.transport.address import shown
from opensearch_neural_sparse.transport.client_options import CLIENT_DEFAULTS, check_client_source
from opensearch_neural_sparse.transport.errors import address_of

Client = TypeVar("Client")


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
        check_client_source(client, url, client_options)
        self._context, self._client, self._url = context, client, url
        self._owns_client = client is None
        self._client_options = {**CLIENT_DEFAULTS, **(client_options or {})}
        self._begin()

    @property
    def address(self) -> str:
        """Address of the server, or of several, without credentials; nothing is connected."""
        if self._url is not None:
            return shown(self._url, secure=bool(self._client_options.get("use_ssl")))
        return address_of(self._client) if hasattr(self._client, "transport") else shown([])

    def _begin(self) -> None:
        """Set nothing: a copy without a client makes its own."""

    def _as_made(self) -> dict[str, Any]:
        return super()._as_made() | ({"_client": None} if self._owns_client else {})

    def _ensure_picklable(self) -> None:
        if not self._owns_client:
            index = self._context.index
            raise TypeError(
                f"The store of index {index!r} has a client that was handed in, and a client cannot be pickled. "
                "Give url=... and client_options=... instead: each unpickled store opens its own client."
            )
