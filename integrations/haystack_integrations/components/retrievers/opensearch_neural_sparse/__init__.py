"""Haystack retrievers for neural sparse and hybrid search."""

from opensearch_neural_sparse import MissingDependencyError

try:
    import haystack  # noqa: F401
    import haystack_integrations.document_stores.opensearch  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(error.name or "haystack", "haystack", "The Haystack layer") from error

from haystack_integrations.components.retrievers.opensearch_neural_sparse.bm25_retriever import (
    OpenSearchNeuralSparseBM25Retriever,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.hybrid_retriever import (
    OpenSearchNeuralSparseHybridRetriever,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.metadata_retriever import (
    OpenSearchNeuralSparseMetadataRetriever,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.retriever import (
    OpenSearchNeuralSparseRetriever,
)

__all__ = [
    "OpenSearchNeuralSparseBM25Retriever",
    "OpenSearchNeuralSparseHybridRetriever",
    "OpenSearchNeuralSparseMetadataRetriever",
    "OpenSearchNeuralSparseRetriever",
]
