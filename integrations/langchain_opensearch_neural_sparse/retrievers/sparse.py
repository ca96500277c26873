"""Sparse retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.retrievers.base import Call, Filter, NeuralSparseRetriever
from opensearch_neural_sparse.search.options.search_options import DEFAULT_SEARCH, SearchOptions


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

    def _call(
        self,
        query: str,
        k: int | None,
        filter: Filter | None,  # noqa: A002 (LangChain's word)
        options: SearchOptions | None,
    ) -> Call:
        wanted, chosen = self._wanted(k, filter), options or self.options
        if self.body is None and (alone := self._filter_alone(query, k, filter, chosen)) is not None:
            return alone
        if self.body is None:
            return "search", {"query": query, "options": chosen, "explain": self.explain, **wanted}
        body = {**self.body, "size": wanted["size"]}
        return "custom_search", {
            "body": body,
            "query": query,
            "filter": wanted["filter"] or None,
            "request": chosen.request,
        }

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions | None = None,
    ) -> list[Document]:
        return self._found(self._call(query, k, filter, options))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions | None = None,
    ) -> list[Document]:
        return await self._afound(self._call(query, k, filter, options))
