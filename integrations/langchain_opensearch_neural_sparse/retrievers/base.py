"""Base of the retrievers: store, number of hits, filter and returned fields."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from pydantic import ConfigDict, Field

from langchain_opensearch_neural_sparse.documents import annotated
from langchain_opensearch_neural_sparse.filter_search import filter_search, is_filter_alone
from langchain_opensearch_neural_sparse.vectorstore import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse.search.options.page import check_size
from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions
from opensearch_neural_sparse.search.results.hits import SearchHit

Filter = dict[str, Any] | list[dict[str, Any]]
Call = tuple[str, dict[str, Any]]
"""Search method of the core, blocking or async, and its keywords."""


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

    vectorstore: OpenSearchNeuralSparseVectorStore
    k: int = Field(default=4, ge=1)
    filter: Filter | None = None
    include_scores: bool = False
    explain: bool = False

    def _wanted(self, k: int | None, filter: Filter | None) -> dict[str, Any]:  # noqa: A002 (LangChain's word)
        """Return the search keywords for number, filter and fields of the hits."""
        clauses = self.vectorstore.stores.clauses(self.filter if filter is None else filter)
        size = self.k if k is None else k
        check_size(size, name="k")
        return {"size": size, "filter": clauses}

    def _filter_alone(
        self,
        query: str,
        k: int | None,
        filter: Filter | None,  # noqa: A002
        options: SearchOptions | HybridOptions,
    ) -> Call | None:
        """Return the search by filter alone, if the query is blank and there is a filter; else None."""
        if query.strip():
            return None
        wanted = self._wanted(k, filter)
        clauses, size = wanted["filter"], wanted["size"]
        return ("custom_search", filter_search(clauses, size, options)) if is_filter_alone(query, clauses) else None

    def _found(self, call: Call) -> list[Document]:
        name, keywords = call
        return self._documents(getattr(self.vectorstore.store, name)(**keywords))

    async def _afound(self, call: Call) -> list[Document]:
        name, keywords = call
        return self._documents(await getattr(self.vectorstore.async_store, name)(**keywords))

    def _documents(self, hits: Iterable[SearchHit]) -> list[Document]:
        read = self.vectorstore.document_mapper
        return [annotated(read(hit), hit, score=self.include_scores) for hit in hits]

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        known = super()._get_ls_params(**kwargs)
        known["ls_vector_store_provider"] = "OpenSearch"
        known["ls_embedding_provider"] = "opensearch-neural-sparse"
        known["ls_embedding_model"] = self.vectorstore.stores.model_id
        return cast("LangSmithRetrieverParams", {**known, "opensearch_index": self.vectorstore.stores.index})
