"""Sparse retriever."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.retrievers.base import Filter, NeuralSparseRetriever
from langchain_opensearch_neural_sparse.searches import filter_search, refuse_profile, with_rerank, with_stored_boosts
from opensearch_neural_sparse import CustomSearch, IndexSchema, Rerank, SearchOptions, SparseSearch
from opensearch_neural_sparse.layer_support import DEFAULT_SEARCH, holding_filter


class OpenSearchNeuralSparseRetriever(NeuralSparseRetriever):
    """Retrieve documents by sparse search.

    Attributes:
        options: How to search: in two phases, by fewer tokens, collapsed, with a timeout ...
        body: A search of your own in place of that, with placeholders, as `NeuralSparseStore.custom_search` takes it;
            its size is `k`, boosts of the options apply to its query, and documents satisfy the filter wherever
            `$filters` stands.

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
        rerank: Rerank | None,
        schema: IndexSchema,
    ) -> SparseSearch | CustomSearch:
        size, clauses = self._page(k, filter, schema)
        chosen = with_rerank(options or self.options, rerank or (self.rerank if options is None else None))
        refuse_profile(chosen)
        chosen = with_stored_boosts(chosen, schema)
        if self.body is not None:
            body = {**(holding_filter(self.body) if clauses else self.body), "size": size}
            shared: dict[str, Any] = {"request": chosen.request, "server_query": chosen.server_query}
            return CustomSearch(body, query=query, filter=clauses or None, boosts=chosen.boosts, **shared)
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
        rerank: Rerank | None = None,
    ) -> list[Document]:
        schema = self.vectorstore.stores.schema_for(self.filter, filter, (options or self.options).boosts)
        return self._run(self._search(query, k, filter, options, rerank, schema))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
        k: int | None = None,
        filter: Filter | None = None,  # noqa: A002
        options: SearchOptions | None = None,
        rerank: Rerank | None = None,
    ) -> list[Document]:
        schema = await self.vectorstore.stores.aschema_for(self.filter, filter, (options or self.options).boosts)
        return await self._arun(self._search(query, k, filter, options, rerank, schema))
