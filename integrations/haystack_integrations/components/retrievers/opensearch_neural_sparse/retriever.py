"""Sparse retrieval."""

from __future__ import annotations

import asyncio
from typing import Any

from haystack import Document, component, default_to_dict
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.types import FilterPolicy

from haystack_integrations.components.retrievers.opensearch_neural_sparse.filters import (
    combine_filters,
    filter_policy_of,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore


@component
class OpenSearchNeuralSparseRetriever:
    """Find documents by sparse vectors: from a text, encoded by the index's model, or from a sparse embedding.

    Args:
        document_store: The document store.
        filters: Filters of every run.
        top_k: Most documents, 1 to 10,000.
        filter_policy: Whether filters given to a run `replace` these or `merge` with them. Merged, documents satisfy
            both.

    Raises:
        TypeError: Another kind of document store.
        ValueError: No such policy.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> retriever = OpenSearchNeuralSparseRetriever(document_store=store, top_k=3)
        >>> documents = retriever.run("What is a rank feature?")["documents"]
    """

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
    ) -> None:
        if not isinstance(document_store, OpenSearchNeuralSparseDocumentStore):
            raise TypeError(
                f"document_store is an OpenSearchNeuralSparseDocumentStore, got {type(document_store).__name__}."
            )
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.filter_policy = filter_policy_of(filter_policy)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        return default_to_dict(
            self,
            document_store=self.document_store,
            filters=self.filters,
            top_k=self.top_k,
            filter_policy=self.filter_policy.value,
        )

    def close(self) -> None:
        """Close the document store; the next run opens it again."""
        self.document_store.close()

    async def close_async(self) -> None:
        """Close the document store; the next run opens it again."""
        await self.document_store.close_async()

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
    ) -> dict[str, Any]:
        """Find documents.

        Args:
            query: A text; a blank one finds nothing.
            filters: Filters of this run; `filter_policy` says what becomes of the retriever's own.
            top_k: Most documents; by default the retriever's own number.
            query_sparse_embedding: Its embedding, in place of a text.

        Returns:
            `documents`: best first, with their scores.

        Raises:
            ValueError: Neither a text nor an embedding, or both.
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        if (query is None) == (query_sparse_embedding is None):
            raise ValueError("Give either query or query_sparse_embedding.")
        documents = self.document_store.sparse_retrieval(
            query_sparse_embedding if query is None else query,  # type: ignore[arg-type]  # one of them is not None
            filters=combine_filters(self.filter_policy, self.filters, filters),
            top_k=self.top_k if top_k is None else top_k,
        )
        return {"documents": documents}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
    ) -> dict[str, Any]:
        """Find documents from a worker thread; see `run`."""
        return await asyncio.to_thread(self.run, query, filters, top_k, query_sparse_embedding)
