"""opensearch-haystack's document store over an index that is bound to a model.

Its clients are those of the core's two stores, which open the index and check it; the parent's own methods go through
them. A test holds that every private name of the parent that this package relies on is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore
from haystack_integrations.document_stores.opensearch.auth import AsyncAWSAuth, AWSAuth
from haystack_integrations.document_stores.opensearch.filters import normalize_filters

from haystack_integrations.document_stores.opensearch_neural_sparse.document_codec import DocumentCodec
from haystack_integrations.document_stores.opensearch_neural_sparse.error_translation import translating_errors
from haystack_integrations.document_stores.opensearch_neural_sparse.filters import (
    Filters,
    checked_filters,
    filter_errors,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.index_creation import (
    AwaitedStore,
    create_unstamped,
    open_or_create,
    open_or_create_async,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
from haystack_integrations.document_stores.opensearch_neural_sparse.logins import login_options
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import given
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, VectorRemedies
from opensearch_neural_sparse.layer_support import shown

if TYPE_CHECKING:
    from haystack.dataclasses import Document
    from haystack.utils import Secret
    from opensearchpy import AsyncOpenSearch, OpenSearch

    from opensearch_neural_sparse import IndexSchema, Prune, ServerEncoding, SparseTokenizer
    from opensearch_neural_sparse.layer_support import IndexInfo

LOCAL = "http://localhost:9200"
REMEDIES = VectorRemedies(
    sparse="Embed documents by NeuralSparseDocumentEmbedder before they are written; a content in which the model "
    "knows no token has no vector.",
    further="NeuralSparseStore.add_field() fills it.",
    dense="Embed documents by a dense embedder as well, or leave embedding_dim out.",
)


def _is_encoded_by_server(info: IndexInfo) -> bool:
    return info.binding is not None and info.binding.server is not None


@translating_errors
class BoundDocumentStore(OpenSearchDocumentStore):
    """Open and read an index of the core's layout through the parent's methods.

    The blocking side and the asynchronous one are opened and closed by themselves; the latter has a client in each
    event loop. Copies of a store are closed stores.

    Args:
        schema: Names and types of the fields.
        model: Name, hub id or folder of the model, or None.
        prune: Which tokens of a document the index keeps, or None.
        server_encoding: The model in the server that encodes documents, or None.
        tokens: `api_key` and `bearer_token`.
        parameters: Parameters of the parent.
    """

    def __init__(
        self,
        schema: IndexSchema,
        model: str | None,
        prune: Prune | None,
        server_encoding: ServerEncoding | None = None,
        tokens: Mapping[str, Secret | None] | None = None,
        **parameters: Any,
    ) -> None:
        self._schema, self._model, self._prune, self._server_encoding = schema, model, prune, server_encoding
        self._tokens = tokens or {}
        self._blocking = Lazy(self._open_blocking)
        self._asynchronous = Lazy(self._new_asynchronous)
        super().__init__(**parameters)

    def __repr__(self) -> str:
        model = "" if self._model is None else f", model={self._model!r}"
        hosts = shown(self._hosts or LOCAL, secure=bool(self._use_ssl))
        return f"{type(self).__name__}(hosts={hosts!r}, index={self._index!r}{model})"

    def close(self) -> None:
        """Close the blocking client and release its model; the next use opens them again."""
        if (store := self._blocking.take()) is not None:
            store.close()

    async def close_async(self) -> None:
        """Close the client of this event loop and release its model; the next use opens them again."""
        if (awaited := self._asynchronous.take()) is not None:
            await awaited.store.close()

    def create_index(
        self, index: str | None = None, mappings: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        """Create an index that is stamped with the model; one that exists is checked and left as it is.

        Args:
            index: Its name; by default the store's own.
            mappings: Mappings in place of the store's own; an index with such carries no stamp.
            settings: Its settings; by default the store's own.
        """
        with self._new_blocking(index) as store:
            if mappings:
                create_unstamped(store, mappings, settings or self._settings)
            else:
                open_or_create(store, settings or self._settings, create=True)

    async def create_index_async(
        self, index: str | None = None, mappings: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        """Create an index that is stamped with the model; see `create_index`."""
        await asyncio.to_thread(self.create_index, index, mappings, settings)

    def is_encoded_by_server(self) -> bool:
        """Return whether the server encodes documents that are written without a sparse embedding."""
        return _is_encoded_by_server(self._open().open())

    async def is_encoded_by_server_async(self) -> bool:
        """Return whether the server encodes documents that are written without a sparse embedding."""
        return _is_encoded_by_server(await (await self._open_async()).open())

    def refresh(self) -> None:
        """Make what was written searchable."""
        self._open().refresh()

    async def refresh_async(self) -> None:
        """Make what was written searchable."""
        await (await self._open_async()).refresh()

    def _encoder_options(self) -> dict[str, Any]:
        return {}

    def _open(self) -> NeuralSparseStore:
        return self._blocking.get()

    async def _open_async(self) -> AsyncNeuralSparseStore:
        awaited = self._asynchronous.get()
        if not awaited.opened:
            info = await open_or_create_async(awaited.store, self._settings, create=self._creates(awaited.store))
            awaited.opened = True
            self._note_nested(info)
        await awaited.store.client()
        return awaited.store

    def _open_blocking(self) -> NeuralSparseStore:
        store = self._new_blocking()
        try:
            self._note_nested(open_or_create(store, self._settings, create=self._creates(store)))
        except BaseException:
            store.close()
            raise
        return store

    def _creates(self, store: NeuralSparseStore | AsyncNeuralSparseStore) -> bool:
        """Return whether a missing index is created: that is wished, and can be."""
        return self._create_index and store.is_creatable

    def _new_blocking(self, name: str | None = None) -> NeuralSparseStore:
        return NeuralSparseStore(name or self._index, **self._store_options(**self._login()))

    def _new_asynchronous(self) -> AwaitedStore:
        connection = self._login()
        if isinstance(auth := connection.get("http_auth"), AWSAuth):
            connection = {"http_auth": AsyncAWSAuth(auth)}
        return AwaitedStore(AsyncNeuralSparseStore(self._index, **self._store_options(**connection)))

    def _login(self) -> dict[str, Any]:
        """Return the client options that log in; each names the environment variables that it was read from."""
        return login_options(self._http_auth, self._resolve_http_auth(), self._tokens)

    def _store_options(self, **connection: Any) -> dict[str, Any]:
        if "headers" in connection:
            connection["headers"] = {**(self._kwargs.get("headers") or {}), **connection["headers"]}
        own = given(use_ssl=self._use_ssl, verify_certs=self._verify_certs, timeout=self._timeout)
        return {
            "url": self._hosts or LOCAL,
            "client_options": own | self._kwargs | given(**connection),
            "model": self._model,
            "schema": self._schema,
            "prune": self._prune,
            "encoder_options": self._encoder_options(),
            "vector_remedies": REMEDIES,
            "server_encoding": self._server_encoding,
        }

    def _note_nested(self, info: IndexInfo) -> None:
        for mappings in info.mappings:
            self._populate_nested_fields_from_mapping(dict(mappings.get("properties", {})))

    def _new_nested_fields(self, documents: list[Document]) -> set[str]:
        if self._nested_fields != "*":
            return set()
        return self._detect_nested_fields_from_documents(documents) - self._resolved_nested_fields

    @property
    def _client(self) -> OpenSearch | None:
        return self._open().client()

    @_client.setter
    def _client(self, client: OpenSearch | None) -> None:
        """Ignore the parent's initial `None`."""

    @property
    def _async_client(self) -> AsyncOpenSearch | None:
        return self._asynchronous.get().store.connected_client

    @_async_client.setter
    def _async_client(self, client: AsyncOpenSearch | None) -> None:
        """Ignore the parent's initial `None`."""

    def _get_default_mappings(self) -> dict[str, Any]:
        """Return none: the core makes the mappings of an index that it creates."""
        return {}

    def _ensure_initialized(self) -> None:
        self._open()

    async def _ensure_initialized_async(self) -> None:
        await self._open_async()

    def _clause(self, filters: Filters | None, schema: IndexSchema) -> dict[str, Any] | None:
        """Return the query clause of filters as Haystack gives them, or None where there are none."""
        checked = checked_filters(filters, schema)
        return None if checked is None else self._translated(checked)

    def _checked(self, filters: Filters | None) -> Filters | None:
        """Return filters as opensearch-haystack translates them rightly, after a warning of unmapped fields."""
        store = self._open()
        if (checked := checked_filters(filters, store.schema)) is not None:
            with filter_errors():
                store.check_filter(self._translated(checked))
        return checked

    async def _checked_async(self, filters: Filters | None) -> Filters | None:
        """Return filters as opensearch-haystack translates them rightly, after a warning of unmapped fields."""
        store = await self._open_async()
        if (checked := checked_filters(filters, store.schema)) is not None:
            with filter_errors():
                await store.check_filter(self._translated(checked))
        return checked

    def _translated(self, checked: Filters) -> dict[str, Any]:
        clause: dict[str, Any] = normalize_filters(checked, nested_fields=self._resolved_nested_fields)
        return clause

    def _codec(self, store: NeuralSparseStore, info: IndexInfo) -> DocumentCodec:
        return DocumentCodec(store.index, info, store.tokenizer)

    def _codec_async(self, store: AsyncNeuralSparseStore, info: IndexInfo) -> DocumentCodec:
        """Return a codec that worker threads translate token ids by."""
        loop = asyncio.get_running_loop()

        def tokenizer() -> SparseTokenizer:
            return asyncio.run_coroutine_threadsafe(store.tokenizer(), loop).result()

        return DocumentCodec(store.index, info, tokenizer)

    def _search_documents(self, request_body: dict[str, Any]) -> list[Document]:
        store = self._open()
        response = store.client().search(index=self._index, body=self._readable(request_body))
        return self._codec(store, store.open()).read(response)

    async def _search_documents_async(self, request_body: dict[str, Any]) -> list[Document]:
        store = await self._open_async()
        client = await store.client()
        response = await client.search(index=self._index, body=self._readable(request_body))
        return await asyncio.to_thread(self._codec_async(store, await store.open()).read, response)

    def _readable(self, request_body: dict[str, Any]) -> dict[str, Any]:
        if self._return_embedding:
            return request_body
        excluded = [self._schema.embedding_field, self._schema.sparse_field]
        return request_body | {"_source": {"excludes": excluded}}
