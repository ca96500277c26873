"""Parameters, filters and failures of a retriever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haystack import Document, default_to_dict, logging
from haystack.document_stores.types import FilterPolicy
from opensearchpy.exceptions import OpenSearchException

from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    BoostLike,
    boosts_of,
    checked_store,
    checked_top_k,
    collapse_of,
    combine_filters,
    custom_body,
    saved_boosts,
    seismic_of,
    server_query_of,
    two_phase_of,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.rerank_parsing import (
    RerankLike,
    rerank_of,
    rerank_of_run,
    saved_rerank,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import Retrieval
from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import saved_parameters
from opensearch_neural_sparse import (
    CrossEncoderReranker,
    CustomSearch,
    HybridSearch,
    IndexNotFoundError,
    PartialResultsError,
    Prune,
    RemoteReranker,
    RequestOptions,
    Rerank,
    SearchOptions,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.layer_support import PartialLike

if TYPE_CHECKING:
    from haystack.dataclasses import SparseEmbedding

    from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
    from haystack_integrations.document_stores.opensearch_neural_sparse.filters import Filters
    from opensearch_neural_sparse.layer_support import Search

logger = logging.getLogger(__name__)
FAILURES = (
    IndexNotFoundError,
    PartialResultsError,
    ServerConnectionError,
    ServerRequestError,
    OpenSearchException,
)
"""Failures of the server or of the way to it. A wrong argument is an error always."""


class Retriever:
    """Retrieve from a document store, its own or that of a run; subclasses keep their parameters by their names."""

    document_store: OpenSearchNeuralSparseDocumentStore
    filters: Filters | None
    filter_policy: FilterPolicy
    top_k: int
    custom_query: dict[str, Any] | None
    score_threshold: float | None
    two_phase: bool | dict[str, Any] | None
    prune: str | dict[str, Any] | None
    seismic: dict[str, Any] | None
    collapse: str | dict[str, Any] | None
    explain: bool
    return_embedding: bool | None
    raise_on_failure: bool
    timeout: float | None
    preference: str | None
    routing: str | None
    partial: PartialLike
    server_query: dict[str, Any] | None
    rerank: RerankLike | None
    boosts: list[BoostLike] | None
    _options: SearchOptions
    _rerank: Lazy[Rerank | None]

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values.

        Raises:
            ValueError: A reranker that has no plain values, such as a function, or a plain key.
        """
        saved = saved_parameters(self, only_given=("server_query", "language", "rerank", "boosts"))
        if self.rerank is not None:
            saved["rerank"] = saved_rerank(self.rerank)
        if self.boosts is not None:
            saved["boosts"] = saved_boosts(self.boosts)
        return default_to_dict(self, **saved)

    def warm_up(self) -> None:
        """Load the model of a reranker that runs here."""
        rerank = self._rerank.get()
        if rerank is not None and isinstance(rerank.reranker, CrossEncoderReranker):
            rerank.reranker.warm_up()

    async def warm_up_async(self) -> None:
        """Load the model of a reranker that runs here, off the event loop."""
        if self.rerank is not None:
            await asyncio.to_thread(self.warm_up)

    def close(self) -> None:
        """Close the document store, and the reranker if it was given by its options; the next run opens them again."""
        self.document_store.close()
        rerank = None if isinstance(self.rerank, Rerank) else self._rerank.take()
        if rerank is not None and isinstance(rerank.reranker, CrossEncoderReranker | RemoteReranker):
            rerank.reranker.close()

    async def close_async(self) -> None:
        """Close the document store's asynchronous side; the next run opens it again."""
        await self.document_store.close_async()

    def _begin(self) -> None:
        """Check the options that a search has. Secrets of a reranker are read when it is first needed."""
        self._options = self._parsed_options()
        self._rerank = Lazy(self._made_rerank)

    def _made_rerank(self) -> Rerank | None:
        return rerank_of(self.rerank)

    def _parsed_options(self) -> SearchOptions:
        return SearchOptions(
            two_phase=two_phase_of(self.two_phase),
            prune=Prune.parse(self.prune),
            seismic=seismic_of(self.seismic),
            collapse=collapse_of(self.collapse),
            request=RequestOptions(
                timeout=self.timeout, preference=self.preference, routing=self.routing, partial=self.partial
            ),
            server_query=server_query_of(self.server_query),
            rerank=rerank_of(self.rerank, secrets=False),
            boosts=boosts_of(self.boosts),
        )

    def _options_of_run(
        self,
        routing: str | None,
        server_query: dict[str, Any] | None,
        rerank: RerankLike | None,
        boosts: list[BoostLike] | None,
    ) -> SearchOptions:
        options = self._options
        if rerank is not None or self.rerank is not None:
            options = replace(options, rerank=rerank_of_run(rerank, self._rerank.get))
        if server_query is not None:
            options = replace(options, server_query=server_query_of(server_query))
        if boosts is not None:
            options = replace(options, boosts=boosts_of(boosts))
        return options if routing is None else replace(options, request=replace(options.request, routing=routing))

    def _size_of_run(self, top_k: int | None) -> int:
        return checked_top_k(self.top_k if top_k is None else top_k)

    def _threshold_of_run(self, score_threshold: float | None) -> float | None:
        return self.score_threshold if score_threshold is None else score_threshold

    def _custom_search(
        self, custom_query: dict[str, Any] | None, query: str, size: int, options: SearchOptions
    ) -> CustomSearch | None:
        body = self.custom_query if custom_query is None else custom_query
        if body is None:
            return None
        shared: dict[str, Any] = {"request": options.request, "server_query": options.server_query}
        return CustomSearch(custom_body(body, size), query=query, boosts=options.boosts, **shared)

    def _retrieval(
        self,
        search: Search,
        filters: Filters | None,
        embedding: SparseEmbedding | None,
        score_threshold: float | None,
        explain: bool | None,
    ) -> Retrieval:
        has_threshold = isinstance(search, HybridSearch | CustomSearch)
        return Retrieval(
            search=search,
            filters=combine_filters(self.filter_policy, self.filters, filters),
            embedding=embedding,
            score_threshold=None if has_threshold else self._threshold_of_run(score_threshold),
            explain=self.explain if explain is None else explain,
            return_embedding=self.return_embedding,
        )

    def _retrieve(
        self, retrieval: Retrieval, store: OpenSearchNeuralSparseDocumentStore | None
    ) -> dict[str, list[Document]]:
        searched = self.document_store if store is None else checked_store(store)
        try:
            return {"documents": searched.retrieve(retrieval)}
        except FAILURES as error:
            return self._nothing(error)

    async def _retrieve_async(
        self, retrieval: Retrieval, store: OpenSearchNeuralSparseDocumentStore | None
    ) -> dict[str, list[Document]]:
        searched = self.document_store if store is None else checked_store(store)
        try:
            return {"documents": await searched.retrieve_async(retrieval)}
        except FAILURES as error:
            return self._nothing(error)

    def _nothing(self, error: Exception, output: str = "documents") -> dict[str, list[Any]]:
        if self.raise_on_failure:
            raise error
        kind = type(self).__name__
        logger.warning("{kind} found nothing, since the search failed: {error}", kind=kind, error=error)
        return {output: []}
