"""Haystack's documents and sparse embeddings <-> the core's, checked against the model of an open index."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from haystack import logging
from haystack.dataclasses import SparseEmbedding

from haystack_integrations.document_stores.opensearch_neural_sparse.converters import (
    to_document,
    to_sparse_document,
    with_explanation,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import (
    DocumentSparseEmbedding,
    QuerySparseEmbedding,
)
from opensearch_neural_sparse import IndexSchemaError, ModelMismatchError, SparseVector
from opensearch_neural_sparse.layer_support import LARGEST_WINDOW, parse_hits, vector_of

if TYPE_CHECKING:
    from haystack.dataclasses import Document

    from opensearch_neural_sparse import SearchHit, SparseDocument, SparseTokenizer
    from opensearch_neural_sparse.layer_support import IndexInfo

logger = logging.getLogger(__name__)


class DocumentCodec:
    """Convert documents and sparse embeddings to those of one open index, and back; no network.

    Args:
        index: Name of the index.
        info: Its fields and its model.
        load_tokenizer: Returns the tokenizer of the model; called once, where token ids are translated.
    """

    def __init__(self, index: str, info: IndexInfo, load_tokenizer: Callable[[], SparseTokenizer]) -> None:
        self.index, self.schema, self.binding = index, info.schema, info.binding
        self._load_tokenizer = load_tokenizer

    def query_vector(self, embedding: SparseEmbedding) -> SparseVector:
        """Return the embedding of a query as token -> weight.

        Raises:
            ModelMismatchError: It was made by another model, as far as it says by which.
            InvalidVectorError: A weight or token id that no index can take.
        """
        if isinstance(embedding, QuerySparseEmbedding) and embedding.files is not None and self.binding is not None:
            self.binding.ensure_matches_query(embedding.files, index=self.index, field=self.schema.sparse_field)
            return self._vector_of(embedding)
        if isinstance(embedding, DocumentSparseEmbedding):
            return self._document_vector(embedding)
        return self._decoded(embedding)

    def to_sparse_documents(self, documents: Sequence[Document]) -> list[SparseDocument]:
        """Return documents with the vectors they have; none is encoded here.

        Raises:
            ModelMismatchError: A sparse embedding was made by another model, with other settings or as a query, as far
                as it says so.
            IndexSchemaError: An id or metadata key that no index can take, or an index of chunks.
            InvalidVectorError: A weight or token id that no index can take.
        """
        if self.schema.chunking is not None:
            raise IndexSchemaError(
                f"Index {self.index!r} keeps a vector for each chunk of a document, and a Haystack document has one: "
                "written here, it would lose them. Write by NeuralSparseStore, which cuts and encodes texts, or split "
                "documents (NeuralSparseDocumentSplitter) and write them to an index without chunks."
            )
        return [self._to_sparse_document(document) for document in documents]

    def to_documents(self, hits: Sequence[SearchHit], *, with_vectors: bool, explained: bool = False) -> list[Document]:
        """Return hits as documents, best first.

        Args:
            hits: The hits.
            with_vectors: Whether the documents carry their sparse vectors, where these came.
            explained: Whether they say why they were found, where the hits do.
        """
        documents = []
        for hit in hits:
            vector = vector_of(hit.source, self.schema) if with_vectors else None
            vocabulary = self._tokenizer.vocabulary if vector else {}
            document = to_document(hit, vector=vector, vocabulary=vocabulary, binding=self.binding)
            documents.append(with_explanation(document, hit) if explained else document)
        return documents

    def read(self, response: Mapping[str, Any]) -> list[Document]:
        """Return the documents of a search response, with the vectors that came.

        Raises:
            PartialResultsError: Some shards failed.
        """
        hits = parse_hits(response, self.schema)
        if len(hits) == LARGEST_WINDOW and not hits.total_is_exact:
            logger.warning(
                "More than {most} documents match in index {index}; {most} of them are returned. Narrow the filters.",
                most=LARGEST_WINDOW,
                index=self.index,
            )
        return self.to_documents(hits, with_vectors=True)

    def _to_sparse_document(self, document: Document) -> SparseDocument:
        embedding = document.sparse_embedding
        if embedding is None:
            return to_sparse_document(document, None, None)
        if isinstance(embedding, QuerySparseEmbedding):
            raise self._encoded_as_query(document)
        if not isinstance(embedding, DocumentSparseEmbedding) or embedding.binding is None:
            return to_sparse_document(document, self._decoded(embedding), None)
        vector = self._document_vector(embedding)
        return to_sparse_document(document, vector, (self.binding or embedding.binding).marker)

    def _document_vector(self, embedding: DocumentSparseEmbedding) -> SparseVector:
        if self.binding is None or embedding.binding is None:
            return self._decoded(embedding)
        self.binding.ensure_matches_write(embedding.binding, index=self.index, field=self.schema.sparse_field)
        return self._vector_of(embedding)

    def _vector_of(self, embedding: DocumentSparseEmbedding | QuerySparseEmbedding) -> SparseVector:
        """Return the vector of an embedding by the index's own model: the one that it was made of, unless changed."""
        vector = embedding.vector
        return self._decoded(embedding) if vector is None else vector

    def _decoded(self, embedding: SparseEmbedding) -> SparseVector:
        return SparseVector.from_ids(embedding.indices, embedding.values, self._tokenizer.tokens)

    @cached_property
    def _tokenizer(self) -> SparseTokenizer:
        return self._load_tokenizer()

    def _encoded_as_query(self, document: Document) -> ModelMismatchError:
        bound = None if self.binding is None else self.binding.model
        return ModelMismatchError(
            index=self.index,
            field=self.schema.sparse_field,
            bound=bound,
            given=bound or "a query's vector",
            reason=f"the sparse embedding of document {document.id!r} was encoded as a query",
            remedy="Embed documents with NeuralSparseDocumentEmbedder.",
        )
