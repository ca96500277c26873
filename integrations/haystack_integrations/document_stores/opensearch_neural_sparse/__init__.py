"""Haystack document store for neural sparse retrieval."""

from opensearch_neural_sparse import MissingDependencyError

try:
    import haystack  # noqa: F401
    import haystack_integrations.document_stores.opensearch  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(error.name or "haystack", "haystack", "The Haystack layer") from error

from haystack_integrations.document_stores.opensearch_neural_sparse.document_store import (
    OpenSearchNeuralSparseDocumentStore,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.retrieval import Retrieval
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import (
    DocumentSparseEmbedding,
    QuerySparseEmbedding,
)

__all__ = ["DocumentSparseEmbedding", "OpenSearchNeuralSparseDocumentStore", "QuerySparseEmbedding", "Retrieval"]
