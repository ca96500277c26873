"""Raise the core's errors from opensearch-haystack's methods, in place of the client's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore

from opensearch_neural_sparse.layer_support import translated_errors

Store = TypeVar("Store", bound=OpenSearchDocumentStore)
METHODS = (
    "count_documents",
    "filter_documents",
    "delete_documents",
    "count_documents_by_filter",
    "count_unique_metadata_by_filter",
    "get_metadata_fields_info",
    "get_metadata_field_min_max",
    "get_metadata_field_unique_values",
    "_bm25_retrieval",
    "_embedding_retrieval",
)
"""Those that raise what the client raised; the others make a `DocumentStoreError` of it."""


def translating_errors(store: type[Store]) -> type[Store]:
    """Have the inherited methods of a document store raise the core's errors, such as `IndexNotFoundError`."""
    for name in (*METHODS, *(f"{name}_async" for name in METHODS)):
        setattr(store, name, _translated(getattr(OpenSearchDocumentStore, name)))
    return store


def _translated(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def run(self: OpenSearchDocumentStore, *arguments: Any, **options: Any) -> Any:
        self._ensure_initialized()
        with translated_errors(self._client, self._index):
            return method(self, *arguments, **options)

    @wraps(method)
    async def run_async(self: OpenSearchDocumentStore, *arguments: Any, **options: Any) -> Any:
        await self._ensure_initialized_async()
        with translated_errors(self._async_client, self._index):
            return await method(self, *arguments, **options)

    return run_async if iscoroutinefunction(method) else run
