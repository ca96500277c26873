"""A retriever by sparse search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.retriever_base import Filter, NeuralSparseRetriever
from opensearch_neural_sparse.search.options import DEFAULT_SEARCH, SearchOptions


class OpenSearchNeuralSparseRetriever(NeuralSparseRetriever):
    """Retrieve documents by the tokens that the model gives query and document.

    Attributes:
        options: How to search: in two phases, by fewer tokens, collapsed, with a timeout ...
        body: A search of your own in place of it, with placeholders, as `NeuralSparseStore.custom_search` takes it.

    Examples:
        ```python
        retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=3)
        retriever.invoke("how do I reset my password?", filter={"lang": "en"})
        ```
    """

    options: SearchOptions = DEFAULT_SEARCH
    body: Mapping[str, Any] | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (part of the contract)
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002 (LangChain's word)
        options: SearchOptions | None = None,
    ) -> list[Document]:
        search = self.vectorstore.store.search
        hits = search(query, options=options or self.options, explain=self.explain, **self._wanted(k, filter))
        return self._documents(hits)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions | None = None,
    ) -> list[Document]:
        search = self.vectorstore.async_store.search
        hits = await search(query, options=options or self.options, explain=self.explain, **self._wanted(k, filter))
        return self._documents(hits)
