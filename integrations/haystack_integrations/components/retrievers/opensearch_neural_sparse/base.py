"""What both retrievers do alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haystack import Document, default_to_dict, logging
from haystack.document_stores.types import FilterPolicy
from opensearchpy.exceptions import OpenSearchException

from haystack_integrations.components.retrievers.opensearch_neural_sparse.filter_policy import Filters, combine_filters
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import (
    checked_store,
    seismic_of,
    two_phase_of,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import saved_parameters
from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.errors import (
    IndexNotFoundError,
    PartialResultsError,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.search.options.request_options import PartialLike, RequestOptions

if TYPE_CHECKING:
    from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
    from haystack_integrations.document_stores.opensearch_neural_sparse.retrieval import Retrieval

logger = logging.getLogger(__name__)
FAILURES = (
    IndexNotFoundError,
    PartialResultsError,
    ServerConnectionError,
    ServerRequestError,
    OpenSearchException,
)
"""What goes wrong on the server or on the way to it. Whatever is asked wrongly is an error always."""


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

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        return default_to_dict(self, **saved_parameters(self))

    def close(self) -> None:
        """Close the document store; the next run opens it again."""
        self.document_store.close()

    async def close_async(self) -> None:
        """Close the document store's asynchronous side; the next run opens it again."""
        await self.document_store.close_async()

    def _page(
        self,
        filters: Filters | None,
        top_k: int | None,
        custom_query: dict[str, Any] | None,
        score_threshold: float | None,
        explain: bool | None,
    ) -> dict[str, Any]:
        return {
            "filters": combine_filters(self.filter_policy, self.filters, filters),
            "top_k": self.top_k if top_k is None else top_k,
            "custom_query": self.custom_query if custom_query is None else custom_query,
            "score_threshold": self.score_threshold if score_threshold is None else score_threshold,
            "explain": self.explain if explain is None else explain,
            "return_embedding": self.return_embedding,
        }

    def _search_options(self, routing: str | None = None) -> dict[str, Any]:
        return {
            "two_phase": two_phase_of(self.two_phase),
            "prune": Prune.parse(self.prune),
            "seismic": seismic_of(self.seismic),
            "collapse": self.collapse,
            "request": RequestOptions(
                timeout=self.timeout,
                preference=self.preference,
                routing=self.routing if routing is None else routing,
                partial=self.partial,
            ),
        }

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
