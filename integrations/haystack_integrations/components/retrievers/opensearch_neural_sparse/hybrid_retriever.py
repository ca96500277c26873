"""Hybrid retrieval: BM25, sparse and dense vectors, fused in one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haystack import Document, component
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.types import FilterPolicy

from haystack_integrations.components.retrievers.opensearch_neural_sparse.base import Retriever
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    BM25,
    DENSE,
    SPARSE,
    BoostLike,
    bounds_of,
    checked_query,
    checked_store,
    checked_top_k,
    filter_policy_of,
    legs_of,
    search_by_words,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.rerank_parsing import RerankLike
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import HybridOptions, HybridSearch, SearchOptions, SparseSearch
from opensearch_neural_sparse.layer_support import (
    CombinationLike,
    FusionLike,
    NormalizationLike,
    PartialLike,
    Search,
    check_list,
)


@component
class OpenSearchNeuralSparseHybridRetriever(Retriever):
    """Find documents by words (BM25), by sparse and by dense vectors at once, fused in one request.

    With one leg alone, `legs=["bm25"]` or `legs=["sparse"]`, nothing is fused and scores are that leg's own.

    Args:
        document_store: The document store.
        filters: Filters of every run; they go into every leg.
        top_k: Most documents, 1 to 10,000.
        filter_policy: Whether filters given to a run `replace` these or `merge` with them. Merged, documents satisfy
            both.
        legs: Some of `bm25`, `sparse` and `dense`; by default the first two, and `dense` where a run brings an
            embedding for it. A leg of another field is a mapping, such as
            `{"type": "bm25", "field": "content.de", "name": "german"}` or
            `{"type": "sparse", "field": "titles", "name": "titles"}`; there are up to five legs.
        weights: One for each leg, in their order, summing to 1; None gives every leg the same.
        rank_constant: 1 to 10,000; the higher, the less the first ranks stand out.
        pagination_depth: How many documents of each leg are fused; by default 100, or `top_k` if that is more.
        normalization: Fuse scores brought to one scale, `min_max`, `l2` or `z_score`, rather than ranks.
        combination: Which mean of these scores: `arithmetic_mean`, `geometric_mean` or `harmonic_mean`.
        lower_bounds: Least scores of the legs for `min_max`, such as `[{"mode": "apply", "score": 0.1}, ...]`.
        upper_bounds: Greatest scores of the legs for `min_max`.
        fusion: Who fuses: `server`, `client`, or `auto`, which is the server wherever it gets it right.
        custom_query: A user-supplied search body, sent as it is once the placeholders `$sparse`, `$text` and `$filters`
            in it are filled; documents satisfy the filters wherever `$filters` stands. Of the options that shape a
            search, `boosts` alone has an effect on it.
        score_threshold: Least fused score of a document.
        two_phase: Whether the sparse leg is searched in two phases; `True`, or parameters such as
            `{"prune_ratio": 0.3}`.
        prune: Which tokens of the query are searched for, such as `max_ratio:0.1`; None searches for all.
        seismic: How a `sparse_vector` field is searched, such as `{"k": 100}`.
        collapse: A metadata key of which each value is found once; or `{"field": "source_id", "size": 3}`, by which
            `top_k` values are found with the best 3 documents of each.
        explain: Whether `meta["_explanation"]` of documents lists the tokens that matched, and the score of each leg.
        return_embedding: Whether documents come with their vectors; by default as the document store says.
        raise_on_failure: Whether it is an error that the server fails or is out of reach; else nothing is found.
        timeout: Seconds to wait for the answer; by default as the document store says.
        preference: Which copies of the shards are asked, such as `_local`.
        routing: Only the shards that hold documents of this routing are searched.
        partial: Whether an answer that some shards are missing from is an error (`raise`) or a warning (`warn`).
        server_query: What in the server encodes the text, such as `{"model_id": "..."}` or
            `{"analyzer": "bert-uncased"}`; empty takes what the index says. None encodes it here, unless the server
            encodes the index and the model is not at hand.
        language: The language of queries, one of the index's, that the leg `bm25` takes; None takes the best of all.
        rerank: How the best documents are reranked by their texts: a `Rerank`, or its options, such as
            `{"reranker": {"model": "cross-encoder/ms-marco-MiniLM-L6-v2"}, "depth": 50}`, or
            `{"reranker": {"url": "http://localhost:8080", "api_key": Secret.from_env_var("KEY")}}`.
        boosts: Boosts of scores by metadata, one after the other: a list of `RecencyBoost` and `FieldBoost`, or of
            their parameters, such as `{"type": "recency", "field": "meta.published", "scale": "30d"}` and
            `{"type": "field", "field": "meta.likes", "modifier": "ln1p"}`. Each leg is boosted before the fusion.

    Raises:
        TypeError: Another kind of document store, or an unknown parameter in `two_phase`, `seismic` or bounds.
        ValueError: An option out of range, or options that contradict each other.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, top_k=3)
        >>> documents = retriever.run("What is a rank feature?")["documents"]
    """

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
        legs: list[str | dict[str, Any]] | None = None,
        weights: list[float] | None = None,
        rank_constant: int = 60,
        pagination_depth: int | None = None,
        normalization: NormalizationLike | None = None,
        combination: CombinationLike = "arithmetic_mean",
        lower_bounds: list[dict[str, Any]] | None = None,
        upper_bounds: list[dict[str, Any]] | None = None,
        fusion: FusionLike = "auto",
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
        language: str | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> None:
        check_list((str, Mapping), optional=True, legs=legs)
        self.document_store = checked_store(document_store)
        self.filters = filters
        self.top_k = checked_top_k(top_k)
        self.filter_policy = filter_policy_of(filter_policy)
        self.legs = legs
        self.weights = weights
        self.rank_constant = rank_constant
        self.pagination_depth = pagination_depth
        self.normalization = normalization
        self.combination = combination
        self.lower_bounds = lower_bounds
        self.upper_bounds = upper_bounds
        self.fusion = fusion
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
        self.language = language
        self.rerank = rerank
        self.boosts = boosts
        self._begin()
        self._fusion: dict[str, Any] = {
            "rank_constant": rank_constant,
            "pagination_depth": pagination_depth,
            "normalization": normalization,
            "combination": combination,
            "lower_bounds": bounds_of(lower_bounds, "lower_bounds"),
            "upper_bounds": bounds_of(upper_bounds, "upper_bounds"),
            "fusion": fusion,
        }
        self._search("", None if legs is None or DENSE not in legs else [0.0], self._options)

    @component.output_types(documents=list[Document])
    def run(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
        query_embedding: list[float] | None = None,
        weights: list[float] | None = None,
        score_threshold: float | None = None,
        explain: bool | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
        custom_query: dict[str, Any] | None = None,
        server_query: dict[str, Any] | None = None,
        language: str | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents.

        Args:
            query: A text; a blank one finds nothing by words or sparse vectors.
            filters: Filters of this run; `filter_policy` says whether they replace the retriever's own.
            top_k: Most documents; by default the retriever's own number.
            query_sparse_embedding: The text's sparse embedding; by default it is encoded by the index's model.
            query_embedding: The text's dense embedding, for the leg `dense`.
            weights: One for each leg; this and what follows is the retriever's own by default.
            score_threshold: Least fused score of a document.
            explain: Whether documents say why they were found.
            routing: Only the shards that hold documents of this routing are searched.
            document_store: The document store.
            custom_query: A user-supplied search body.
            server_query: What in the server encodes the text.
            language: The language of the query.
            rerank: How the best documents are reranked; options without a reranker, such as `{"depth": 100}`, change
                the retriever's own.
            boosts: Boosts of scores in place of the retriever's own; an empty list is none.

        Returns:
            `documents`: best first; a fused score says where a document ranked, not how well it matches.

        Raises:
            ValueError: A dense embedding without a leg for it, or the other way round.
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        options = self._options_of_run(routing, server_query, rerank, boosts)
        search = self._search(query, query_embedding, options, top_k, weights, score_threshold, custom_query, language)
        retrieval = self._retrieval(search, filters, query_sparse_embedding, score_threshold, explain)
        return self._retrieve(retrieval, document_store)

    @component.output_types(documents=list[Document])
    async def run_async(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        query_sparse_embedding: SparseEmbedding | None = None,
        query_embedding: list[float] | None = None,
        weights: list[float] | None = None,
        score_threshold: float | None = None,
        explain: bool | None = None,
        routing: str | None = None,
        document_store: OpenSearchNeuralSparseDocumentStore | None = None,
        custom_query: dict[str, Any] | None = None,
        server_query: dict[str, Any] | None = None,
        language: str | None = None,
        rerank: RerankLike | None = None,
        boosts: list[BoostLike] | None = None,
    ) -> dict[str, Any]:
        """Find documents; see `run`."""
        options = self._options_of_run(routing, server_query, rerank, boosts)
        search = self._search(query, query_embedding, options, top_k, weights, score_threshold, custom_query, language)
        retrieval = self._retrieval(search, filters, query_sparse_embedding, score_threshold, explain)
        return await self._retrieve_async(retrieval, document_store)

    def _search(
        self,
        query: str,
        query_embedding: list[float] | None,
        options: SearchOptions,
        top_k: int | None = None,
        weights: list[float] | None = None,
        score_threshold: float | None = None,
        custom_query: dict[str, Any] | None = None,
        language: str | None = None,
    ) -> Search:
        usual: list[str | dict[str, Any]] = [BM25, SPARSE] if query_embedding is None else [BM25, SPARSE, DENSE]
        names = usual if self.legs is None else self.legs
        text, size = checked_query(query), self._size_of_run(top_k)
        language = self.language if language is None else language
        legs = legs_of(names, query_embedding, language)
        if names == [BM25]:
            search: Search = search_by_words(text, size, language, options)
        elif names == [SPARSE]:
            search = SparseSearch(text, size=size, options=options)
        else:
            hybrid = HybridOptions(
                legs=legs,
                weights=self.weights if weights is None else weights,
                min_score=self._threshold_of_run(score_threshold),
                **self._fusion,
                **vars(options),
            )
            search = HybridSearch(text, size=size, options=hybrid)
        return self._custom_search(custom_query, text, size, options) or search
