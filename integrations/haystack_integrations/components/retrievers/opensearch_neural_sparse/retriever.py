"""Sparse retrieval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from haystack import Document, component
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.types import FilterPolicy

from haystack_integrations.components.retrievers.opensearch_neural_sparse.base import Retriever
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    BoostLike,
    checked_query,
    checked_store,
    checked_top_k,
    filter_policy_of,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.rerank_parsing import RerankLike
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import CustomSearch, SparseSearch
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
            in it are filled; documents satisfy the filters wherever `$filters` stands. Of the options that shape a
            search, `boosts` alone has an effect on it.
        score_threshold: Least score of a document.
        two_phase: Whether heavy tokens find documents and light ones only refine their order; `True`, or parameters
            such as `{"prune_ratio": 0.3}`.
        prune: Which tokens of the query are searched for, such as `max_ratio:0.1`; None searches for all.
        seismic: How a `sparse_vector` field is searched, such as `{"k": 100}`.
        collapse: A metadata key of which each value is found once, by its best document; or
            `{"field": "source_id", "size": 3}`, by which `top_k` values are found with the best 3 documents of each.
        explain: Whether `meta["_explanation"]` of documents lists the tokens that matched, with their scores.
        return_embedding: Whether documents come with their vectors; by default as the document store says.
        raise_on_failure: Whether it is an error that the server fails or is out of reach; else nothing is found.
        timeout: Seconds to wait for the answer; by default as the document store says.
        preference: Which copies of the shards are asked, such as `_local`.
        routing: Only the shards that hold documents of this routing are searched.
        partial: Whether an answer that some shards are missing from is an error (`raise`) or a warning (`warn`).
        server_query: What in the server encodes the text, such as `{"model_id": "..."}` or
            `{"analyzer": "bert-uncased"}`; empty takes what the index says. None encodes it here, unless the server
            encodes the index and the model is not at hand.
        rerank: How the best documents are reranked by their texts: a `Rerank`, or its options, such as
            `{"reranker": {"model": "cross-encoder/ms-marco-MiniLM-L6-v2"}, "depth": 50}`, or
            `{"reranker": {"url": "http://localhost:8080", "api_key": Secret.from_env_var("KEY")}}`.
        boosts: Boosts of scores by metadata, one after the other: a list of `RecencyBoost` and `FieldBoost`, or of
            their parameters, such as `{"type": "recency", "field": "meta.published", "scale": "30d"}` and
            `{"type": "field", "field": "meta.likes", "modifier": "ln1p"}`.

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
        collapse: str | dict[str, Any] | None = None,
        explain: bool = False,
        return_embedding: bool | None = None,
        raise_on_failure: bool = True,
        timeout: float | None = None,
        preference: str | None = None,
        routing: str | None = None,
        partial: PartialLike = "raise",
        server_query: dict[str, Any] | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
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
        self.server_query = server_query
        self.rerank = rerank
        self.boosts = boosts
        self._begin()

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
        server_query: dict[str, Any] | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents.

        Args:
            query: A text; a blank one finds nothing. Beside an embedding it is what the reranker reads.
            filters: Filters of this run; `filter_policy` says whether they replace the retriever's own.
            top_k: Most documents; this and what follows is the retriever's own by default.
            query_sparse_embedding: The embedding of a query, in place of a text.
            score_threshold: Least score of a document.
            explain: Whether documents say why they were found.
            routing: Only the shards that hold documents of this routing are searched.
            document_store: The document store.
            custom_query: A user-supplied search body.
            server_query: What in the server encodes the text.
            rerank: How the best documents are reranked; options without a reranker, such as `{"depth": 100}`, change
                the retriever's own.
            boosts: Boosts of scores in place of the retriever's own; an empty list is none.

        Returns:
            `documents`: best first, with their scores.

        Raises:
            ValueError: Neither a text nor an embedding, or both where nothing is reranked.
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        search = self._search(query, query_sparse_embedding, top_k, routing, custom_query, server_query, rerank, boosts)
        retrieval = self._retrieval(search, filters, query_sparse_embedding, score_threshold, explain)
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
        server_query: dict[str, Any] | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents; see `run`."""
        search = self._search(query, query_sparse_embedding, top_k, routing, custom_query, server_query, rerank, boosts)
        retrieval = self._retrieval(search, filters, query_sparse_embedding, score_threshold, explain)
        return await self._retrieve_async(retrieval, document_store)

    def _search(
        self,
        query: str | None,
        embedding: SparseEmbedding | None,
        top_k: int | None,
        routing: str | None,
        custom_query: dict[str, Any] | None,
        server_query: dict[str, Any] | None,
        rerank: RerankLike | None,
        boosts: list[BoostLike] | None,
    ) -> SparseSearch | CustomSearch:
        size, options = self._size_of_run(top_k), self._options_of_run(routing, server_query, rerank, boosts)
        text = "" if query is None else checked_query(query)
        if (query is None) == (embedding is None):
            if query is None or options.rerank is None:
                raise ValueError("Give either query or query_sparse_embedding.")
            options = replace(options, rerank=replace(options.rerank, query=options.rerank.query or query))
        custom = self._custom_search(custom_query, text, size, options)
        return custom or SparseSearch(text, size=size, options=options)
