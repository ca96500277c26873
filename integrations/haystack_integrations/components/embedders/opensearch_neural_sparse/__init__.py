"""Haystack components that turn texts and documents into sparse embeddings."""

from opensearch_neural_sparse import MissingDependencyError

try:
    import haystack  # noqa: F401
    import haystack_integrations.document_stores.opensearch  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(error.name or "haystack", "haystack", "The Haystack layer") from error

from haystack_integrations.components.embedders.opensearch_neural_sparse.document_embedder import (
    NeuralSparseDocumentEmbedder,
)
from haystack_integrations.components.embedders.opensearch_neural_sparse.text_embedder import NeuralSparseTextEmbedder

__all__ = ["NeuralSparseDocumentEmbedder", "NeuralSparseTextEmbedder"]
