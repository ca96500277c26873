"""Sparse retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.retrievers.base import Filter, NeuralSparseRetriever
from langchain_opensearch_neural_sparse.searches import filter_search
from opensearch_neural_sparse import CustomSearch, SearchOptions, SparseSearch
from opensearch_neural_sparse.layer_support import DEFAULT_SEARCH


class OpenSearchNeuralSparseRetriever(NeuralSparseRetriever):
    """Retrieve documents by sparse search.

    Attributes:
        options: How to search: in two phases, by fewer tokens, collapsed, with a timeout ...
        body: A search of your own in place of that, with placeholders, as `NeuralSparseStore.custom_search` takes it;
            its size is `k`.

    Examples:
        ```python
        retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=3)
        retriever.invoke("how do I reset my password?", filter={"lang": "en"})
        ```
    """

    options: SearchOptions = DEFAULT_SEARCH
    body: dict[str, Any] | None = None

    def _search(
        self,
        query: str,
        k: int | None,
        filter: Filter | None,  # noqa: A002 (LangChain's word)
        options: SearchOptions | None,
    ) -> SparseSearch | CustomSearch:
        size, clauses = self._page(k, filter)
        chosen = options or self.options
        if self.body is not None:
            body = {**self.body, "size": size}
            return CustomSearch(body, query=query, filter=clauses or None, request=chosen.request)
        by_filter = filter_search(query, clauses, size, chosen)
        return by_filter or SparseSearch(query, size=size, filter=clauses, options=chosen, explain=self.explain)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions | None = None,
    ) -> list[Document]:
        return self._run(self._search(query, k, filter, options))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions | None = None,
    ) -> list[Document]:
        return await self._arun(self._search(query, k, filter, options))
