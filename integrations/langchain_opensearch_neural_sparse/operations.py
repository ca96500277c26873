"""What is done with the documents of an index: written, deleted, read, searched for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from langchain_core.documents import Document
from langchain_core.runnables.config import run_in_executor
from langchain_core.vectorstores import VectorStore, VectorStoreRetriever

from langchain_opensearch_neural_sparse.converters import Row, rows_of_documents, rows_of_texts, several, to_document
from opensearch_neural_sparse.errors import IndexNotFoundError
from opensearch_neural_sparse.search.filters import Filter
from opensearch_neural_sparse.store.options import WriteOptions
from opensearch_neural_sparse.store.sync import NeuralSparseStore

_WHY = "Scores are sums of products without an upper bound; similarity_search_with_score() returns them."


class NeuralSparseOperations(VectorStore):
    """The operations of a vector store over a store of the core.

    Attributes:
        store: The store of the core that does the work, and all that LangChain has no word for.
    """

    store: NeuralSparseStore
    _write_options: WriteOptions

    @property
    def embeddings(self) -> None:
        """None: a sparse model is not one of LangChain's dense embeddings."""
        return

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Encode texts and write them, replacing those of the same id.

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
        _refuse_unknown(kwargs)
        return self._write(rows_of_texts(texts, metadatas, ids), batch_size)

    def add_documents(
        self,
        documents: Iterable[Document],
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Encode documents and write them, replacing those of the same id.

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
        _refuse_unknown(kwargs)
        return self._write(rows_of_documents(documents, ids), batch_size)

    def delete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents; ids that are not there are passed over.

        Args:
            ids: Ids. Left out, nothing is deleted: `store.delete_index()` removes everything.
            **kwargs: None are known.

        Returns:
            True.

        Raises:
            ValueError: No ids.
            BulkWriteError: Some documents were not deleted.
        """
        _refuse_unknown(kwargs)
        if ids is None:
            raise ValueError("delete() needs ids. To remove the whole index, call vectorstore.store.delete_index().")
        with suppress(IndexNotFoundError):
            self.store.delete(several("ids", ids))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of these ids, without those that are not there."""
        try:
            return list(map(to_document, self.store.get(several("ids", ids))))
        except IndexNotFoundError:
            return []

    def similarity_search(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002 (LangChain's word)
        **kwargs: Any,
    ) -> list[Document]:
        """Return the documents that share most weight with the query; see `similarity_search_with_score`."""
        return [document for document, _ in self.similarity_search_with_score(query, k, filter, **kwargs)]

    def similarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        **kwargs: Any,
    ) -> list[tuple[Document, float]]:
        """Return the documents that share most weight with the query, and their scores, best first.

        Args:
            query: Text.
            k: Most documents to return. A document that shares no token with the query is not found.
            filter: OpenSearch query clause such as `{"term": {"lang": "en"}}`, or a list of such that must all hold.
            **kwargs: None are known.

        Returns:
            Documents with the inner product of query and document; it has no upper bound.

        Raises:
            FilterSyntaxError: The filter is not one.
        """
        _refuse_unknown(kwargs)
        try:
            hits = self.store.search(query, size=k, filter=filter)
        except IndexNotFoundError:
            return []
        return [(to_document(hit), hit.score) for hit in hits]

    async def asimilarity_search(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,  # noqa: A002
        **kwargs: Any,
    ) -> list[Document]:
        """Do what `similarity_search` does, in a worker thread."""
        return await run_in_executor(None, self.similarity_search, query, k, filter, **kwargs)

    def as_retriever(self, **kwargs: Any) -> VectorStoreRetriever:
        """Return LangChain's own retriever over this store.

        `OpenSearchNeuralSparseRetriever` and `OpenSearchNeuralSparseHybridRetriever` do more.

        Args:
            **kwargs: `search_kwargs` with `k` and `filter`, `tags`, `metadata`.

        Raises:
            ValueError: A `search_type` that needs scores within 0 and 1, or dense vectors.
        """
        if (search_type := kwargs.get("search_type", "similarity")) != "similarity":
            raise ValueError(
                f"search_type {search_type!r} is not to be had from token weights; 'similarity' is. {_WHY}"
            )
        return super().as_retriever(**kwargs)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        raise ValueError(f"Relevance scores between 0 and 1 are not to be had from token weights. {_WHY}")

    def _write(self, rows: Iterable[Row], batch_size: int | None) -> list[str]:
        ids: list[str] = []

        def noted() -> Iterator[Row]:
            for row in rows:
                ids.append(row["id"])
                yield row

        options = self._write_options if batch_size is None else replace(self._write_options, batch_size=batch_size)
        self._ensure_index()
        self.store.write(list(noted()) if isinstance(rows, list) else noted(), options=options)
        return ids

    def _ensure_index(self) -> None:
        try:
            self.store.open()
        except IndexNotFoundError:
            self.store.create(exist_ok=True)


def _refuse_unknown(arguments: Mapping[str, Any]) -> None:
    if arguments:
        raise TypeError(f"Unknown arguments: {', '.join(sorted(arguments))}.")
