"""Blocking and asynchronous store of one index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from langchain_opensearch_neural_sparse.client_options import async_options
from langchain_opensearch_neural_sparse.filters import Filter, compile_filter
from opensearch_neural_sparse import AsyncNeuralSparseStore, IndexSchema, NeuralSparseStore

if TYPE_CHECKING:
    from opensearchpy import AsyncOpenSearch, OpenSearch


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
            raise ValueError("Give the url of a server, a client or an async_client, or stores of the core.")
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
            url: Address of a server, for either side that has no client.
            client: Client of the blocking side.
            async_client: Client of the asynchronous side.
            client_options: Options of the clients that are made for `url`.
            options: What else both stores take; they share their encoders.
        """
        given_options = client_options or {}
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
            async_store = AsyncNeuralSparseStore(index, url=url, client_options=async_options(given_options), **options)
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

    def clauses(self, filter: Filter | None) -> list[dict[str, Any]]:  # noqa: A002 (LangChain's word)
        """Return the query clauses of a filter on this index; see `compile_filter`."""
        return compile_filter(filter, self.schema)

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


def _owned_pair(store: NeuralSparseStore | None, async_store: AsyncNeuralSparseStore | None, shared: bool) -> StorePair:
    """Return a pair that closes its stores; they share their encoders if one pair made both."""
    if shared and store is not None and async_store is not None:
        async_store.share_encoders(store)
    return StorePair(store, async_store, owned=True)
