"""Blocking and asynchronous store of one index."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sized
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    ClientLogin,
    IndexNotFoundError,
    IndexSchema,
    NeuralSparseStore,
)
from opensearch_neural_sparse.layer_support import check_mapping, has_login, repr_over

if TYPE_CHECKING:
    from opensearchpy import AsyncOpenSearch, OpenSearch


URL_VARIABLE = "OPENSEARCH_URL"
"""The environment variable of the server's address."""


class StorePair:
    """Blocking and asynchronous store of one index; one is missing if there is no client for it.

    Args:
        store: The blocking store.
        async_store: The asynchronous store.
        owned: Whether the stores are closed with the pair.
    """

    def __init__(
        self, store: NeuralSparseStore | None, async_store: AsyncNeuralSparseStore | None, *, owned: bool
    ) -> None:
        given = [one for one in (store, async_store) if one is not None]
        if not given:
            raise ValueError(
                f"Give the url of a server or set {URL_VARIABLE}, or give a client or an async_client, or stores."
            )
        self._any: NeuralSparseStore | AsyncNeuralSparseStore = given[0]
        self._store, self._async_store, self._owned = store, async_store, owned

    @staticmethod
    def make(
        index: str,
        *,
        url: str | None,
        client: OpenSearch | None,
        async_client: AsyncOpenSearch | None,
        client_options: Mapping[str, Any] | None,
        options: Mapping[str, Any],
    ) -> StorePair:
        """Make the stores of an index, for each given client or for an address.

        Args:
            index: Index or alias.
            url: Address of a server, for either side that has no client; without it and any client, that of the
                environment, with the login of the environment.
            client: Client of the blocking side.
            async_client: Client of the asynchronous side.
            client_options: Options of the clients that are made for `url`.
            options: What else both stores take; they share their encoders.
        """
        check_mapping(optional=True, client_options=client_options)
        given_options = client_options or {}
        if url is None and client is None and async_client is None:
            url, given_options = _of_environment(given_options)
        if given_options and (url is None or (client is not None and async_client is not None)):
            raise ValueError(
                "client_options are for the clients that are made for url=...; those given have their own."
            )
        store = async_store = None
        if client is not None:
            store = NeuralSparseStore(index, client=client, **options)
        elif url is not None:
            store = NeuralSparseStore(index, url=url, client_options=given_options, **options)
        if async_client is not None:
            async_store = AsyncNeuralSparseStore(index, client=async_client, **options)
        elif url is not None:
            async_store = AsyncNeuralSparseStore(index, url=url, client_options=given_options, **options)
        return _owned_pair(store, async_store, shared=True)

    def __reduce__(self) -> tuple[Callable[..., StorePair], tuple[Any, ...]]:
        return _owned_pair, (self._store, self._async_store, self._owned)

    def __deepcopy__(self, memo: dict[int, Any]) -> StorePair:
        if not self._owned:
            return StorePair(self._store, self._async_store, owned=False)
        return _owned_pair(*deepcopy((self._store, self._async_store), memo), shared=True)

    @property
    def blocking(self) -> NeuralSparseStore:
        """Blocking store.

        Raises:
            ValueError: There is no client for it.
        """
        if self._store is None:
            raise ValueError(
                "This vector store has only an async client. Use the async methods, or pass client=... or url=..."
            )
        return self._store

    @property
    def awaited(self) -> AsyncNeuralSparseStore:
        """Asynchronous store.

        Raises:
            ValueError: There is no client for it.
        """
        if self._async_store is None:
            raise ValueError(
                "This vector store has only a blocking client. Use the blocking methods, or pass async_client=... or "
                "url=..."
            )
        return self._async_store

    def show(self, owner: object) -> str:
        """Return the representation of an object over these stores: its name, index, address and model."""
        return repr_over(owner, self._any)

    @property
    def index(self) -> str:
        """Index or alias."""
        return self._any.index

    @property
    def is_creatable(self) -> bool:
        """Whether the first write creates a missing index: needs one name and a model."""
        return self._any.is_creatable

    @property
    def schema(self) -> IndexSchema:
        """Names of the fields."""
        return self._any.schema

    def schema_for(self, *parts: object) -> IndexSchema:
        """Return the names of the fields of the opened index, where parts of a search name some; else those given.

        A missing index has those that were given; the search itself says that it is missing.
        """
        if not any(map(_names_fields, parts)):
            return self.schema
        try:
            return self.blocking.open(unbound=True).schema
        except IndexNotFoundError:
            return self.schema

    async def aschema_for(self, *parts: object) -> IndexSchema:
        """Run `schema_for` asynchronously."""
        if not any(map(_names_fields, parts)):
            return self.schema
        try:
            return (await self.awaited.open(unbound=True)).schema
        except IndexNotFoundError:
            return self.schema

    @property
    def model_id(self) -> str | None:
        """Id of the model, if it is known without a request."""
        return self._any.model_id

    def close(self) -> None:
        """Close everything opened here, except the clients of event loops, which close with their loop."""
        if self._owned and self._store is not None:
            self._store.close()

    async def aclose(self) -> None:
        """Close everything opened here, with the client of this event loop."""
        if self._owned and self._async_store is not None:
            await self._async_store.close()
        self.close()


def _of_environment(options: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
    """Return the address of the environment, and options with its login unless they have one."""
    if not (url := os.environ.get(URL_VARIABLE)):
        return None, options
    login = {} if has_login(options) else ClientLogin.from_environment().client_options()
    if "headers" in login and "headers" in options:
        login["headers"] = {**options["headers"], **login["headers"]}
        options = {name: value for name, value in options.items() if name != "headers"}
    return url, {**login, **options}


def _owned_pair(store: NeuralSparseStore | None, async_store: AsyncNeuralSparseStore | None, shared: bool) -> StorePair:
    """Return a pair that closes its stores; they share their encoders if one pair made both."""
    if shared and store is not None and async_store is not None:
        async_store.share_encoders(store)
    return StorePair(store, async_store, owned=True)


def _names_fields(part: object) -> bool:
    return len(part) > 0 if isinstance(part, Sized) else part is not None
