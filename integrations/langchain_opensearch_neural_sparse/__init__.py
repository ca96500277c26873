"""OpenSearch neural sparse search for LangChain.

A vector store whose vectors are token weights, and retrievers for sparse search and for BM25 fused with it.
"""

from importlib.util import find_spec

from opensearch_neural_sparse.errors import MissingDependencyError

if find_spec("langchain_core") is None:
    raise MissingDependencyError("langchain_core", "langchain", "The LangChain layer")

from langchain_opensearch_neural_sparse.retrievers import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from langchain_opensearch_neural_sparse.vectorstore import OpenSearchNeuralSparseVectorStore

__all__ = [
    "OpenSearchNeuralSparseHybridRetriever",
    "OpenSearchNeuralSparseRetriever",
    "OpenSearchNeuralSparseVectorStore",
]
