"""Retrievers: sparse search, and BM25 fused with it."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from langchain_core.runnables.config import run_in_executor
from pydantic import ConfigDict, Field

from langchain_opensearch_neural_sparse.converters import to_document, to_scored_document
from opensearch_neural_sparse.search.hits import SearchHits
from opensearch_neural_sparse.store.options import HybridOptions
from opensearch_neural_sparse.store.sync import NeuralSparseStore

Filter = dict[str, Any] | list[dict[str, Any]]


class NeuralSparseRetriever(BaseRetriever):
    """What both retrievers share: how many, which, and what comes back.

    Making one does nothing; the first search opens the index.

    Attributes:
        store: Where to search: a store of the core, such as `vectorstore.store`.
        k: How many documents to return; `invoke(query, k=...)` overrides it.
        filter: OpenSearch query clause, or a list of such that must all hold; `invoke(query, filter=...)` overrides it,
            and an empty list lifts it.
        include_scores: Whether metadata gets the score, under `_score`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    store: NeuralSparseStore
    k: int = Field(default=4, ge=1)
    filter: Filter | None = None
    include_scores: bool = False

    @abstractmethod
    def _search(self, query: str, size: int, filter: Filter | None) -> SearchHits:  # noqa: A002 (LangChain's word)
        """Return the hits of a query."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
    ) -> list[Document]:
        hits = self._search(query, self.k if k is None else k, self.filter if filter is None else filter)
        return list(map(to_scored_document if self.include_scores else to_document, hits))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
    ) -> list[Document]:
        return await run_in_executor(
            None, self._get_relevant_documents, query, run_manager=run_manager.get_sync(), k=k, filter=filter
        )

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        known = super()._get_ls_params(**kwargs)
        known["ls_vector_store_provider"] = "OpenSearch"
        known["ls_embedding_provider"] = "opensearch-neural-sparse"
        known["ls_embedding_model"] = self.store.model_id
        return cast("LangSmithRetrieverParams", {**known, "opensearch_index": self.store.index})


class OpenSearchNeuralSparseRetriever(NeuralSparseRetriever):
    """Retrieve documents by the tokens that the model gives query and document.

    Examples:
        ```python
        retriever = OpenSearchNeuralSparseRetriever(store=vectorstore.store, k=3)
        retriever.invoke("how do I reset my password?", filter={"term": {"lang": "en"}})
        ```
    """

    def _search(self, query: str, size: int, filter: Filter | None) -> SearchHits:  # noqa: A002
        return self.store.search(query, size=size, filter=filter)


class OpenSearchNeuralSparseHybridRetriever(NeuralSparseRetriever):
    """Retrieve documents by BM25 and by sparse search, fused by reciprocal ranks in one request.

    The filter holds in both legs.

    Attributes:
        rank_constant: 1 to 10,000; the higher, the less the first ranks stand out.
        weights: Weights of (BM25, sparse), summing to 1; None gives both the same.
        pagination_depth: How many hits of each leg are ranked; by default 100, or `k` where that is more.

    Examples:
        ```python
        retriever = OpenSearchNeuralSparseHybridRetriever(store=vectorstore.store, k=3, rank_constant=20)
        retriever.invoke("how do I reset my password?")
        ```
    """

    rank_constant: int = Field(default=60, ge=1, le=10_000)
    weights: tuple[float, float] | None = None
    pagination_depth: int | None = None

    def _search(self, query: str, size: int, filter: Filter | None) -> SearchHits:  # noqa: A002
        options = HybridOptions(
            rank_constant=self.rank_constant, weights=self.weights, pagination_depth=self.pagination_depth
        )
        return self.store.hybrid_search(query, size=size, filter=filter, options=options)
