"""Hybrid retriever: BM25, sparse and dense legs, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Self

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from pydantic import model_validator

from langchain_opensearch_neural_sparse.retrievers.base import Call, Filter, NeuralSparseRetriever
from opensearch_neural_sparse.index.documents.dense_vectors import to_floats
from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, Leg, SparseLeg
from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions

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
        self._call("", self.k, None, self.weights, vector=(0.0,))
        return self

    @property
    def _dense(self) -> bool:
        return "dense" in (self.legs or ())

    @property
    def _embedding(self) -> Embeddings:
        assert self.vectorstore.embeddings is not None  # noqa: S101 (the validator has seen to it)
        return self.vectorstore.embeddings

    def _call(
        self,
        query: str,
        k: int | None,
        filter: Filter | None,  # noqa: A002 (LangChain's word)
        weights: Weights | None,
        vector: Sequence[float] | None,
    ) -> Call:
        wanted = self._wanted(k, filter)
        weights = self.weights if weights is None else weights
        if self.legs is not None and len(self.legs) == 1 and weights is None:
            return self._alone(self.legs[0], query, wanted, vector)
        legs = self.options.legs if self.legs is None else tuple(_leg(leg, vector) for leg in self.legs)
        plan = replace(self.options, legs=legs, weights=self.options.weights if weights is None else weights)
        return "hybrid_search", {"query": query, "options": plan, "explain": self.explain, **wanted}

    def _alone(self, leg: LegName | Leg, query: str, wanted: dict[str, Any], vector: Sequence[float] | None) -> Call:
        """Return the search of a single leg; options of the fusion have no effect on it."""
        options = self.options
        if leg == "bm25":
            return "match_search", {"text": query, "request": options.request, **wanted}
        if leg == "sparse":
            plan = SearchOptions(
                two_phase=options.two_phase,
                prune=options.prune,
                seismic=options.seismic,
                collapse=options.collapse,
                request=options.request,
            )
            return "search", {"query": query, "options": plan, "explain": self.explain, **wanted}
        if leg != "dense":
            raise ValueError(f"One leg goes by its name, such as 'sparse'; got {type(leg).__name__}.")
        size, clauses = wanted["size"], wanted["filter"]
        nearest = {"vector": [] if vector is None else to_floats(vector), "k": size} | (
            {"filter": "$filters"} if clauses else {}
        )
        body = {"size": size, "query": {"knn": {self.vectorstore.stores.schema.embedding_field: nearest}}}
        return "custom_search", {"body": body, "filter": clauses or None, "request": options.request}

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
    ) -> list[Document]:
        if (alone := self._filter_alone(query, k, filter, self.options)) is not None:
            return self._found(alone)
        vector = self._embedding.embed_query(query) if self._dense else None
        return self._found(self._call(query, k, filter, weights, vector))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
    ) -> list[Document]:
        if (alone := self._filter_alone(query, k, filter, self.options)) is not None:
            return await self._afound(alone)
        vector = await self._embedding.aembed_query(query) if self._dense else None
        return await self._afound(self._call(query, k, filter, weights, vector))


def _leg(leg: LegName | Leg, vector: Sequence[float] | None) -> Leg:
    if leg == "bm25":
        return Bm25Leg()
    if leg == "sparse":
        return SparseLeg()
    return DenseLeg(vector=vector) if leg == "dense" else leg
