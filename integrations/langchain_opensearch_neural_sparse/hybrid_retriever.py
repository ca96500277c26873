"""A retriever by words, token weights and dense vectors, or any of them, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Self

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from pydantic import model_validator

from langchain_opensearch_neural_sparse.retriever_base import Filter, NeuralSparseRetriever
from opensearch_neural_sparse.search.legs import Bm25Leg, DenseLeg, Leg, SparseLeg
from opensearch_neural_sparse.search.options import HybridOptions

LegName = Literal["bm25", "sparse", "dense"]
Weights = tuple[float, ...]


class OpenSearchNeuralSparseHybridRetriever(NeuralSparseRetriever):
    """Retrieve documents by several legs at once, fused by reciprocal ranks in one request unless the options say else.

    The filter holds in every leg.

    Attributes:
        legs: Which legs, by name or as values of the core; `dense` is where the vector store has a dense model. By
            default those of the options: `bm25` and `sparse`.
        weights: One for each leg, in their order, summing to 1; by default those of the options: all the same.
            `invoke(query, weights=...)` overrides it.
        options: How legs are searched and fused.

    Examples:
        ```python
        retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, k=3, weights=(0.3, 0.7))
        retriever.invoke("how do I reset my password?", filter={"lang": "en"})
        ```
    """

    legs: tuple[LegName | Bm25Leg | SparseLeg | DenseLeg, ...] | None = None
    weights: Weights | None = None
    options: HybridOptions = HybridOptions()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self._dense and self.vectorstore.embeddings is None:
            raise ValueError("A dense leg needs a vector store with a dense model: embedding=...")
        self._plan(self.weights, vector=(0.0,))
        return self

    @property
    def _dense(self) -> bool:
        return "dense" in (self.legs or ())

    @property
    def _embedding(self) -> Embeddings:
        assert self.vectorstore.embeddings is not None  # noqa: S101 (the validator has seen to it)
        return self.vectorstore.embeddings

    def _plan(self, weights: Weights | None, vector: Sequence[float] | None) -> HybridOptions:
        legs = self.options.legs if self.legs is None else tuple(_leg(leg, vector) for leg in self.legs)
        return replace(self.options, legs=legs, weights=self.options.weights if weights is None else weights)

    def _keywords(
        self,
        k: int | None,
        filter: Filter | None,  # noqa: A002 (LangChain's word)
        weights: Weights | None,
        vector: Sequence[float] | None,
    ) -> dict[str, Any]:
        plan = self._plan(self.weights if weights is None else weights, vector)
        return {**self._wanted(k, filter), "options": plan, "explain": self.explain}

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
    ) -> list[Document]:
        vector = self._embedding.embed_query(query) if self._dense else None
        search = self.vectorstore.store.hybrid_search
        return self._documents(search(query, **self._keywords(k, filter, weights, vector)))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
    ) -> list[Document]:
        vector = await self._embedding.aembed_query(query) if self._dense else None
        search = self.vectorstore.async_store.hybrid_search
        return self._documents(await search(query, **self._keywords(k, filter, weights, vector)))


def _leg(leg: LegName | Leg, vector: Sequence[float] | None) -> Leg:
    if leg == "bm25":
        return Bm25Leg()
    if leg == "sparse":
        return SparseLeg()
    return DenseLeg(vector=vector) if leg == "dense" else leg
