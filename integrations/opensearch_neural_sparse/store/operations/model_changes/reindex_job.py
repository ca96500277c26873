"""A reindex into another model: its choices, documents and report; no network."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from opensearch_neural_sparse.error_reasons import first_of
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.bulk.actions import (
    BulkAction,
    PendingAction,
    action_header,
    pending_action,
    serialize_actions,
)
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.document import SparseDocument, to_source
from opensearch_neural_sparse.index.documents.stored_text import stored_text
from opensearch_neural_sparse.index.schema import ID_FIELD, IndexSchema, SparseField
from opensearch_neural_sparse.store.bulk.missing_vectors import NEEDS_TEXT, warn_of_unencoded
from opensearch_neural_sparse.store.bulk.prepare import Encoded, encode_missing
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.write_options import WriteOptions

MissingText = Literal["raise", "keep"]
_SHOWN = 10
Hit = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ReindexReport:
    """The report of a reindex.

    Attributes:
        index: The new index.
        documents: How many documents it holds: as many as the source, unless some shards alone were copied.
        encoded: How many were encoded and written now.
        without_text: How many of these had no text and went over without a vector.
        without_vector: How many of these went over without a vector: those, and the ones whose text has no token that
            the model knows.
    """

    index: str
    documents: int
    encoded: int = 0
    without_text: int = 0
    without_vector: int = 0


@dataclass(frozen=True, kw_only=True)
class Reindexing:
    """A reindex into an index of another model.

    Attributes:
        index: The name of the source.
        target: The index to be made.
        schema: Names of the fields, of both.
        encoders: The new model.
        alias: The alias that is moved from the source to the target at the end, or None.
        on_missing_text: Whether documents without a text are an error or copied without a vector.
        shards: The shards of the source that are copied now, the rest left to later calls; None copies all and ends.
        options: How documents are written; its batches are pages, too.
        cut: The documents whose texts are longer than the model reads, as far as they were encoded.
        unencoded: The ids of documents whose text has no token that the model knows, as far as they were encoded.
    """

    index: str
    target: str
    schema: IndexSchema
    encoders: Encoders = field(repr=False)
    alias: str | None = None
    on_missing_text: MissingText = "raise"
    shards: Collection[int] | None = None
    options: WriteOptions
    cut: TruncatedDocuments = field(default_factory=TruncatedDocuments, repr=False)
    unencoded: list[str] = field(default_factory=list, repr=False)

    @cached_property
    def binding(self) -> ModelBinding:
        """The stamp of the target."""
        return self.encoders.binding(self.schema)

    def rest(self, hit: Hit) -> dict[str, Any]:
        """Return what of a document's source goes over as it is."""
        ours = (self.schema.vector_field, self.schema.model_field)
        return {name: value for name, value in hit["_source"].items() if name not in ours}

    def text(self, hit: Hit) -> str | None:
        """Return the text that is encoded."""
        return stored_text(hit["_source"], self.schema)

    def is_copied(self, hit: Hit, held: Mapping[str, Any] | None) -> bool:
        """Return whether the target holds the current document, encoded by the new model."""
        if held is None:
            return False
        marker = {} if self.text(hit) is None else {self.schema.model_field: self.binding.marker}
        return dict(held) == {ID_FIELD: hit["_id"]} | self.rest(hit) | marker

    def warn(self) -> None:
        """Warn of documents with texts that were cut or gave no vector."""
        self.cut.warn()
        warn_of_unencoded(self.target, {self.schema.vector_field: tuple(self.unencoded)}, NEEDS_TEXT)

    def actions(self, hits: Sequence[Hit]) -> list[BulkAction | BulkFailure]:
        """Return what writes documents to the target, their texts encoded.

        Raises:
            IndexSchemaError: One has no text, and must have.
        """
        if self.on_missing_text == "raise" and (missing := [hit["_id"] for hit in hits if self.text(hit) is None]):
            raise no_text(self.index, missing)
        rows = [SparseDocument(id=hit["_id"], text=self.text(hit)) for hit in hits]
        documents = encode_missing(rows, self.schema.main_field, self._encode, self.cut)
        drafts = map(self._copy, documents, hits)
        return [*serialize_actions(drafts, exact_weights=self.options.exact_weights)]

    def _copy(self, document: SparseDocument, hit: Hit) -> PendingAction:
        """Return the draft of what writes an encoded document with all else that its source holds."""

        def source() -> dict[str, Any]:
            return to_source(document, self.schema) | self.rest(hit)

        header = action_header(hit["_id"], hit.get("_routing"))
        return pending_action("index", header, source, self.schema.searched_vectors)

    def _encode(self, _: SparseField, texts: Sequence[str]) -> tuple[Sequence[Encoded], str]:
        return self.encoders.encode(texts, self.schema.chunking), self.binding.marker


def no_text(index: str, ids: Sequence[str]) -> IndexSchemaError:
    """Return the error of documents without a text."""
    return IndexSchemaError(
        f"{len(ids)} documents of index {index!r} have no text to encode: "
        f"{first_of(map(repr, ids), _SHOWN)}. on_missing_text='keep' copies them without a vector."
    )
