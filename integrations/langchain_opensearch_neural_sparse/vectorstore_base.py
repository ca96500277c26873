"""Base of the vector store: stores of the core, settings, and conversion of hits."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from langchain_opensearch_neural_sparse.documents import DocumentMapper, Row, several
from langchain_opensearch_neural_sparse.filters import Filter
from langchain_opensearch_neural_sparse.mmr import cosine, diverse
from langchain_opensearch_neural_sparse.searches import filter_search
from langchain_opensearch_neural_sparse.store_pair import StorePair
from opensearch_neural_sparse import (
    CustomSearch,
    IndexNotFoundError,
    IndexNotFoundWarning,
    IndexSchema,
    SearchHit,
    SearchOptions,
    SparseSearch,
    SparseVector,
    WriteOptions,
)
from opensearch_neural_sparse.layer_support import check_size, scored_vector

if TYPE_CHECKING:
    from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore

Scored = list[tuple[Document, float]]
Query = str | Mapping[str, float]


class VectorStoreBase(VectorStore):
    """Stores and settings of a vector store, and conversion of hits.

    Attributes:
        stores: The stores of the core that do the work.
        document_mapper: Makes documents of what they find and read.
    """

    stores: StorePair
    document_mapper: DocumentMapper
    _embedding: Embeddings | None
    _write_options: WriteOptions
    _settings: Mapping[str, Any] | None
    _warned_of_index = False

    @property
    def store(self) -> NeuralSparseStore:
        """Blocking store of the core, with further operations that LangChain does not have."""
        return self.stores.blocking

    @property
    def async_store(self) -> AsyncNeuralSparseStore:
        """Asynchronous store of the core."""
        return self.stores.awaited

    @property
    def embeddings(self) -> Embeddings | None:
        """Dense model of the dense leg, or None; the sparse model does not fit LangChain's `Embeddings`."""
        return self._embedding

    def _search_for(
        self,
        query: Query,
        k: int,
        filter: Filter | None,  # noqa: A002 (LangChain's word)
        options: SearchOptions,
        *,
        explain: bool = False,
    ) -> SparseSearch | CustomSearch:
        """Return the search for a query, or for every document of a filter if the query is blank.

        Args:
            query: A text, or token weights.
            k: Most hits.
            filter: The filter, in LangChain's syntax or OpenSearch's.
            options: How to search.
            explain: Whether hits carry their sparse vectors.
        """
        check_size(k, name="k")
        clauses = self.stores.clauses(filter)
        by_filter = filter_search(query, clauses, k, options, schema=self.stores.schema if explain else None)
        return by_filter or SparseSearch(query, size=k, filter=clauses, options=options, explain=explain)

    def _scored(self, hits: Iterable[SearchHit]) -> Scored:
        return [(self.document_mapper(hit), hit.score) for hit in hits]

    def _relevant(self, query: SparseVector, hits: Sequence[SearchHit], schema: IndexSchema) -> Scored:
        """Return documents by cosine, most relevant first: the score divided by the norms of both vectors.

        A hit without a vector matches a filter, which is all of the query, and has the relevance 1.
        """
        if not query:
            return self._scored(hits)
        vectors = (scored_vector(hit.source, schema, hit.chunk) for hit in hits)
        found = [(self.document_mapper(hit), cosine(query, vector)) for hit, vector in zip(hits, vectors, strict=True)]
        return sorted(found, key=lambda one: -one[1])

    def _diverse(
        self, query: SparseVector, hits: Sequence[SearchHit], schema: IndexSchema, k: int, lambda_mult: float
    ) -> list[Document]:
        vectors = [scored_vector(hit.source, schema, hit.chunk) for hit in hits]
        return [self.document_mapper(hits[place]) for place in diverse(query, vectors, k=k, lambda_mult=lambda_mult)]

    @property
    def _deletion(self) -> dict[str, Any]:
        """Options of a deletion: those of writes."""
        return {"refresh": self._write_options.refresh, "routing": self._write_options.routing}

    def _allow_missing_index(self, error: IndexNotFoundError) -> None:
        """Warn once of a missing index that the first write creates; raise the error of any other."""
        if not self.stores.is_creatable:
            raise error
        if not self._warned_of_index:
            self._warned_of_index = True
            warnings.warn(IndexNotFoundWarning(error.index), stacklevel=3)

    def _options(self, batch_size: int | None) -> WriteOptions:
        return self._write_options if batch_size is None else replace(self._write_options, batch_size=batch_size)


def noted(rows: Iterable[Row], ids: list[str]) -> Iterator[Row]:
    """Yield rows and collect their ids in a list."""
    for row in rows:
        ids.append(row["id"])
        yield row


def of_ids(ids: Sequence[str]) -> dict[str, Any]:
    """Return the clause that matches documents by id, whatever their routing."""
    return {"ids": {"values": list(ids)}}


def needed_ids(ids: Sequence[str] | None) -> list[str]:
    """Return the ids to delete, without duplicates.

    Raises:
        ValueError: None were given.
        TypeError: One string in place of several.
    """
    if ids is None:
        raise ValueError("delete() needs ids. To remove the whole index, call vectorstore.store.delete_index().")
    return list(dict.fromkeys(several("ids", ids)))


def refuse_unknown(arguments: Mapping[str, Any]) -> None:
    """Raise TypeError for unknown arguments."""
    if arguments:
        raise TypeError(f"Unknown arguments: {', '.join(sorted(arguments))}.")
