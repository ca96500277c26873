"""Hybrid retriever: BM25, sparse and dense legs, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Self, get_args

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from pydantic import field_validator, model_validator

from langchain_opensearch_neural_sparse.retrievers.base import Filter, NeuralSparseRetriever
from langchain_opensearch_neural_sparse.searches import (
    Clauses,
    dense_leg_search,
    filter_search,
    refuse_profile,
    sparse_leg_search,
    with_rerank,
    with_stored_boosts,
)
from opensearch_neural_sparse import (
    Bm25Leg,
    DenseLeg,
    HybridOptions,
    HybridSearch,
    IndexSchema,
    MatchSearch,
    Rerank,
    SparseLeg,
)
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
        language: The language of queries, one of the index's, that the leg `bm25` takes; by default the best of all.
            `invoke(query, language="de")` overrides it.

    Examples:
        ```python
        retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, k=3, weights=(0.3, 0.7))
        retriever.invoke("how do I reset my password?", filter={"lang": "en"})
        ```
    """

    legs: tuple[LegName | Bm25Leg | SparseLeg | DenseLeg, ...] | None = None
    weights: Weights | None = None
    options: HybridOptions = HybridOptions()
    language: str | None = None

    @field_validator("legs", mode="before")
    @classmethod
    def _check_names(cls, legs: Any) -> Any:
        """Raise ValueError for a name of no leg; in place of an error for each type that a leg may have."""
        known = get_args(LegName)
        for leg in legs if isinstance(legs, list | tuple) else ():
            if isinstance(leg, str) and leg not in known:
                raise ValueError(f"A leg is {', '.join(map(repr, known))}, or a Bm25Leg and the like, got {leg!r}.")
        return legs

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self._dense and self.vectorstore.embeddings is None:
            raise ValueError("A dense leg needs a vector store with a dense model: embedding=...")
        self._search(
            "",
            self.k,
            None,
            self.weights,
            None,
            vector=(0.0,),
            schema=self.vectorstore.stores.schema,
            language=self.language,
        )
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
        rerank: Rerank | None,
        vector: Sequence[float] | None,
        schema: IndexSchema,
        language: str | None,
    ) -> Search:
        size, clauses = self._page(k, filter, schema)
        weights = self.weights if weights is None else weights
        language = self.language if language is None else language
        refuse_profile(self.options)
        options = with_stored_boosts(self._reranked(rerank), schema)
        if self.legs is not None and len(self.legs) == 1 and weights is None:
            return self._leg_search(self.legs[0], query, size, clauses, vector, options, language)
        options = self._weighted(weights, vector, options, language)
        return HybridSearch(query, size=size, filter=clauses, options=options, explain=self.explain)

    def _reranked(self, rerank: Rerank | None) -> HybridOptions:
        """Return the options with the reranking of a call or of the retriever, where there is such."""
        return with_rerank(self.options, rerank or self.rerank)

    def _weighted(
        self, weights: Weights | None, vector: Sequence[float] | None, options: HybridOptions, language: str | None
    ) -> HybridOptions:
        """Return options with the retriever's own legs and with weights and a language, where there are such."""
        if language is not None:
            options = replace(options, legs=tuple(_in_language(leg, language) for leg in options.legs))
        if self.legs is not None:
            legs = tuple(_in_language(_leg(leg, vector), language) for leg in self.legs)
            return replace(options, legs=legs, weights=options.weights if weights is None else weights)
        return options if weights is None else replace(options, weights=weights)

    def _leg_search(
        self,
        leg: LegName | Leg,
        query: str,
        size: int,
        clauses: Clauses,
        vector: Sequence[float] | None,
        options: HybridOptions,
        language: str | None,
    ) -> Search:
        """Return the search of a single leg; options of the fusion have no effect on it."""
        if leg == "bm25":
            return MatchSearch(
                query,
                size=size,
                filter=clauses,
                request=options.request,
                language=language,
                aggregations=options.aggregations,
                boosts=options.boosts,
                collapse=options.collapse,
                rerank=options.rerank,
            )
        if leg == "sparse":
            return sparse_leg_search(query, clauses, size, options, explain=self.explain)
        if leg != "dense":
            raise ValueError(f"A single leg is given by its name, such as 'sparse'; got {type(leg).__name__}.")
        field = self.vectorstore.stores.schema.embedding_field
        return dense_leg_search(DenseLeg(vector=vector), clauses, size, options, field=field)

    def _filter_search(
        self,
        query: str,
        k: int | None,
        filter: Filter | None,  # noqa: A002
        schema: IndexSchema,
    ) -> Search | None:
        """Return the search by a filter alone, for which no dense vector is made, or None if the query has a text."""
        if query.strip():
            return None
        size, clauses = self._page(k, filter, schema)
        return filter_search(query, clauses, size, with_stored_boosts(self.options, schema))

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
        language: str | None = None,
        rerank: Rerank | None = None,
    ) -> list[Document]:
        schema = self.vectorstore.stores.schema_for(self.filter, filter, self.options.boosts)
        if (search := self._filter_search(query, k, filter, schema)) is None:
            vector = self._embedding.embed_query(query) if self._dense else None
            search = self._search(query, k, filter, weights, rerank, vector, schema, language)
        return self._run(search)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        weights: Weights | None = None,
        language: str | None = None,
        rerank: Rerank | None = None,
    ) -> list[Document]:
        schema = await self.vectorstore.stores.aschema_for(self.filter, filter, self.options.boosts)
        if (search := self._filter_search(query, k, filter, schema)) is None:
            vector = await self._embedding.aembed_query(query) if self._dense else None
            search = self._search(query, k, filter, weights, rerank, vector, schema, language)
        return await self._arun(search)


def _leg(leg: LegName | Leg, vector: Sequence[float] | None) -> Leg:
    if leg == "bm25":
        return Bm25Leg()
    if leg == "sparse":
        return SparseLeg()
    return DenseLeg(vector=vector) if leg == "dense" else leg


def _in_language(leg: Leg, language: str | None) -> Leg:
    """Return a BM25 leg in a language, unless it has one or a field of its own; other legs as they are."""
    if isinstance(leg, Bm25Leg) and leg.language is None and leg.field is None:
        return replace(leg, language=language)
    return leg
