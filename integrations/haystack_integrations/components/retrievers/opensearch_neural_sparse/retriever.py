"""Sparse retrieval."""

from __future__ import annotations

from typing import Any

from haystack import Document, component
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.types import FilterPolicy

from haystack_integrations.components.retrievers.opensearch_neural_sparse.base import Retriever
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    checked_query,
    checked_store,
    checked_top_k,
    filter_policy_of,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import (
    OpenSearchNeuralSparseDocumentStore,
    Retrieval,
)
from opensearch_neural_sparse import SparseSearch
from opensearch_neural_sparse.layer_support import PartialLike


@component
class OpenSearchNeuralSparseRetriever(Retriever):
    """Find documents by sparse vectors: from a text, encoded by the index's model, or from a sparse embedding.

    Args:
        document_store: The document store.
        filters: Filters of every run.
        top_k: Most documents, 1 to 10,000.
        filter_policy: Whether filters given to a run `replace` these or `merge` with them. Merged, documents satisfy
            both.
        custom_query: A user-supplied search body, sent as it is once the placeholders `$sparse`, `$text` and `$filters`
            in it are filled; options that shape a search have no effect on it.
        score_threshold: Least score of a document.
        two_phase: Whether heavy tokens find documents and light ones only refine their order; `True`, or parameters
            such as `{"prune_ratio": 0.3}`.
        prune: Which tokens of the query are searched for, such as `max_ratio:0.1`; None searches for all.
        seismic: How a `sparse_vector` field is searched, such as `{"k": 100}`.
        collapse: A metadata key of which each value is found once, by its best document.
        explain: Whether `meta["_explanation"]` of documents lists the tokens that matched, with their scores.
        return_embedding: Whether documents come with their vectors; by default as the document store says.
        raise_on_failure: Whether it is an error that the server fails or is out of reach; else nothing is found.
        timeout: Seconds to wait for the answer; by default as the document store says.
        preference: Which copies of the shards are asked, such as `_local`.
        routing: Only the shards that hold documents of this routing are searched.
        partial: Whether an answer that some shards are missing from is an error (`raise`) or a warning (`warn`).

    Raises:
        TypeError: Another kind of document store, or an unknown parameter in `two_phase` or `seismic`.
        ValueError: An option out of range.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> retriever = OpenSearchNeuralSparseRetriever(document_store=store, top_k=3)
        >>> documents = retriever.run("What is a rank feature?")["documents"]
    """

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
        custom_query: dict[str, Any] | None = None,
        score_threshold: float | None = None,
        two_phase: bool | dict[str, Any] | None = None,
        prune: str | dict[str, Any] | None = None,
        seismic: dict[str, Any] | None = None,
        collapse: str | None = None,
        explain: bool = False,
        return_embedding: bool | None = None,
        raise_on_failure: bool = True,
        timeout: float | None = None,
        preference: str | None = None,
        routing: str | None = None,
        partial: PartialLike = "raise",
    ) -> None:
        self.document_store = checked_store(document_store)
        self.filters = filters
        self.top_k = checked_top_k(top_k)
        self.filter_policy = filter_policy_of(filter_policy)
        self.custom_query = custom_query
        self.score_threshold = score_threshold
        self.two_phase = two_phase
        self.prune = prune
        self.seismic = seismic
        self.collapse = collapse
        self.explain = explain
        self.return_embedding = return_embedding
        self.raise_on_failure = raise_on_failure
        self.timeout = timeout
        self.preference = preference
        self.routing = routing
        self.partial = partial
        self._options = self._parsed_options()

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
        score_threshold: float | None = None,
        explain: bool | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
        custom_query: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Find documents.

        Args:
            query: A text; a blank one finds nothing.
            filters: Filters of this run; `filter_policy` says whether they replace the retriever's own.
            top_k: Most documents; this and what follows is the retriever's own by default.
            query_sparse_embedding: The embedding of a query, in place of a text.
            score_threshold: Least score of a document.
            explain: Whether documents say why they were found.
            routing: Only the shards that hold documents of this routing are searched.
            document_store: The document store.
            custom_query: A user-supplied search body.

        Returns:
            `documents`: best first, with their scores.

        Raises:
            ValueError: Neither a text nor an embedding, or both.
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        retrieval = self._retrieval_of(
            query, filters, top_k, query_sparse_embedding, score_threshold, explain, routing, custom_query
        )
        return self._retrieve(retrieval, document_store)

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str | None = None,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
        score_threshold: float | None = None,
        explain: bool | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
        custom_query: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Find documents; see `run`."""
        retrieval = self._retrieval_of(
            query, filters, top_k, query_sparse_embedding, score_threshold, explain, routing, custom_query
        )
        return await self._retrieve_async(retrieval, document_store)

    def _retrieval_of(
        self,
        query: str | None,
        filters: dict[str, Any] | None,
        top_k: int | None,
        embedding: SparseEmbedding | None,
        score_threshold: float | None,
        explain: bool | None,
        routing: str | None,
        custom_query: dict[str, Any] | None,
    ) -> Retrieval:
        if (query is None) == (embedding is None):
            raise ValueError("Give either query or query_sparse_embedding.")
        text = "" if query is None else checked_query(query)
        size, options = self._size_of_run(top_k), self._options_of_run(routing)
        custom = self._custom_search(custom_query, text, size, options.request)
        search = custom or SparseSearch(text, size=size, options=options)
        return self._retrieval(search, filters, embedding, score_threshold, explain)
