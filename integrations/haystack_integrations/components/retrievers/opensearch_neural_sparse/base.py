"""Parameters, filters and failures of a retriever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haystack import Document, default_to_dict, logging
from haystack.document_stores.types import FilterPolicy
from opensearchpy.exceptions import OpenSearchException

from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    checked_store,
    checked_top_k,
    combine_filters,
    custom_body,
    seismic_of,
    two_phase_of,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import Retrieval
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import saved_parameters
from opensearch_neural_sparse import (
    CustomSearch,
    HybridSearch,
    IndexNotFoundError,
    PartialResultsError,
    Prune,
    RequestOptions,
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
    collapse: str | None
    explain: bool
    return_embedding: bool | None
    raise_on_failure: bool
    timeout: float | None
    preference: str | None
    routing: str | None
    partial: PartialLike
    _options: SearchOptions

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        return default_to_dict(self, **saved_parameters(self))

    def close(self) -> None:
        """Close the document store; the next run opens it again."""
        self.document_store.close()

    async def close_async(self) -> None:
        """Close the document store's asynchronous side; the next run opens it again."""
        await self.document_store.close_async()

    def _parsed_options(self) -> SearchOptions:
        return SearchOptions(
            two_phase=two_phase_of(self.two_phase),
            prune=Prune.parse(self.prune),
            seismic=seismic_of(self.seismic),
            collapse=self.collapse,
            request=RequestOptions(
                timeout=self.timeout, preference=self.preference, routing=self.routing, partial=self.partial
            ),
        )

    def _options_of_run(self, routing: str | None) -> SearchOptions:
        options = self._options
        return options if routing is None else replace(options, request=replace(options.request, routing=routing))

    def _size_of_run(self, top_k: int | None) -> int:
        return checked_top_k(self.top_k if top_k is None else top_k)

    def _threshold_of_run(self, score_threshold: float | None) -> float | None:
        return self.score_threshold if score_threshold is None else score_threshold

    def _custom_search(
        self, custom_query: dict[str, Any] | None, query: str, size: int, request: RequestOptions
    ) -> CustomSearch | None:
        body = self.custom_query if custom_query is None else custom_query
        return None if body is None else CustomSearch(custom_body(body, size), query=query, request=request)

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

    def _nothing(self, error: Exception) -> dict[str, list[Document]]:
        if self.raise_on_failure:
            raise error
        kind = type(self).__name__
        logger.warning("{kind} found nothing, since the search failed: {error}", kind=kind, error=error)
        return {"documents": []}
