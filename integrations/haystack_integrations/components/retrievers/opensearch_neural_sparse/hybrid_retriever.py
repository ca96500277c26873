"""Hybrid retrieval: BM25 and sparse vectors, fused in one request."""

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
from opensearch_neural_sparse.store.options import HybridOptions


@component
class OpenSearchNeuralSparseHybridRetriever:
    """Find documents by words (BM25) and by sparse vectors at once, fused by reciprocal ranks in one request.

    Args:
        document_store: The document store.
        filters: Filters of every run; they go into both legs.
        top_k: Most documents, 1 to 10,000.
        filter_policy: Whether filters given to a run `replace` these or `merge` with them. Merged, documents satisfy
            both.
        rank_constant: 1 to 10,000; the higher, the less the first ranks stand out.
        weights: Weights of (BM25, sparse), summing to 1; None gives both 1.
        pagination_depth: How many documents of each leg are ranked; by default 100, or `top_k` if that is more.

    Raises:
        TypeError: Another kind of document store.
        ValueError: No such policy.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, top_k=3)
        >>> documents = retriever.run("What is a rank feature?")["documents"]
    """

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
        rank_constant: int = 60,
        weights: list[float] | None = None,
        pagination_depth: int | None = None,
    ) -> None:
        if not isinstance(document_store, OpenSearchNeuralSparseDocumentStore):
            raise TypeError(
                f"document_store is an OpenSearchNeuralSparseDocumentStore, got {type(document_store).__name__}."
            )
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.filter_policy = filter_policy_of(filter_policy)
        self.rank_constant = rank_constant
        self.weights = weights
        self.pagination_depth = pagination_depth

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        return default_to_dict(
            self,
            document_store=self.document_store,
            filters=self.filters,
            top_k=self.top_k,
            filter_policy=self.filter_policy.value,
            rank_constant=self.rank_constant,
            weights=None if self.weights is None else list(self.weights),
            pagination_depth=self.pagination_depth,
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
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
    ) -> dict[str, Any]:
        """Find documents.

        Args:
            query: A text; a blank one finds nothing.
            filters: Filters of this run; `filter_policy` says what becomes of the retriever's own.
            top_k: Most documents; by default the retriever's own number.
            query_sparse_embedding: The text's embedding; by default it is encoded by the index's model.

        Returns:
            `documents`: best first; a score says where a document ranked, not how well it matches.

        Raises:
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        documents = self.document_store.hybrid_retrieval(
            query,
            query_sparse_embedding=query_sparse_embedding,
            filters=combine_filters(self.filter_policy, self.filters, filters),
            top_k=self.top_k if top_k is None else top_k,
            options=HybridOptions(
                rank_constant=self.rank_constant, weights=self.weights, pagination_depth=self.pagination_depth
            ),
        )
        return {"documents": documents}

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
    ) -> dict[str, Any]:
        """Find documents from a worker thread; see `run`."""
        return await asyncio.to_thread(self.run, query, filters, top_k, query_sparse_embedding)
