"""Retrieval by words (BM25) alone."""

from __future__ import annotations

from typing import Any

from haystack import Document, component
from haystack.document_stores.types import FilterPolicy

from haystack_integrations.components.retrievers.opensearch_neural_sparse.base import Retriever
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    BoostLike,
    checked_query,
    checked_store,
    checked_top_k,
    filter_policy_of,
    search_by_words,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.rerank_parsing import RerankLike
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import SearchOptions
from opensearch_neural_sparse.layer_support import PartialLike, Search


@component
class OpenSearchNeuralSparseBM25Retriever(Retriever):
    """Find documents by words (BM25), in an index that may hold sparse vectors beside them; no query is encoded.

    Unlike opensearch-haystack's retriever, a pipeline with it is loaded from YAML with this package's document store,
    and texts are searched as each language of the index analyses them.

    Args:
        document_store: The document store.
        filters: Filters of every run.
        top_k: Most documents, 1 to 10,000.
        filter_policy: Whether filters given to a run `replace` these or `merge` with them. Merged, documents satisfy
            both.
        language: The language of queries, one of the index's; None takes the best of all.
        custom_query: A user-supplied search body, sent as it is once the placeholders `$text` and `$filters` in it are
            filled; documents satisfy the filters wherever `$filters` stands. Of the options that shape a search,
            `boosts` alone has an effect on it.
        score_threshold: Least score of a document.
        collapse: A metadata key of which each value is found once; or `{"field": "source_id", "size": 3}`, by which
            `top_k` values are found with the best 3 documents of each.
        return_embedding: Whether documents come with their vectors; by default as the document store says.
        raise_on_failure: Whether it is an error that the server fails or is out of reach; else nothing is found.
        timeout: Seconds to wait for the answer; by default as the document store says.
        preference: Which copies of the shards are asked, such as `_local`.
        routing: Only the shards that hold documents of this routing are searched.
        partial: Whether an answer that some shards are missing from is an error (`raise`) or a warning (`warn`).
        rerank: How the best documents are reranked by their texts: a `Rerank`, or its options, such as
            `{"reranker": {"model": "cross-encoder/ms-marco-MiniLM-L6-v2"}, "depth": 50}`.
        boosts: Boosts of scores by metadata, one after the other: a list of `RecencyBoost` and `FieldBoost`, or of
            their parameters, such as `{"type": "field", "field": "meta.likes", "modifier": "ln1p"}`.

    Raises:
        TypeError: Another kind of document store.
        ValueError: An option out of range, or options that contradict each other.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> retriever = OpenSearchNeuralSparseBM25Retriever(document_store=store, top_k=3)
        >>> documents = retriever.run("error E1234")["documents"]
    """

    two_phase = None
    prune = None
    seismic = None
    server_query = None
    explain = False

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
        language: str | None = None,
        custom_query: dict[str, Any] | None = None,
        score_threshold: float | None = None,
        collapse: str | dict[str, Any] | None = None,
        return_embedding: bool | None = None,
        raise_on_failure: bool = True,
        timeout: float | None = None,
        preference: str | None = None,
        routing: str | None = None,
        partial: PartialLike = "raise",
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> None:
        self.document_store = checked_store(document_store)
        self.filters = filters
        self.top_k = checked_top_k(top_k)
        self.filter_policy = filter_policy_of(filter_policy)
        self.language = language
        self.custom_query = custom_query
        self.score_threshold = score_threshold
        self.collapse = collapse
        self.return_embedding = return_embedding
        self.raise_on_failure = raise_on_failure
        self.timeout = timeout
        self.preference = preference
        self.routing = routing
        self.partial = partial
        self.rerank = rerank
        self.boosts = boosts
        self._begin()
        self._search("", self._options)

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        score_threshold: float | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
        custom_query: dict[str, Any] | None = None,
        language: str | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents.

        Args:
            query: The words; blank ones find nothing.
            filters: Filters of this run; `filter_policy` says whether they replace the retriever's own.
            top_k: Most documents; this and what follows is the retriever's own by default.
            score_threshold: Least score of a document.
            routing: Only the shards that hold documents of this routing are searched.
            document_store: The document store.
            custom_query: A user-supplied search body.
            language: The language of the query.
            rerank: How the best documents are reranked; options without a reranker, such as `{"depth": 100}`, change
                the retriever's own.
            boosts: Boosts of scores in place of the retriever's own; an empty list is none.

        Returns:
            `documents`: best first.
        """
        options = self._options_of_run(routing, None, rerank, boosts)
        search = self._search(query, options, top_k, custom_query, language)
        return self._retrieve(self._retrieval(search, filters, None, score_threshold, None), document_store)

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        score_threshold: float | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
        custom_query: dict[str, Any] | None = None,
        language: str | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents; see `run`."""
        options = self._options_of_run(routing, None, rerank, boosts)
        search = self._search(query, options, top_k, custom_query, language)
        retrieval = self._retrieval(search, filters, None, score_threshold, None)
        return await self._retrieve_async(retrieval, document_store)

    def _search(
        self,
        query: str,
        options: SearchOptions,
        top_k: int | None = None,
        custom_query: dict[str, Any] | None = None,
        language: str | None = None,
    ) -> Search:
        text, size = checked_query(query), self._size_of_run(top_k)
        language = self.language if language is None else language
        by_words = search_by_words(text, size, language, options)
        return self._custom_search(custom_query, text, size, options) or by_words
