"""Embed a query and search by words, sparse and dense vectors, in one component."""

from __future__ import annotations

import asyncio
from typing import Any

from haystack import Document, component, default_to_dict
from haystack.components.embedders.types import TextEmbedder

from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import BoostLike
from haystack_integrations.components.retrievers.opensearch_neural_sparse.rerank_parsing import RerankLike
from haystack_integrations.components.super_components.opensearch_neural_sparse.composite import Composite, saved_part
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

ALL_LEGS = ("bm25", "sparse", "dense")


@component
class OpenSearchNeuralSparseHybridSearch(Composite):
    """Find documents by words (BM25), by sparse vectors and, with an embedder, by dense vectors, fused in one request.

    The sparse vector is made by the index's model, the dense one by `text_embedder`. Without it, this is
    `OpenSearchNeuralSparseHybridRetriever`.

    Args:
        document_store: The document store.
        text_embedder: Makes the dense embedding of a query, by the model of the documents' dense embeddings; None
            leaves that leg out.
        **options: Those of `OpenSearchNeuralSparseHybridRetriever`, such as `top_k`, `filters`, `weights`, or
            `collapse="source_id"`, which finds each split document once, by its best passage.

    Raises:
        TypeError: Another kind of document store, or an unknown option.
        ValueError: An option out of range, or an embedder without a leg for it.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> search = OpenSearchNeuralSparseHybridSearch(document_store=store, top_k=3, collapse="source_id")
        >>> documents = search.run("What is a rank feature?")["documents"]
    """

    _PARTS = ("text_embedder", "retriever")

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        text_embedder: TextEmbedder | None = None,
        **options: Any,
    ) -> None:
        if text_embedder is not None and options.get("legs") is None:
            options["legs"] = list(ALL_LEGS)
        if (text_embedder is not None) != ("dense" in (options.get("legs") or ())):
            raise ValueError("text_embedder is for a leg 'dense', and such a leg needs it.")
        self.document_store = document_store
        self.text_embedder = text_embedder
        self.retriever = OpenSearchNeuralSparseHybridRetriever(document_store=document_store, **options)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        options = self.retriever.to_dict()["init_parameters"]
        return default_to_dict(self, text_embedder=saved_part(self.text_embedder, "text_embedder"), **options)

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        weights: list[float] | None = None,
        score_threshold: float | None = None,
        explain: bool | None = None,
        routing: str | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents.

        Args:
            query: A text; a blank one finds nothing.
            filters: Filters of this run, which go into every leg; `filter_policy` says whether they replace the others.
            top_k: Most documents; this and what follows is as the component says by default.
            weights: One for each leg.
            score_threshold: Least fused score of a document.
            explain: Whether documents say why they were found.
            routing: Only the shards that hold documents of this routing are searched.
            rerank: How the best documents are reranked.
            boosts: Boosts of the scores of each leg by metadata; an empty list is none.

        Returns:
            `documents`: best first; a fused score says where a document ranked, not how well it matches.
        """
        if not query.strip():
            return {"documents": []}
        embedded = {} if self.text_embedder is None else self.text_embedder.run(query)
        return self.retriever.run(
            query,
            filters,
            top_k,
            query_embedding=embedded.get("embedding"),
            weights=weights,
            score_threshold=score_threshold,
            explain=explain,
            routing=routing,
            rerank=rerank,
            boosts=boosts,
        )

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        weights: list[float] | None = None,
        score_threshold: float | None = None,
        explain: bool | None = None,
        routing: str | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents; see `run`."""
        if not query.strip():
            return {"documents": []}
        embedded = {} if self.text_embedder is None else await _embed_async(self.text_embedder, query)
        return await self.retriever.run_async(
            query,
            filters,
            top_k,
            query_embedding=embedded.get("embedding"),
            weights=weights,
            score_threshold=score_threshold,
            explain=explain,
            routing=routing,
            rerank=rerank,
            boosts=boosts,
        )


async def _embed_async(embedder: TextEmbedder, text: str) -> dict[str, Any]:
    if hasattr(embedder, "run_async"):
        embedded: dict[str, Any] = await embedder.run_async(text)
        return embedded
    return await asyncio.to_thread(embedder.run, text)
