"""opensearch-haystack's document store over an index that is bound to a model.

Its clients are those of the core's two stores, which open the index and check it; the parent's own methods go through
them. A test holds that every private name of the parent that this package relies on is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from haystack_integrations.document_stores.opensearch.auth import AsyncAWSAuth, AWSAuth

from haystack_integrations.document_stores.opensearch_neural_sparse.index import (
    IN_HAYSTACK,
    AsyncDocumentIndex,
    DocumentIndex,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.inherited import InheritedDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import given, named_login
from opensearch_neural_sparse.index.mapping import create_index_body

if TYPE_CHECKING:
    from haystack.dataclasses import Document
    from opensearchpy import AsyncOpenSearch, OpenSearch

    from opensearch_neural_sparse.encode.pruning import Prune
    from opensearch_neural_sparse.index.schema import IndexSchema

LOCAL = "http://localhost:9200"


class BoundDocumentStore(InheritedDocumentStore):
    """Open and read an index of the core's layout through the parent's methods.

    The blocking side and the asynchronous one are opened and closed by themselves; the latter has a client in each
    event loop. Copies of a store are closed stores.

    Args:
        schema: Names and types of the fields.
        model: Name, hub id or folder of the model, or None.
        prune: Which tokens of a document the index keeps, or None.
        parameters: Parameters of the parent.
    """

    def __init__(self, schema: IndexSchema, model: str | None, prune: Prune | None, **parameters: Any) -> None:
        self._schema, self._model, self._prune = schema, model, prune
        self._blocking = Lazy(self._open_blocking)
        self._asynchronous = Lazy(self._new_asynchronous)
        super().__init__(**parameters)

    def close(self) -> None:
        """Close the blocking client and let go of its model; the next use opens them again."""
        if (index := self._blocking.take()) is not None:
            index.close()

    async def close_async(self) -> None:
        """Close the client of this event loop and let go of its model; the next use opens them again."""
        if (index := self._asynchronous.take()) is not None:
            await index.close()

    def create_index(
        self, index: str | None = None, mappings: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        """Create an index that is stamped with the model; one that exists is checked and left as it is.

        Args:
            index: Its name; by default the store's own.
            mappings: Mappings in place of the store's own; an index with such carries no stamp.
            settings: Its settings; by default the store's own.
        """
        opened = self._new_blocking(index)
        try:
            if mappings:
                opened.create_unstamped(mappings, settings or self._settings)
            else:
                opened.open_or_create(settings or self._settings, create=True)
        finally:
            opened.close()

    async def create_index_async(
        self, index: str | None = None, mappings: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        """Create an index that is stamped with the model; see `create_index`."""
        await asyncio.to_thread(self.create_index, index, mappings, settings)

    def refresh(self) -> None:
        """Make what was written searchable."""
        self._open().refresh()

    async def refresh_async(self) -> None:
        """Make what was written searchable."""
        await (await self._open_async()).refresh()

    def _encoder_options(self) -> dict[str, Any]:
        return {}

    def _open(self) -> DocumentIndex:
        return self._blocking.get()

    async def _open_async(self) -> AsyncDocumentIndex:
        index = self._asynchronous.get()
        if not index.opened:
            self._note_nested(await index.open_or_create(self._settings, create=self._makes(index)))
        await index.client()
        return index

    def _open_blocking(self) -> DocumentIndex:
        index = self._new_blocking()
        try:
            self._note_nested(index.open_or_create(self._settings, create=self._makes(index)))
        except BaseException:
            index.close()
            raise
        return index

    def _makes(self, index: DocumentIndex | AsyncDocumentIndex) -> bool:
        """Return whether the index is made where there is none: that is wished, and can be."""
        return self._create_index and index.is_creatable

    def _new_blocking(self, name: str | None = None) -> DocumentIndex:
        return DocumentIndex(name or self._index, **self._index_options(http_auth=self._login()))

    def _new_asynchronous(self) -> AsyncDocumentIndex:
        auth = self._login()
        connection: dict[str, Any] = {"http_auth": auth}
        if isinstance(auth, AWSAuth):
            from opensearchpy import AsyncHttpConnection

            connection = {"http_auth": AsyncAWSAuth(auth), "connection_class": AsyncHttpConnection}
        return AsyncDocumentIndex(self._index, **self._index_options(**connection))

    def _login(self) -> Any:
        """Return what the parent logs in with; user and password of the environment know its variables."""
        return named_login(self._http_auth, self._resolve_http_auth())

    def _index_options(self, **connection: Any) -> dict[str, Any]:
        own = given(use_ssl=self._use_ssl, verify_certs=self._verify_certs, timeout=self._timeout)
        return {
            "url": self._hosts or LOCAL,
            "client_options": own | self._kwargs | given(**connection),
            "model": self._model,
            "schema": self._schema,
            "prune": self._prune,
            "encoder_options": self._encoder_options(),
            "vector_remedies": IN_HAYSTACK,
        }

    def _note_nested(self, mappings: Mapping[str, Any]) -> None:
        for index in mappings.values():
            self._populate_nested_fields_from_mapping(index["mappings"].get("properties", {}))

    def _new_nested_fields(self, documents: list[Document]) -> set[str]:
        if self._nested_fields != "*":
            return set()
        return self._detect_nested_fields_from_documents(documents) - self._resolved_nested_fields

    @property
    def _client(self) -> OpenSearch | None:
        return self._open().client()

    @_client.setter
    def _client(self, client: OpenSearch | None) -> None:
        """Take no notice of the parent's beginning without one."""

    @property
    def _async_client(self) -> AsyncOpenSearch | None:
        return self._asynchronous.get().connected()

    @_async_client.setter
    def _async_client(self, client: AsyncOpenSearch | None) -> None:
        """Take no notice of the parent's beginning without one."""

    def _get_default_mappings(self) -> dict[str, Any]:
        mappings: dict[str, Any] = create_index_body(self._schema)["mappings"]
        return mappings

    def _ensure_initialized(self) -> None:
        self._open()

    async def _ensure_initialized_async(self) -> None:
        await self._open_async()

    def _search_documents(self, request_body: dict[str, Any]) -> list[Document]:
        opened = self._open()
        response = opened.client().search(index=self._index, body=self._readable(request_body))
        return opened.codec().read(response)

    async def _search_documents_async(self, request_body: dict[str, Any]) -> list[Document]:
        opened = await self._open_async()
        client = await opened.client()
        response = await client.search(index=self._index, body=self._readable(request_body))
        return await asyncio.to_thread((await opened.codec()).read, response)

    def _readable(self, request_body: dict[str, Any]) -> dict[str, Any]:
        if self._return_embedding:
            return request_body
        excluded = [self._schema.embedding_field, self._schema.sparse_field]
        return request_body | {"_source": {"excludes": excluded}}
