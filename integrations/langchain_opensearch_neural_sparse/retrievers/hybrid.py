"""Hybrid retriever: BM25, sparse and dense legs, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, Self

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from pydantic import model_validator

from langchain_opensearch_neural_sparse.retrievers.base import Filter, NeuralSparseRetriever
from langchain_opensearch_neural_sparse.searches import (
    Clauses,
    dense_leg_search,
    filter_search,
    sparse_leg_search,
)
from opensearch_neural_sparse import Bm25Leg, DenseLeg, HybridOptions, HybridSearch, MatchSearch, SparseLeg
from opensearch_neural_sparse.layer_support import Leg, Search

LegName = Literal["bm25", "sparse", "dense"]
Weights = tuple[float, ...]


class OpenSearchNeuralSparseHybridRetriever(NeuralSparseRetriever):
    """Retrieve documents by several fused legs; by default reciprocal rank fusion in one request.

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
        self._search("", self.k, None, self.weights, vector=(0.0,))
        return self

    @property
    def _dense(self) -> bool:
        return "dense" in (self.legs or ())

    @property
    def _embedding(self) -> Embeddings:
        assert self.vectorstore.embeddings is not None  # noqa: S101 (the validator has seen to it)
        return self.vectorstore.embeddings

    def _search(
        self,
        query: str,
        k: int | None,
        filter: Filter | None,  # noqa: A002 (LangChain's word)
        weights: Weights | None,
        vector: Sequence[float] | None,
    ) -> Search:
        size, clauses = self._page(k, filter)
        weights = self.weights if weights is None else weights
        if self.legs is not None and len(self.legs) == 1 and weights is None:
            return self._leg_search(self.legs[0], query, size, clauses, vector)
        options = self._weighted(weights, vector)
        return HybridSearch(query, size=size, filter=clauses, options=options, explain=self.explain)

    def _weighted(self, weights: Weights | None, vector: Sequence[float] | None) -> HybridOptions:
        """Return the options with the retriever's own legs and with weights, where there are such."""
        options = self.options
        if self.legs is not None:
            legs = tuple(_leg(leg, vector) for leg in self.legs)
            return replace(options, legs=legs, weights=options.weights if weights is None else weights)
        return options if weights is None else replace(options, weights=weights)

    def _leg_search(
        self, leg: LegName | Leg, query: str, size: int, clauses: Clauses, vector: Sequence[float] | None
    ) -> Search:
        """Return the search of a single leg; options of the fusion have no effect on it."""
        if leg == "bm25":
            return MatchSearch(query, size=size, filter=clauses, request=self.options.request)
        if leg == "sparse":
            return sparse_leg_search(query, clauses, size, self.options, explain=self.explain)
        if leg != "dense":
            raise ValueError(f"One leg goes by its name, such as 'sparse'; got {type(leg).__name__}.")
        field = self.vectorstore.stores.schema.embedding_field
        return dense_leg_search(DenseLeg(vector=vector), clauses, size, self.options, field=field)

    def _filter_search(self, query: str, k: int | None, filter: Filter | None) -> Search | None:  # noqa: A002
        """Return the search by a filter alone, for which no dense vector is made, or None if the query has a text."""
        if query.strip():
            return None
        size, clauses = self._page(k, filter)
        return filter_search(query, clauses, size, self.options)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
    ) -> list[Document]:
        if (search := self._filter_search(query, k, filter)) is None:
            vector = self._embedding.embed_query(query) if self._dense else None
            search = self._search(query, k, filter, weights, vector)
        return self._run(search)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
    ) -> list[Document]:
        if (search := self._filter_search(query, k, filter)) is None:
            vector = await self._embedding.aembed_query(query) if self._dense else None
            search = self._search(query, k, filter, weights, vector)
        return await self._arun(search)


def _leg(leg: LegName | Leg, vector: Sequence[float] | None) -> Leg:
    if leg == "bm25":
        return Bm25Leg()
    if leg == "sparse":
        return SparseLeg()
    return DenseLeg(vector=vector) if leg == "dense" else leg
