"""Haystack splitter that cuts documents by a model's own tokens."""

from opensearch_neural_sparse import MissingDependencyError

try:
    import haystack  # noqa: F401
    import haystack_integrations.document_stores.opensearch  # noqa: F401
except ImportError as error:
    raise MissingDependencyError(error.name or "haystack", "haystack", "The Haystack layer") from error

from haystack_integrations.components.preprocessors.opensearch_neural_sparse.document_splitter import (
    NeuralSparseDocumentSplitter,
)

__all__ = ["NeuralSparseDocumentSplitter"]
