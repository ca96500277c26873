"""Base of the retrievers: store, number of hits, filter and returned fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from pydantic import ConfigDict, Field

from langchain_opensearch_neural_sparse.documents import annotated
from langchain_opensearch_neural_sparse.vectorstore_base import VectorStoreBase
from opensearch_neural_sparse import SearchHit
from opensearch_neural_sparse.layer_support import Search, check_size

Filter = dict[str, Any] | list[dict[str, Any]]


class NeuralSparseRetriever(BaseRetriever):
    """Base of the retrievers: store, number of hits, filter and returned fields.

    Making one does nothing; the first search opens the index.

    Attributes:
        vectorstore: Where to search.
        k: How many documents to return; `invoke(query, k=...)` overrides it.
        filter: `{"lang": "en", "year": {"$gte": 2020}}`, OpenSearch's own clause, or a list of either;
            `invoke(query, filter=...)` overrides it, and an empty list lifts it.
        include_scores: Whether metadata gets the score, under `_score`.
        explain: Whether metadata gets the tokens that matched, under `_matches`, in a hybrid search what each leg made
            of the document, under `_legs`, and in an index of chunks the best one, under `_chunk`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    vectorstore: VectorStoreBase
    k: int = Field(default=4, ge=1)
    filter: Filter | None = None
    include_scores: bool = False
    explain: bool = False

    def _page(self, k: int | None, filter: Filter | None) -> tuple[int, list[dict[str, Any]]]:  # noqa: A002 (LangChain's word)
        """Return the number of hits and the clauses of the filter."""
        clauses = self.vectorstore.stores.clauses(self.filter if filter is None else filter)
        size = self.k if k is None else k
        check_size(size, name="k")
        return size, clauses

    def _run(self, search: Search) -> list[Document]:
        return self._documents(self.vectorstore.store.run(search))

    async def _arun(self, search: Search) -> list[Document]:
        return self._documents(await self.vectorstore.async_store.run(search))

    def _documents(self, hits: Iterable[SearchHit]) -> list[Document]:
        read = self.vectorstore.document_mapper
        return [annotated(read(hit), hit, score=self.include_scores) for hit in hits]

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        known = super()._get_ls_params(**kwargs)
        known["ls_vector_store_provider"] = "OpenSearch"
        known["ls_embedding_provider"] = "opensearch-neural-sparse"
        known["ls_embedding_model"] = self.vectorstore.stores.model_id
        return cast("LangSmithRetrieverParams", {**known, "opensearch_index": self.vectorstore.stores.index})
