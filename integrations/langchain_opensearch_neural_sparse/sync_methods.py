"""Blocking methods of a vector store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.documents import (
    Row,
    load_of_documents,
    rows_of_documents,
    rows_of_texts,
    several,
    with_embeddings,
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


class SyncMethods(VectorStoreBase):
    """Blocking methods of a vector store."""

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Encode texts and write them; those with the same id are replaced.

        Args:
            texts: Texts; consumed once, a batch at a time where neither metadata nor ids are given.
            metadatas: Metadata, one for each text.
            ids: Ids, one for each text; one is made where it is None.
            batch_size: Documents of a request, in place of the one in `write_options`.
            **kwargs: None are known.

        Returns:
            The ids, in the order of the texts.

        Raises:
            ValueError: The counts differ.
            BulkWriteError: Some documents were not written.
        """
        refuse_unknown(kwargs)
        return self._write(rows_of_texts(texts, metadatas, ids), batch_size)

    def add_documents(
        self,
        documents: Iterable[Document],
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Encode documents and write them; those with the same id are replaced.

        Args:
            documents: Documents; consumed once, a batch at a time where no ids are given.
            ids: Ids in place of the documents' own. A document that has none either way gets one.
            batch_size: Documents of a request, in place of the one in `write_options`.
            **kwargs: None are known.

        Returns:
            The ids, in the order of the documents.

        Raises:
            ValueError: The counts differ.
            BulkWriteError: Some documents were not written.
        """
        refuse_unknown(kwargs)
        return self._write(rows_of_documents(documents, ids), batch_size)

    def ingest(
        self,
        load: Load,
        *,
        batch_size: int | None = None,
        progress: Callable[[LoadProgress], None] | None = None,
    ) -> LoadReport:
        """Write the documents of a load that the index does not hold as they are; encode only those.

        With a journal, the same call continues a load that ended early, whatever ended it.

        Args:
            load: `Load(documents, journal="articles.journal")`, with LangChain's documents from any iterable, such as
                `loader.lazy_load()`. A document without an id gets one by its place.
            batch_size: Documents of a request, in place of the one in `write_options`.
            progress: Called with counts after each bulk request.

        Raises:
            JournalError: The journal cannot be used, or another program uses it.
            JournalMismatchError: The journal belongs to another source, index or model.
        """
        self._ensure_index()
        rows = load_of_documents(load, self._embedding)
        return self.store.ingest(rows, options=self._options(batch_size), progress=progress)

    def delete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents; missing ids are ignored.

        Documents are looked for by the routing in `write_options`, which they were written with.

        Args:
            ids: Ids. Left out, nothing is deleted: `store.delete_index()` removes everything.
            **kwargs: None are known.

        Returns:
            Whether the index holds no document of these ids any more; one that was written with another routing stays.

        Raises:
            ValueError: No ids.
            BulkWriteError: Some documents were not deleted.
        """
        refuse_unknown(kwargs)
        wanted = needed_ids(ids)
        try:
            return self.store.delete(wanted, **self._deletion) == len(wanted) or self._are_gone(wanted)
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents with these `ids`; missing ones are left out.

        Documents are looked for by the routing in `write_options`, which they were written with.
        """
        routing = self._write_options.routing
        try:
            return list(map(self.document_mapper, self.store.get(several("ids", ids), routing=routing)))
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return []

    def similarity_search(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002 (LangChain's word)
        **kwargs: Any,
    ) -> list[Document]:
        """Return the best documents for a query; see `similarity_search_with_score`."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter, **kwargs)]

    def similarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
        rerank: Rerank | None = None,
        **kwargs: Any,
    ) -> Scored:
        """Return the best documents for a query and their scores, best first.

        Args:
            query: Text. A blank one finds nothing, or beside a filter all that satisfy it, each with the score 1, and
                what boosts make of it.
            k: Most documents to return. A document that shares no token with the query is not found.
            filter: `{"lang": "en", "year": {"$gte": 2020}}`, OpenSearch's own clause, or a list of either.
            options: How to search; boosts name keys of metadata.
            rerank: How the best documents are reranked by their texts; by default as the options say.
            **kwargs: None are known.

        Returns:
            Documents with the inner product of query and document, which has no upper bound, or with the reranker's
            score.

        Raises:
            FilterSyntaxError: The filter is not one.
        """
        refuse_unknown(kwargs)
        schema = self.stores.schema_for(filter, checked_options(options).boosts)
        vector = self._dense_vector(query)
        search = self._search_for(query, k, filter, options, schema, rerank=rerank, vector=vector)
        return self._scored(self._hits(search))

    def similarity_search_by_sparse_vector(
        self,
        vector: Mapping[str, float],
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
        rerank: Rerank | None = None,
    ) -> list[Document]:
        """Return the best documents for a sparse `vector`; see `similarity_search_with_score`."""
        schema = self.stores.schema_for(filter, checked_options(options).boosts)
        hits = self._hits(self._search_for(vector, k, filter, options, schema, rerank=rerank))
        return list(map(self.document_mapper, hits))

    def similarity_search_with_aggregations(
        self,
        query: str,
        aggregations: Mapping[str, Any],
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        *,
        options: SearchOptions = DEFAULT_SEARCH,
    ) -> tuple[list[Document], Mapping[str, Any]]:
        """Return the best documents for a query, and aggregations over all that match it.

        Args:
            query: Text. A blank one beside a filter finds all that satisfy it.
            aggregations: Name -> aggregation in OpenSearch's syntax, its fields being keys of metadata:
                `{"by_topic": {"terms": {"field": "topic"}}}`.
            k: Most documents to return; every document that matches is counted.
            filter: As for `similarity_search_with_score`.
            options: How to search; `HybridOptions` search by several legs.

        Returns:
            The documents, and name -> result of each aggregation as the server sends it.
        """
        checked_options(options)
        schema = self.stores.schema_for(aggregations)
        vector = self._dense_vector(query)
        hits = self._hits(self._aggregating(query, k, filter, aggregations, options, schema, vector))
        return list(map(self.document_mapper, hits)), hits.aggregations

    def max_marginal_relevance_search(
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
        """Return relevant and diverse documents, by the cosines of their sparse vectors.

        Args:
            query: Text.
            k: Most documents to return.
            fetch_k: Of how many of the best hits they are chosen.
            lambda_mult: 1 goes by likeness to the query alone, 0 by difference alone.
            filter: As for `similarity_search_with_score`.
            options: How to search.
            **kwargs: None are known.

        Raises:
            ValueError: A reranking or boosts, which this order would undo.
        """
        refuse_unknown(kwargs)
        refuse_reordering(options, self._mode)
        check_size(k, name="k")
        check_size(fetch_k, name="fetch_k")
        vector = self._query_vector(query)
        schema = self.stores.schema_for(filter, checked_options(options).boosts)
        search = self._search_for(vector or query, max(k, fetch_k), filter, options, schema, explain=True)
        return self._diverse(vector, self._hits(search), self.store.schema, k, lambda_mult)

    def _similarity_search_with_relevance_scores(
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
        vector = self._query_vector(query)
        schema = self.stores.schema_for(filter, checked_options(options).boosts)
        search = self._search_for(vector or query, k, filter, options, schema, explain=True)
        return self._relevant(vector, self._hits(search), self.store.schema)

    def _dense_vector(self, query: str) -> Sequence[float] | None:
        """Return the dense vector of a text where the store's mode needs one."""
        if self._embedding is None or not self._embeds(query):
            return None
        return self._embedding.embed_query(query)

    def _query_vector(self, query: str) -> SparseVector:
        check_text(query=query)
        if not query.strip():
            return SparseVector()
        try:
            return self.store.encode_query(query)
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return SparseVector()

    def _hits(self, search: Search) -> SearchHits:
        try:
            return all_hits(self.store.run(search))
        except IndexNotFoundError as error:
            self._allow_missing_index(error)
            return SearchHits()

    def _are_gone(self, ids: Sequence[str]) -> bool:
        self.store.refresh()
        return not self.store.count(of_ids(ids))

    def _write(self, rows: Iterable[Row], batch_size: int | None) -> list[str]:
        options = self._options(batch_size)
        whole = isinstance(rows, list)
        if self._embedding is not None:
            rows = with_embeddings(rows, self._embedding, options.batch_size)
        ids: list[str] = []
        rows = noted(rows, ids)
        self._ensure_index()
        self.store.write(list(rows) if whole else rows, options=options)
        return ids

    def _ensure_index(self) -> None:
        try:
            self.store.open()
        except IndexNotFoundError as error:
            if not self.stores.is_creatable:
                raise without_model(error) from None
            self.store.create(exist_ok=True, settings=self._settings)
