"""Base of the vector store: stores of the core, settings, and conversion of hits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from langchain_opensearch_neural_sparse.documents import DocumentMapper, Row, several
from langchain_opensearch_neural_sparse.filters import Filter, compile_filter, field_of
from langchain_opensearch_neural_sparse.mmr import cosine, diverse
from langchain_opensearch_neural_sparse.retrieval_modes import RetrievalMode, refuse_cosines, search_by_mode
from langchain_opensearch_neural_sparse.searches import filter_search, refuse_profile, with_rerank, with_stored_boosts
from langchain_opensearch_neural_sparse.store_pair import StorePair
from opensearch_neural_sparse import (
    HybridOptions,
    HybridSearch,
    IndexNotFoundError,
    IndexNotFoundWarning,
    IndexSchema,
    Rerank,
    SearchHit,
    SearchHits,
    SearchOptions,
    SparseSearch,
    SparseVector,
    WriteOptions,
)
from opensearch_neural_sparse.layer_support import (
    Aggregations,
    Search,
    check_aggregations,
    check_size,
    check_texts,
    check_type,
    renamed_fields,
    scored_vector,
    warn_caller,
    without_model,
)

if TYPE_CHECKING:
    from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore

Scored = list[tuple[Document, float]]
Query = str | Mapping[str, float]
_OWN_NAMES = {"top_k": "k", "size": "k", "limit": "k", "filters": "filter", "where": "filter", "pre_filter": "filter"}
"""Names of arguments in other libraries and in the core -> their names here."""


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
    _mode: RetrievalMode
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
        schema: IndexSchema,
        *,
        explain: bool = False,
        rerank: Rerank | None = None,
        vector: Sequence[float] | None = None,
    ) -> Search:
        """Return the search of the store's mode for a text, or for every document of a filter if it is blank.

        Token weights, and hits with their sparse vectors, are searched by sparse search in every mode.

        Args:
            query: A text, or token weights.
            k: Most hits.
            filter: The filter, in LangChain's syntax or OpenSearch's.
            options: How to search.
            schema: Names of the fields of the index.
            explain: Whether hits carry their sparse vectors.
            rerank: How the best hits are reranked; None is as the options say.
            vector: The dense vector of the text, in the mode `dense`.
        """
        check_size(k, name="k")
        options = with_stored_boosts(with_rerank(options, rerank), schema)
        clauses = compile_filter(filter, schema)
        by_filter = filter_search(query, clauses, k, options, schema=schema if explain else None)
        if by_filter is not None:
            return by_filter
        if explain or not isinstance(query, str):
            return SparseSearch(query, size=k, filter=clauses, options=options, explain=explain)
        field = schema.embedding_field
        return search_by_mode(self._mode, query, clauses, k, options, vector=vector, field=field)

    def _aggregating(
        self,
        query: str,
        k: int,
        filter: Filter | None,  # noqa: A002
        aggregations: Aggregations,
        options: SearchOptions,
        schema: IndexSchema,
        vector: Sequence[float] | None,
    ) -> Search:
        """Return the search of `_search_for`, or a hybrid one by options of such, with aggregations.

        Args:
            query: A text.
            k: Most hits.
            filter: The filter, in LangChain's syntax or OpenSearch's.
            aggregations: Name -> aggregation; its fields are keys of metadata.
            options: How to search.
            schema: Names of the fields of the index.
            vector: The dense vector of the text, in the mode `dense`.
        """
        check_aggregations(aggregations)
        renamed = renamed_fields(aggregations, partial(field_of, schema=schema))
        if not isinstance(options, HybridOptions):
            return self._search_for(query, k, filter, replace(options, aggregations=renamed), schema, vector=vector)
        check_size(k, name="k")
        clauses = compile_filter(filter, schema)
        hybrid = with_stored_boosts(replace(options, aggregations=renamed), schema)
        by_filter = filter_search(query, clauses, k, hybrid)
        return by_filter or HybridSearch(query, size=k, filter=clauses, options=hybrid)

    def _embeds(self, query: str) -> bool:
        """Return whether a search for a text needs its dense vector."""
        return self._mode is RetrievalMode.DENSE and bool(query.strip())

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
            raise without_model(error) from None
        if not self._warned_of_index:
            self._warned_of_index = True
            warn_caller(IndexNotFoundWarning(error.index))

    def _options(self, batch_size: int | None) -> WriteOptions:
        return self._write_options if batch_size is None else replace(self._write_options, batch_size=batch_size)


def all_hits(hits: SearchHits) -> SearchHits:
    """Return hits with all of a collapsed value where its best one stands."""
    hits[:] = hits.ungrouped
    return hits


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
    wanted = list(several("ids", ids))
    check_texts(ids=wanted)
    return list(dict.fromkeys(wanted))


def checked_options(options: SearchOptions) -> SearchOptions:
    """Return options of a search.

    Raises:
        TypeError: They are of another kind.
        ValueError: They ask for a profile, which documents cannot carry.
    """
    check_type(SearchOptions, options=options)
    refuse_profile(options)
    return options


def refuse_reordering(options: SearchOptions, mode: RetrievalMode) -> None:
    """Raise ValueError for a reranking, boosts or a mode that an order by cosines of sparse vectors would undo."""
    refuse_cosines(mode)
    checked_options(options)
    if options.rerank is not None or options.boosts:
        found = "boosts have" if options.rerank is None else "rerank has"
        raise ValueError(
            f"{found} no effect where documents are ordered by cosines of their vectors, as for mmr and relevance "
            "scores; leave it out, or search by 'similarity', 'sparse' or 'hybrid'."
        )


def unknown_arguments(names: Iterable[str]) -> TypeError:
    """Return the error of unknown arguments, with the names of this layer for those of others."""
    meant = [f"{name} is called {_OWN_NAMES[name]} here" for name in sorted(names) if name in _OWN_NAMES]
    hint = f" {'; '.join(meant)}." if meant else ""
    return TypeError(f"Unknown arguments: {', '.join(sorted(names))}.{hint}")


def refuse_unknown(arguments: Mapping[str, Any]) -> None:
    """Raise TypeError for unknown arguments."""
    if arguments:
        raise unknown_arguments(arguments)
