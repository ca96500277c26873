"""opensearch-haystack's document store with filters as Haystack's reference defines them."""

from __future__ import annotations

from typing import Any, Literal

from haystack.dataclasses import Document

from haystack_integrations.document_stores.opensearch_neural_sparse.base import BoundDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.filters import Filters, needed_filters
from opensearch_neural_sparse.layer_support import check_mapping, check_texts, check_type


class FilteredDocumentStore(BoundDocumentStore):
    """Check filters, and ids of a deletion, before opensearch-haystack reads them.

    The arguments are those of `BoundDocumentStore`. Filters that are not Haystack's are a `FilterError` in every
    method, and one on a field that no index maps is a warning.
    """

    def filter_documents(self, filters: Filters | None = None) -> list[Document]:
        """Return the documents that satisfy filters, 10,000 at most.

        Args:
            filters: Haystack's filters; None and empty ones let everything through.

        Raises:
            FilterError: The filters are not Haystack's.
        """
        return super().filter_documents(self._checked(filters))

    async def filter_documents_async(self, filters: Filters | None = None) -> list[Document]:
        """Return the documents that satisfy filters; see `filter_documents`."""
        return await super().filter_documents_async(await self._checked_async(filters))

    def count_documents_by_filter(self, filters: Filters) -> int:
        """Return how many documents satisfy filters.

        Args:
            filters: Haystack's filters; empty ones let everything through.

        Raises:
            FilterError: The filters are not Haystack's.
        """
        checked = self._checked(filters)
        return super().count_documents_by_filter(checked) if checked else self.count_documents()

    async def count_documents_by_filter_async(self, filters: Filters) -> int:
        """Return how many documents satisfy filters; see `count_documents_by_filter`."""
        checked = await self._checked_async(filters)
        return await (super().count_documents_by_filter_async(checked) if checked else self.count_documents_async())

    def delete_documents(
        self,
        document_ids: list[str],
        refresh: Literal["wait_for", True, False] = "wait_for",
        routing: dict[str, str] | None = None,
    ) -> None:
        """Delete documents by id; missing ones are passed over.

        Args:
            document_ids: The ids.
            refresh: True has searches see the deletions at once; `wait_for` waits for the index's own refresh; False
                does neither.
            routing: Id -> what the document's shard was chosen by.

        Raises:
            TypeError: The ids are no list of texts, or an option of another type.
        """
        _check_deletion(document_ids, refresh, routing)
        super().delete_documents(document_ids, refresh, routing)

    async def delete_documents_async(
        self,
        document_ids: list[str],
        refresh: Literal["wait_for", True, False] = "wait_for",
        routing: dict[str, str] | None = None,
    ) -> None:
        """Delete documents by id; see `delete_documents`."""
        _check_deletion(document_ids, refresh, routing)
        await super().delete_documents_async(document_ids, refresh, routing)

    def delete_by_filter(self, filters: Filters, refresh: bool = False) -> int:
        """Delete the documents that satisfy filters, and return how many there were.

        Args:
            filters: Haystack's filters.
            refresh: Whether searches see the deletions when this returns.

        Raises:
            DocumentStoreError: The server refused.
            FilterError: The filters are not Haystack's, or there are none.
        """
        return super().delete_by_filter(needed_filters(self._checked(filters)), refresh)

    async def delete_by_filter_async(self, filters: Filters, refresh: bool = False) -> int:
        """Delete the documents that satisfy filters; see `delete_by_filter`."""
        return await super().delete_by_filter_async(needed_filters(await self._checked_async(filters)), refresh)

    def _bm25_retrieval(self, query: str, *, filters: Filters | None = None, **options: Any) -> list[Document]:
        return super()._bm25_retrieval(query, filters=self._checked(filters), **options)

    async def _bm25_retrieval_async(
        self, query: str, *, filters: Filters | None = None, **options: Any
    ) -> list[Document]:
        return await super()._bm25_retrieval_async(query, filters=await self._checked_async(filters), **options)

    def _embedding_retrieval(
        self, query_embedding: list[float], *, filters: Filters | None = None, **options: Any
    ) -> list[Document]:
        return super()._embedding_retrieval(query_embedding, filters=self._checked(filters), **options)

    async def _embedding_retrieval_async(
        self, query_embedding: list[float], *, filters: Filters | None = None, **options: Any
    ) -> list[Document]:
        checked = await self._checked_async(filters)
        return await super()._embedding_retrieval_async(query_embedding, filters=checked, **options)

    def _metadata_search(
        self, query: str, fields: list[str], *, filters: Filters | None = None, **options: Any
    ) -> list[dict[str, Any]]:
        return super()._metadata_search(query, fields, filters=self._checked(filters), **options)

    async def _metadata_search_async(
        self, query: str, fields: list[str], *, filters: Filters | None = None, **options: Any
    ) -> list[dict[str, Any]]:
        checked = await self._checked_async(filters)
        return await super()._metadata_search_async(query, fields, filters=checked, **options)


def _check_deletion(document_ids: object, refresh: object, routing: object) -> None:
    check_texts(document_ids=document_ids)
    check_type((bool, str), refresh=refresh)
    check_mapping(optional=True, routing=routing)
