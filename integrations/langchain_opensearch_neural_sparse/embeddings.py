"""Sparse embeddings of texts, independent of an index."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings

from opensearch_neural_sparse import OnePassEncoder, SparseVector, load_document_encoder
from opensearch_neural_sparse.layer_support import Encoders

if TYPE_CHECKING:
    from opensearch_neural_sparse import ModelSpec


class NeuralSparseEmbeddings:
    """Encode documents and queries as token -> weight.

    It has the methods of LangChain's `Embeddings` and is none: those return lists of numbers of one length. What either
    side needs is loaded when it is first used; queries of a doc-only model need no transformer. `other_stores` adapts
    it to langchain-qdrant and langchain-milvus.

    Args:
        model: Name, hub id or folder of the model.
        **options: Options of `load_document_encoder`, such as `engine="onnx"`; those of the hub serve both sides.

    Examples:
        ```python
        embeddings = NeuralSparseEmbeddings("doc-v3-distill")
        embeddings.embed_query("why do cats purr")  # {"why": 1.9, "cats": 4.8, ...}
        ```
    """

    def __init__(self, model: str | Path | ModelSpec, **options: Any) -> None:
        self.model = model
        self._encoders = Encoders(model, options=options)
        self._vocabulary: Mapping[str, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_vocabulary": {}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.model)!r})"

    def embed_documents(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Return token -> weight of each document.

        Args:
            texts: The documents.
        """
        return [vector.to_dict() for vector in self._encoders.encode_documents(list(texts))]

    def embed_query(self, text: str) -> dict[str, float]:
        """Return token -> weight of a query; empty if the model knows none of its tokens.

        Args:
            text: The query.
        """
        return self._encoders.encode_queries([text])[0].to_dict()

    async def aembed_documents(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """Run `embed_documents` in a worker thread."""
        return await asyncio.to_thread(self.embed_documents, texts)

    async def aembed_query(self, text: str) -> dict[str, float]:
        """Run `embed_query` in a worker thread."""
        return await asyncio.to_thread(self.embed_query, text)

    def to_ids(self, weights: Mapping[str, float]) -> dict[int, float]:
        """Convert token -> weight to token id -> weight, for stores without tokens.

        Args:
            weights: Token -> weight.

        Raises:
            InvalidVectorError: The model's vocabulary lacks a token.
        """
        if not self._vocabulary:
            self._vocabulary = self._encoders.vocabulary()
        return dict(zip(*SparseVector(weights).to_ids(self._vocabulary), strict=True))

    def close(self) -> None:
        """Release the model; the next use loads it again."""
        self._encoders.close()


class BgeM3Embeddings(Embeddings):
    """Dense vectors of a BGE-M3 model, and its sparse ones for the vector store, from one forward pass.

    The vector store is given both: `embedding` makes the vectors of the dense leg, and `document_encoder` those of the
    sparse leg, of which the last texts are kept.

    Args:
        model: Name, hub id or folder of the model.
        **options: Options of `load_document_encoder`, such as `device="cuda"`; not `workers`, `devices` and `url`.

    Raises:
        TypeError: The model gives no dense vectors.

    Examples:
        ```python
        embeddings = BgeM3Embeddings("BAAI/bge-m3")
        vectorstore = OpenSearchNeuralSparseVectorStore(
            "articles",
            embedding=embeddings,
            document_encoder=embeddings.document_encoder,
            schema=IndexSchema(embedding_dimension=1024),
            url=url,
        )
        ```
    """

    def __init__(self, model: str | Path | ModelSpec, **options: Any) -> None:
        self.model, self._options = model, options

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.model)!r})"

    @cached_property
    def document_encoder(self) -> OnePassEncoder:
        """Encoder of the sparse vectors; the model is loaded when it is first asked for."""
        return OnePassEncoder(load_document_encoder(self.model, **self._options))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the dense vectors of documents, each of length 1.

        Args:
            texts: The documents.
        """
        return self.document_encoder.encode_dense(texts)

    def embed_query(self, text: str) -> list[float]:
        """Return the dense vector of a query.

        Args:
            text: The query.
        """
        return self.embed_documents([text])[0]

    def close(self) -> None:
        """Release the model."""
        self.document_encoder.close()
