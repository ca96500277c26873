"""Adapters for other vector stores of LangChain, with token ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_milvus.utils.sparse import BaseSparseEmbedding
    from langchain_qdrant import SparseEmbeddings

    from langchain_opensearch_neural_sparse.embeddings import NeuralSparseEmbeddings

    Again = tuple[Callable[[NeuralSparseEmbeddings], object], tuple[NeuralSparseEmbeddings]]
    """Constructor and arguments that unpickle an adapter, because its class is local to a function."""


def for_qdrant(embeddings: NeuralSparseEmbeddings) -> SparseEmbeddings:
    """Adapt embeddings for `QdrantVectorStore(sparse_embedding=...)`.

    Args:
        embeddings: What encodes the texts.

    Raises:
        ImportError: langchain-qdrant is not installed.
    """
    from langchain_qdrant import SparseEmbeddings
    from langchain_qdrant.sparse_embeddings import SparseVector as QdrantVector

    def to_vector(weights: dict[str, float]) -> QdrantVector:
        by_id = embeddings.to_ids(weights)
        return QdrantVector(indices=list(by_id), values=list(by_id.values()))

    class QdrantEmbeddings(SparseEmbeddings):
        """Token ids and weights as parallel lists."""

        def embed_documents(self, texts: list[str]) -> list[QdrantVector]:
            """Return the vectors of documents."""
            return list(map(to_vector, embeddings.embed_documents(texts)))

        def embed_query(self, text: str) -> QdrantVector:
            """Return the vector of a query."""
            return to_vector(embeddings.embed_query(text))

        def __reduce__(self) -> Again:
            return for_qdrant, (embeddings,)

    return QdrantEmbeddings()


def for_milvus(embeddings: NeuralSparseEmbeddings) -> BaseSparseEmbedding:
    """Adapt embeddings for `Milvus(embedding_function=...)`.

    Args:
        embeddings: What encodes the texts.

    Raises:
        ImportError: langchain-milvus is not installed.
    """
    from langchain_milvus.utils.sparse import BaseSparseEmbedding

    class MilvusEmbeddings(BaseSparseEmbedding):
        """Token id -> weight."""

        def embed_documents(self, texts: list[str]) -> list[dict[int, float]]:
            """Return the vectors of documents."""
            return list(map(embeddings.to_ids, embeddings.embed_documents(texts)))

        def embed_query(self, query: str) -> dict[int, float]:
            """Return the vector of a query."""
            return embeddings.to_ids(embeddings.embed_query(query))

        def __reduce__(self) -> Again:
            return for_milvus, (embeddings,)

    return MilvusEmbeddings()
