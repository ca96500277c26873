"""Asynchronous methods of a vector store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.documents import (
    Row,
    awith_embeddings,
    load_of_documents,
    rows_of_documents,
    rows_of_texts,
    several,
)
from langchain_opensearch_neural_sparse.filters import Filter
from langchain_opensearch_neural_sparse.vectorstore_base import (
    Scored,
    VectorStoreBase,
    all_hits,
    checked_options,
    needed_ids,
    noted,
    of_ids,
    refuse_reordering,
    refuse_unknown,
)
from opensearch_neural_sparse import (
    IndexNotFoundError,
    Load,
    LoadProgress,
    LoadReport,
    Rerank,
    SearchHits,
    SearchOptions,
    SparseVector,
)
from opensearch_neural_sparse.layer_support import DEFAULT_SEARCH, Search, check_size, check_text, without_model


class AsyncMethods(VectorStoreBase):
    """Asynchronous methods of a vector store; each event loop has its own client."""

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Run `add_texts` asynchronously."""
        refuse_unknown(kwargs)
        return await self._awrite(rows_of_texts(texts, metadatas, ids), batch_size)

    async def aadd_documents(
        self,
        documents: Iterable[Document],
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Run `add_documents` asynchronously."""
        refuse_unknown(kwargs)
        return await self._awrite(rows_of_documents(documents, ids), batch_size)

    async def aingest(
        self,
        load: Load,
        *,
        batch_size: int | None = None,
        progress: Callable[[LoadProgress], None] | None = None,
    ) -> LoadReport:
        """Write the documents of a load that the index does not hold as they are; see `ingest`.

        Documents are read, and dense vectors made, in worker threads.
        """
        await self._aensure_index()
        rows = load_of_documents(load, self._embedding)
        return await self.async_store.ingest(rows, options=self._options(batch_size), progress=progress)

    async def adelete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Run `delete` asynchronously."""
        refuse_unknown(kwargs)
        wanted = needed_ids(ids)
        try:
            deleted = await self.async_store.delete(wanted, **self._deletion)
            return deleted == len(wanted) or await self._aare_gone(wanted)
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return True

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Run `get_by_ids` asynchronously."""
        wanted, routing = several("ids", ids), self._write_options.routing
        try:
            return list(map(self.document_mapper, await self.async_store.get(wanted, routing=routing)))
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return []

    async def asimilarity_search(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002 (LangChain's word)
        **kwargs: Any,
    ) -> list[Document]:
        """Run `similarity_search` asynchronously."""
        return [document for document, _ in await self.asimilarity_search_with_score(query, k, filter, **kwargs)]

    async def asimilarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
        rerank: Rerank | None = None,
        **kwargs: Any,
    ) -> Scored:
        """Run `similarity_search_with_score` asynchronously."""
        refuse_unknown(kwargs)
        schema = await self.stores.aschema_for(filter, checked_options(options).boosts)
        vector = await self._adense_vector(query)
        search = self._search_for(query, k, filter, options, schema, rerank=rerank, vector=vector)
        return self._scored(await self._ahits(search))

    async def asimilarity_search_by_sparse_vector(
        self,
        vector: Mapping[str, float],
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
        rerank: Rerank | None = None,
    ) -> list[Document]:
        """Run `similarity_search_by_sparse_vector` asynchronously."""
        schema = await self.stores.aschema_for(filter, checked_options(options).boosts)
        hits = await self._ahits(self._search_for(vector, k, filter, options, schema, rerank=rerank))
        return list(map(self.document_mapper, hits))

    async def asimilarity_search_with_aggregations(
        self,
        query: str,
        aggregations: Mapping[str, Any],
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
    ) -> tuple[list[Document], Mapping[str, Any]]:
        """Run `similarity_search_with_aggregations` asynchronously."""
        checked_options(options)
        schema = await self.stores.aschema_for(aggregations)
        vector = await self._adense_vector(query)
        hits = await self._ahits(self._aggregating(query, k, filter, aggregations, options, schema, vector))
        return list(map(self.document_mapper, hits)), hits.aggregations

    async def amax_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
        **kwargs: Any,
    ) -> list[Document]:
        """Run `max_marginal_relevance_search` asynchronously."""
        refuse_unknown(kwargs)
        refuse_reordering(options, self._mode)
        check_size(k, name="k")
        check_size(fetch_k, name="fetch_k")
        vector = await self._aquery_vector(query)
        schema = await self.stores.aschema_for(filter, checked_options(options).boosts)
        search = self._search_for(vector or query, max(k, fetch_k), filter, options, schema, explain=True)
        return self._diverse(vector, await self._ahits(search), self.async_store.schema, k, lambda_mult)

    async def _asimilarity_search_with_relevance_scores(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
        **kwargs: Any,
    ) -> Scored:
        refuse_unknown(kwargs)
        refuse_reordering(options, self._mode)
        vector = await self._aquery_vector(query)
        schema = await self.stores.aschema_for(filter, checked_options(options).boosts)
        search = self._search_for(vector or query, k, filter, options, schema, explain=True)
        return self._relevant(vector, await self._ahits(search), self.async_store.schema)

    async def _adense_vector(self, query: str) -> Sequence[float] | None:
        """Return the dense vector of a text where the store's mode needs one."""
        if self._embedding is None or not self._embeds(query):
            return None
        return await self._embedding.aembed_query(query)

    async def _aquery_vector(self, query: str) -> SparseVector:
        check_text(query=query)
        if not query.strip():
            return SparseVector()
        try:
            return await self.async_store.encode_query(query)
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return SparseVector()

    async def _ahits(self, search: Search) -> SearchHits:
        try:
            return all_hits(await self.async_store.run(search))
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return SearchHits()

    async def _aare_gone(self, ids: Sequence[str]) -> bool:
        await self.async_store.refresh()
        return not await self.async_store.count(of_ids(ids))

    async def _awrite(self, rows: Iterable[Row], batch_size: int | None) -> list[str]:
        options = self._options(batch_size)
        whole = isinstance(rows, list)
        if self._embedding is not None:
            rows = await awith_embeddings(rows, self._embedding, options.batch_size)
        ids: list[str] = []
        rows = noted(rows, ids)
        await self._aensure_index()
        await self.async_store.write(list(rows) if whole else rows, options=options)
        return ids

    async def _aensure_index(self) -> None:
        try:
            await self.async_store.open()
        except IndexNotFoundError as error:
            if not self.stores.is_creatable:
                raise without_model(error) from None
            await self.async_store.create(exist_ok=True, settings=self._settings)
