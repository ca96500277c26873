"""Base of the retrievers: store, number of hits, filter and returned fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from pydantic import ConfigDict, Field, model_validator

from langchain_opensearch_neural_sparse.documents import annotated
from langchain_opensearch_neural_sparse.filters import compile_filter, joined_filters
from langchain_opensearch_neural_sparse.vectorstore_base import VectorStoreBase, unknown_arguments
from opensearch_neural_sparse import IndexSchema, Rerank, SearchHits
from opensearch_neural_sparse.layer_support import Search, check_size

Filter = dict[str, Any] | list[dict[str, Any]]


class NeuralSparseRetriever(BaseRetriever):
    """Base of the retrievers: store, number of hits, filter and returned fields.

    Making one does nothing; the first search opens the index.

    Attributes:
        vectorstore: Where to search.
        k: How many documents to return; `invoke(query, k=...)` overrides it.
        filter: `{"lang": "en", "year": {"$gte": 2020}}`, OpenSearch's own clause, or a list of either;
            it holds in every call, which `invoke(query, filter=...)` narrows. `model_copy(update={"filter": None})`
            returns a retriever without it.
        include_scores: Whether metadata gets the score, under `_score`.
        explain: Whether metadata gets the tokens that matched, under `_matches`, in a hybrid search what each leg made
            of the document, under `_legs`, and in an index of chunks the best one, under `_chunk`; where hits are
            reranked, the scores of reranker and search, under `_rerank`.
        rerank: How the best documents are reranked by their texts; by default as the options say.
            `invoke(query, rerank=...)` overrides it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    vectorstore: VectorStoreBase
    k: int = Field(default=4, ge=1)
    filter: Filter | None = None
    include_scores: bool = False
    explain: bool = False
    rerank: Rerank | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, given: Any) -> Any:
        """Raise TypeError for unknown arguments, as the methods of the vector store do."""
        if isinstance(given, Mapping) and (unknown := [name for name in given if name not in cls.model_fields]):
            raise unknown_arguments(unknown)
        return given

    def _page(
        self,
        k: int | None,
        filter: Filter | None,  # noqa: A002 (LangChain's word)
        schema: IndexSchema,
    ) -> tuple[int, list[dict[str, Any]]]:
        """Return the number of hits and the clauses of the filter."""
        clauses = compile_filter(joined_filters(self.filter, filter), schema)
        size = self.k if k is None else k
        check_size(size, name="k")
        return size, clauses

    def _run(self, search: Search) -> list[Document]:
        return self._documents(self.vectorstore.store.run(search))

    async def _arun(self, search: Search) -> list[Document]:
        return self._documents(await self.vectorstore.async_store.run(search))

    def _documents(self, hits: SearchHits) -> list[Document]:
        read = self.vectorstore.document_mapper
        return [annotated(read(hit), hit, score=self.include_scores) for hit in hits.ungrouped]

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        known = super()._get_ls_params(**kwargs)
        known["ls_vector_store_provider"] = "OpenSearch"
        known["ls_embedding_provider"] = "opensearch-neural-sparse"
        known["ls_embedding_model"] = self.vectorstore.stores.model_id
        return cast("LangSmithRetrieverParams", {**known, "opensearch_index": self.vectorstore.stores.index})
