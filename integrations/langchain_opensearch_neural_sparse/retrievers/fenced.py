"""LangChain's own retriever with a filter that calls narrow and never lift."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStoreRetriever

from langchain_opensearch_neural_sparse.filters import joined_filters


class FencedRetriever(VectorStoreRetriever):
    """LangChain's retriever for `similarity`, `mmr` and `similarity_score_threshold`.

    A `filter` in `search_kwargs` holds in every call: `invoke(query, filter=...)` narrows it, and None leaves it.
    """

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return super()._get_relevant_documents(query, run_manager=run_manager, **self._fenced(kwargs))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return await super()._aget_relevant_documents(query, run_manager=run_manager, **self._fenced(kwargs))

    def _fenced(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        if "filter" not in kwargs:
            return kwargs
        return {**kwargs, "filter": joined_filters(self.search_kwargs.get("filter"), kwargs["filter"])}
