"""Haystack components that do in one step what pipelines of several do: index documents, and search by several legs."""

from opensearch_neural_sparse import MissingDependencyError

try:
    import haystack  # noqa: F401
    import haystack_integrations.document_stores.opensearch  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(error.name or "haystack", "haystack", "The Haystack layer") from error

from haystack_integrations.components.super_components.opensearch_neural_sparse.hybrid_search import (
    OpenSearchNeuralSparseHybridSearch,
)
from haystack_integrations.components.super_components.opensearch_neural_sparse.indexer import (
    OpenSearchNeuralSparseIndexer,
)

__all__ = ["OpenSearchNeuralSparseHybridSearch", "OpenSearchNeuralSparseIndexer"]
