"""opensearch-haystack's document store over an index that is bound to a model.

Every private name of the parent that this package relies on is used in this file and in no other; a test holds that
they are there.
"""

from __future__ import annotations

import asyncio
from threading import RLock
from typing import TYPE_CHECKING, Any

from haystack.document_stores.errors import DocumentStoreError
from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore
from haystack_integrations.document_stores.opensearch.filters import normalize_filters

from haystack_integrations.document_stores.opensearch_neural_sparse.index import DocumentIndex
from opensearch_neural_sparse.errors import IndexNotFoundError
from opensearch_neural_sparse.index.fields import META_FIELD
from opensearch_neural_sparse.index.mapping import create_index_body

if TYPE_CHECKING:
    from haystack.dataclasses import Document

    from opensearch_neural_sparse.index.fields import IndexSchema


class BoundDocumentStore(OpenSearchDocumentStore):
    """Open, read and inspect an index of the core's layout through the parent's methods.

    Args:
        schema: Names and types of the fields.
        model: Name, hub id or folder of the model, or None.
        parameters: Parameters of the parent.
    """

    def __init__(self, schema: IndexSchema, model: str | None, **parameters: Any) -> None:
        self._schema, self._model = schema, model
        self._opened: DocumentIndex | None = None
        self._opening = RLock()
        super().__init__(**parameters)

    def close(self) -> None:
        """Close the blocking client and let go of the model; the next use opens them again."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None
            super().close()

    async def close_async(self) -> None:
        """Close both clients: the asynchronous methods search and write through the blocking one, in worker threads."""
        await super().close_async()
        self.close()

    def create_index(
        self, index: str | None = None, mappings: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
    ) -> None:
        """Create an index that is stamped with the model; one that exists is checked and left as it is.

        Args:
            index: Its name; by default the store's own.
            mappings: Mappings in place of the store's own; an index with such carries no stamp.
            settings: Its settings; by default the store's own.
        """
        self._ensure_initialized()
        if mappings:
            super().create_index(index, mappings, settings)
        else:
            self._open_or_create(index or self._index, settings or self._settings, create=True)

    def refresh(self) -> None:
        """Make what was written searchable."""
        self._open().refresh()

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = False) -> int:
        """Change metadata of the documents that satisfy filters, and return how many there were.

        Raises:
            DocumentStoreError: A key is a field of the index, or the server refused.
        """
        self._refuse_fields(meta)
        return super().update_by_filter(filters, meta, refresh)

    async def update_by_filter_async(self, filters: dict[str, Any], meta: dict[str, Any], refresh: bool = False) -> int:
        """Change metadata of the documents that satisfy filters; see `update_by_filter`."""
        self._refuse_fields(meta)
        return await super().update_by_filter_async(filters, meta, refresh)

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """Return metadata key -> type; the index's own fields are no metadata."""
        return self._metadata_alone(super().get_metadata_fields_info())

    async def get_metadata_fields_info_async(self) -> dict[str, dict[str, str]]:
        """Return metadata key -> type; see `get_metadata_fields_info`."""
        return self._metadata_alone(await super().get_metadata_fields_info_async())

    def _encoder_options(self) -> dict[str, Any]:
        return {}

    def _open(self) -> DocumentIndex:
        self._ensure_initialized()
        assert self._opened is not None  # noqa: S101 (narrows the type)
        return self._opened

    def _open_or_create(self, name: str, settings: dict[str, Any] | None, *, create: bool) -> DocumentIndex:
        index = DocumentIndex(
            name,
            client=self._client,
            model=self._model,
            schema=self._schema,
            encoder_options=self._encoder_options(),
        )
        try:
            index.open()
        except IndexNotFoundError:
            if create:
                index.create(exist_ok=True, settings=settings)
        return index

    def _clause(self, filters: dict[str, Any] | None) -> dict[str, Any] | None:
        return normalize_filters(filters, nested_fields=self._resolved_nested_fields) if filters else None

    def _map_nested_fields(self, documents: list[Document]) -> None:
        if self._nested_fields == "*":
            found = self._detect_nested_fields_from_documents(documents)
            self._update_mapping_for_nested_fields(found - self._resolved_nested_fields)

    def _refuse_fields(self, meta: dict[str, Any]) -> None:
        if own := sorted(self._schema.reserved_names & set(meta)):
            raise DocumentStoreError(f"The keys {own} are fields of the index, not metadata. Write the documents anew.")

    def _metadata_alone(self, fields: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        own = {self._schema.sparse_field, self._schema.model_field, META_FIELD}
        return {name: info for name, info in fields.items() if name not in own}

    def _get_default_mappings(self) -> dict[str, Any]:
        mappings: dict[str, Any] = create_index_body(self._schema)["mappings"]
        return mappings

    def _ensure_initialized(self) -> None:
        with self._opening:
            if self._opened is None:
                try:
                    super()._ensure_initialized()
                except BaseException:
                    self.close()
                    raise

    async def _ensure_initialized_async(self) -> None:
        if self._async_client is None:
            await asyncio.to_thread(self._ensure_initialized)
            await super()._ensure_initialized_async()

    def _ensure_index_exists(self) -> None:
        opened = self._open_or_create(self._index, self._settings, create=self._create_index)
        found = opened.client().indices.get_mapping(index=self._index, params={"ignore_unavailable": "true"})
        for index in found.values():
            self._populate_nested_fields_from_mapping(index["mappings"].get("properties", {}))
        self._opened = opened

    async def _ensure_index_exists_async(self) -> None:
        """Do nothing: the blocking client has opened or created the index before the asynchronous one is made."""

    def _search_documents(self, request_body: dict[str, Any]) -> list[Document]:
        opened = self._open()
        return opened.read(opened.client().search(index=self._index, body=self._readable(request_body)))

    async def _search_documents_async(self, request_body: dict[str, Any]) -> list[Document]:
        assert self._async_client is not None  # noqa: S101 (narrows the type)
        response = await self._async_client.search(index=self._index, body=self._readable(request_body))
        opened = await asyncio.to_thread(self._open)
        return await asyncio.to_thread(opened.read, response)

    def _readable(self, request_body: dict[str, Any]) -> dict[str, Any]:
        if self._return_embedding:
            return request_body
        excluded = [self._schema.embedding_field, self._schema.sparse_field]
        return request_body | {"_source": {"excludes": excluded}}
