"""An index that takes and gives Haystack's documents and sparse embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from haystack.dataclasses import SparseEmbedding

from haystack_integrations.document_stores.opensearch_neural_sparse.converters import (
    BLOB,
    ROUTING,
    to_document,
    to_sparse_document,
    to_sparse_vector,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import (
    DocumentSparseEmbedding,
    QuerySparseEmbedding,
)
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.errors import ModelMismatchError
from opensearch_neural_sparse.index.bulk import bulk_action
from opensearch_neural_sparse.models.files import Side
from opensearch_neural_sparse.search.hits import parse_hits
from opensearch_neural_sparse.store.sender import BulkSender
from opensearch_neural_sparse.store.sync import NeuralSparseStore

if TYPE_CHECKING:
    from haystack.dataclasses import Document

    from opensearch_neural_sparse.encode.sparse_vector import SparseVector
    from opensearch_neural_sparse.index.bulk import BulkAction, BulkFailure, BulkReport
    from opensearch_neural_sparse.index.document import SparseDocument
    from opensearch_neural_sparse.search.hits import SearchHit
    from opensearch_neural_sparse.store.options import WriteOptions


class DocumentIndex(NeuralSparseStore):
    """The core's store in Haystack's words; its arguments are those of `NeuralSparseStore`."""

    @cached_property
    def tokenizer(self) -> SparseTokenizer:
        """Token ids of the model's vocabulary."""
        self.open()
        return SparseTokenizer.from_file(self._encoders.files(Side.QUERY).query_tokenizer)

    def query_vector(self, embedding: SparseEmbedding) -> SparseVector:
        """Return the embedding of a query as token -> weight.

        Raises:
            ModelMismatchError: It was made by another model, as far as it says by which.
            InvalidVectorError: A weight or token id that no index can take.
        """
        bound = self.open().binding
        if bound is not None and isinstance(embedding, QuerySparseEmbedding) and embedding.files is not None:
            bound.ensure_matches_query(embedding.files, index=self.index, field=self.schema.sparse_field)
        elif isinstance(embedding, DocumentSparseEmbedding):
            self._ensure_matches_write(embedding)
        return to_sparse_vector(embedding, self.tokenizer.tokens)

    def send(self, documents: Sequence[Document], options: WriteOptions) -> BulkReport:
        """Write documents with the vectors they have; none is encoded here.

        Raises:
            ModelMismatchError: A sparse embedding was made by another model, with other settings or as a query, as far
                as it says so; nothing is written then.
            IndexSchemaError: An id or metadata key that no index can take; nothing is written then.
            InvalidVectorError: A weight or token id that no index can take; nothing is written then.
        """
        self.open()
        rows = [to_sparse_document(document, self._vector_of(document)) for document in documents]
        with self._errors():
            return BulkSender(self.client(), self.index, options).send(self._actions(documents, rows, options))

    def to_documents(self, hits: Sequence[SearchHit]) -> list[Document]:
        """Return hits as documents, with the vectors that were asked for."""
        binding = self.open().binding
        documents = []
        for hit in hits:
            weights = hit.source.get(self.schema.sparse_field)
            vocabulary = self.tokenizer.vocabulary if weights else {}
            documents.append(to_document(hit, weights=weights, vocabulary=vocabulary, binding=binding))
        return documents

    def read(self, response: Mapping[str, Any]) -> list[Document]:
        """Return the documents of a search response.

        Raises:
            PartialResultsError: Some shards failed.
        """
        return self.to_documents(parse_hits(response, self.schema))

    def _actions(
        self, documents: Sequence[Document], rows: Sequence[SparseDocument], options: WriteOptions
    ) -> Iterator[BulkAction | BulkFailure]:
        for document, row in zip(documents, rows, strict=True):
            routing = document.meta.get(ROUTING)
            yield bulk_action(
                row,
                self.schema,
                operation=options.operation,
                exact_weights=options.exact_weights,
                routing=None if routing is None else str(routing),
                fields=None if document.blob is None else {BLOB: document.blob.to_dict()},
            )

    def _vector_of(self, document: Document) -> SparseVector | None:
        embedding = document.sparse_embedding
        if embedding is None:
            return None
        if isinstance(embedding, QuerySparseEmbedding):
            raise self._encoded_as_query(document)
        if isinstance(embedding, DocumentSparseEmbedding):
            self._ensure_matches_write(embedding)
        return to_sparse_vector(embedding, self.tokenizer.tokens)

    def _ensure_matches_write(self, embedding: DocumentSparseEmbedding) -> None:
        bound = self.open().binding
        if bound is not None and embedding.binding is not None:
            bound.ensure_matches_write(embedding.binding, index=self.index, field=self.schema.sparse_field)

    def _encoded_as_query(self, document: Document) -> ModelMismatchError:
        model = str(self.model_id)
        return ModelMismatchError(
            index=self.index,
            field=self.schema.sparse_field,
            bound=model,
            given=model,
            reason=f"the sparse embedding of document {document.id!r} was encoded as a query",
            remedy="Embed documents with NeuralSparseDocumentEmbedder.",
        )
