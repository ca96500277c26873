"""Haystack's documents and sparse embeddings in the terms of one open index, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from haystack import logging
from haystack.dataclasses import SparseEmbedding

from haystack_integrations.document_stores.opensearch_neural_sparse.converters import (
    to_document,
    to_sparse_document,
    to_sparse_vector,
    with_explanation,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import (
    DocumentSparseEmbedding,
    QuerySparseEmbedding,
)
from opensearch_neural_sparse.errors import IndexSchemaError, ModelMismatchError
from opensearch_neural_sparse.index.documents.vector_fields import vector_of
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW
from opensearch_neural_sparse.search.results.hits import parse_hits

if TYPE_CHECKING:
    from haystack.dataclasses import Document

    from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
    from opensearch_neural_sparse.encode.sparse_vector import SparseVector
    from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
    from opensearch_neural_sparse.index.documents.document import SparseDocument
    from opensearch_neural_sparse.index.model_binding import ModelBinding
    from opensearch_neural_sparse.index.schema import IndexSchema
    from opensearch_neural_sparse.search.results.hits import SearchHit

logger = logging.getLogger(__name__)


class DocumentCodec:
    """What is written to an index and read from it, checked against the model that it is bound to; no network.

    Args:
        index: Name of the index.
        schema: Names of its fields.
        binding: Its model; None where it carries no stamp.
        tokenizer: Token ids of the model's vocabulary.
    """

    def __init__(
        self, index: str, schema: IndexSchema, binding: ModelBinding | None, tokenizer: Lazy[SparseTokenizer]
    ) -> None:
        self.index, self.schema, self.binding = index, schema, binding
        self._tokenizer = tokenizer

    def query_vector(self, embedding: SparseEmbedding) -> SparseVector:
        """Return the embedding of a query as token -> weight.

        Raises:
            ModelMismatchError: It was made by another model, as far as it says by which.
            InvalidVectorError: A weight or token id that no index can take.
        """
        if isinstance(embedding, QuerySparseEmbedding) and embedding.files is not None and self.binding is not None:
            self.binding.ensure_matches_query(embedding.files, index=self.index, field=self.schema.sparse_field)
        elif isinstance(embedding, DocumentSparseEmbedding):
            self._ensure_matches_write(embedding)
        return self._decoded(embedding)

    def to_sparse_documents(self, documents: Sequence[Document]) -> list[SparseDocument]:
        """Return documents with the vectors they have; none is encoded here.

        Raises:
            ModelMismatchError: A sparse embedding was made by another model, with other settings or as a query, as far
                as it says so.
            IndexSchemaError: An id or metadata key that no index can take, or an index of chunks.
            InvalidVectorError: A weight or token id that no index can take.
        """
        self._ensure_writable()
        return [self._to_sparse_document(document) for document in documents]

    async def load(self) -> None:
        """Load the vocabulary, off the event loop."""
        await self._tokenizer.get_async()

    def to_documents(self, hits: Sequence[SearchHit], *, with_vectors: bool, explained: bool = False) -> list[Document]:
        """Return hits as documents, best first.

        Args:
            hits: The hits.
            with_vectors: Whether the documents carry their sparse vectors, where these came.
            explained: Whether they tell why they were found, where the hits do.
        """
        documents = []
        for hit in hits:
            vector = vector_of(hit.source, self.schema) if with_vectors else None
            vocabulary = self._tokenizer.get().vocabulary if vector else {}
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
                "More than {most} documents match in index {index}; {most} of them come back. Narrow the filters.",
                most=LARGEST_WINDOW,
                index=self.index,
            )
        return self.to_documents(hits, with_vectors=True)

    def _ensure_writable(self) -> None:
        """Refuse an index of which Haystack's documents have no vectors."""
        if self.schema.chunking is not None:
            raise IndexSchemaError(
                f"Index {self.index!r} keeps a vector for each chunk of a document, and a Haystack document has one: "
                "written here, it would lose them. Write by NeuralSparseStore, which cuts and encodes texts, or split "
                "documents (NeuralSparseDocumentSplitter) and write them to an index without chunks."
            )

    def _to_sparse_document(self, document: Document) -> SparseDocument:
        embedding = document.sparse_embedding
        if embedding is None:
            return to_sparse_document(document, None, None)
        if isinstance(embedding, QuerySparseEmbedding):
            raise self._encoded_as_query(document)
        if not isinstance(embedding, DocumentSparseEmbedding) or embedding.binding is None:
            return to_sparse_document(document, self._decoded(embedding), None)
        if self.binding is None:
            return to_sparse_document(document, self._decoded(embedding), embedding.binding.marker)
        self._ensure_matches_write(embedding)
        vector = embedding.vector
        vector = self._decoded(embedding) if vector is None else vector
        return to_sparse_document(document, vector, self.binding.marker)

    def _decoded(self, embedding: SparseEmbedding) -> SparseVector:
        return to_sparse_vector(embedding, self._tokenizer.get().tokens)

    def _ensure_matches_write(self, embedding: DocumentSparseEmbedding) -> None:
        if self.binding is not None and embedding.binding is not None:
            self.binding.ensure_matches_write(embedding.binding, index=self.index, field=self.schema.sparse_field)

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
