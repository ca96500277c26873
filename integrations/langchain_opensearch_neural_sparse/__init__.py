"""OpenSearch neural sparse search for LangChain.

A vector store whose vectors are token weights, retrievers for sparse search and for it fused with BM25 and dense
vectors, and what goes with them: token weights as such, a splitter, a translator of structured queries.
"""

from importlib.util import find_spec

from opensearch_neural_sparse import AwsAuth, MissingDependencyError

if find_spec("langchain_core") is None:
    raise MissingDependencyError("langchain_core", "langchain", "The LangChain layer")
if find_spec("langchain_text_splitters") is None:
    raise MissingDependencyError("langchain_text_splitters", "langchain", "The LangChain layer")

from langchain_opensearch_neural_sparse.embeddings import BgeM3Embeddings, NeuralSparseEmbeddings
from langchain_opensearch_neural_sparse.retrieval_modes import RetrievalMode
from langchain_opensearch_neural_sparse.retrievers.hybrid import OpenSearchNeuralSparseHybridRetriever
from langchain_opensearch_neural_sparse.retrievers.sparse import OpenSearchNeuralSparseRetriever
from langchain_opensearch_neural_sparse.self_query import NeuralSparseTranslator
from langchain_opensearch_neural_sparse.text_splitter import NeuralSparseTextSplitter
from langchain_opensearch_neural_sparse.vectorstore import OpenSearchNeuralSparseVectorStore

__all__ = [
    "AwsAuth",
    "BgeM3Embeddings",
    "NeuralSparseEmbeddings",
    "NeuralSparseTextSplitter",
    "NeuralSparseTranslator",
    "OpenSearchNeuralSparseHybridRetriever",
    "OpenSearchNeuralSparseRetriever",
    "OpenSearchNeuralSparseVectorStore",
    "RetrievalMode",
]
