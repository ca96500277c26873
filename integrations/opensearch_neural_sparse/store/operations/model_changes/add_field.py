"""Add a sparse field of another model to an existing index, and fill it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.bulk.actions import BulkAction, serialize_actions, update_draft
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.stored_text import stored_text
from opensearch_neural_sparse.index.documents.vector_fields import FieldVector, stored_vector
from opensearch_neural_sparse.index.mapping import add_field_body
from opensearch_neural_sparse.index.model_binding import ModelBinding, read_bindings, write_bindings
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema, SparseField, marker_field
from opensearch_neural_sparse.store.bulk.missing_vectors import NEEDS_TEXT, warn_of_unencoded
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.lifecycle import open_index
from opensearch_neural_sparse.store.operations.model_changes.bind_model import only_index
from opensearch_neural_sparse.store.operations.pagination import next_page
from opensearch_neural_sparse.store.steps import BulkWrite, Compute, Request, Steps
from opensearch_neural_sparse.store.write_options import WriteOptions


@dataclass(frozen=True, kw_only=True)
class AddFieldJob:
    """An additional sparse field to be created and filled.

    Attributes:
        index: Name of the index.
        name: Name of the field.
        schema: Names of the other fields.
        encoders: Its model.
        options: How documents are written; its batches are pages, too.
        cut: The documents whose texts are longer than the model reads, as far as they were encoded.
    """

    index: str
    name: str
    schema: IndexSchema
    encoders: Encoders = field(repr=False)
    options: WriteOptions
    cut: TruncatedDocuments = field(default_factory=TruncatedDocuments, repr=False)

    def check(self) -> None:
        """Raise IndexSchemaError where the index cannot have such a field, or could not be read by it."""
        schema = self.schema
        if schema.chunking is not None or schema.field_type is not FieldType.RANK_FEATURES:
            raise IndexSchemaError(
                "A further sparse field goes into an index of type rank_features without chunks: only there every "
                "store can write all its vectors."
            )
        if schema.model_field != marker_field(schema.sparse_field):
            raise IndexSchemaError(
                f"The model of {schema.sparse_field!r} is named by {schema.model_field!r}; beside a further sparse "
                f"field it has to be by {marker_field(schema.sparse_field)!r}, where every store looks for it."
            )
        added = {name for field in schema.additional_fields.values() for name in (field.name, field.model_field)}
        taken = schema.reserved_names - added
        if self.name in taken or marker_field(self.name) in taken or "." in self.name:
            raise IndexSchemaError(f"A sparse field cannot be called {self.name!r} here.")

    def binding(self) -> ModelBinding:
        """Return the stamp of the field."""
        return self.encoders.binding(self.schema)

    def has_text(self, hit: Mapping[str, Any]) -> bool:
        """Return whether a document has a text to encode."""
        return stored_text(hit["_source"], self.schema) is not None

    def actions(self, hits: Sequence[Mapping[str, Any]], binding: ModelBinding) -> list[BulkAction | BulkFailure]:
        """Return the actions that add the vectors, each unless its document has changed since it was read."""
        texts = [(hit, text) for hit in hits if (text := stored_text(hit["_source"], self.schema)) is not None]
        with collected_cuts() as cuts:
            vectors = self.encoders.encode_documents([text for _, text in texts])
        self.cut.note(((hit["_id"], text) for hit, text in texts), cuts)
        field = SparseField.additional(self.name, binding)
        drafts = (
            update_draft(
                hit["_id"],
                stored_vector(FieldVector(vector=vector, model=binding.marker), field),
                vector=self.name,
                routing=hit.get("_routing"),
                seq_no=hit["_seq_no"],
                primary_term=hit["_primary_term"],
            )
            for (hit, _), vector in zip(texts, vectors, strict=True)
        )
        return [*serialize_actions(drafts, exact_weights=self.options.exact_weights)]


def add_field(context: StoreContext, name: str, encoders: Encoders, options: WriteOptions) -> Steps[int]:
    """Create an additional sparse field and encode the documents that lack it; return how many there were.

    Args:
        context: The store's context.
        name: Name of the field.
        encoders: Its model.
        options: How documents are written.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: The index cannot have the field.
        ModelMismatchError: The field exists and belongs to another model.
    """
    yield from open_index(context)
    job = AddFieldJob(index=context.index, name=name, schema=context.schema, encoders=encoders, options=options)
    try:
        index = yield from create_field(job)
        context.keep_encoders(name, encoders)
        return (yield from fill_field(job, index))
    finally:
        context.forget()


def create_field(job: AddFieldJob) -> Steps[str]:
    """Make the field unless it is there, and return the concrete index that it is in.

    Raises:
        IndexSchemaError: The index cannot have the field.
        ModelMismatchError: It is there, and belongs to another model.
    """
    job.check()
    response = yield Request(lambda client: client.indices.get(index=job.index))
    index = only_index(job.index, response)
    mappings = response[index]["mappings"]
    binding, found = (yield Compute(job.binding)), read_bindings(mappings).get(job.name)
    if found is not None:
        found.ensure_matches_write(binding, index=index, field=job.name)
    else:
        meta = write_bindings({job.name: binding}, mappings.get("_meta"))
        mapping = {"properties": add_field_body(job.name), "_meta": meta}
        yield Request(lambda client: client.indices.put_mapping(index=index, body=mapping))
    return index


def fill_field(job: AddFieldJob, index: str) -> Steps[int]:
    """Encode the documents that have no vector in the field, and return how many; warn of those that get none.

    Raises:
        BulkWriteError: Some documents were not written, or were by others meanwhile.
    """
    binding, written, whole = (yield Compute(job.binding)), 0, False
    lacking: dict[str, None] = {}
    yield Request(lambda client: client.indices.refresh(index=index))
    while not whole:
        more, whole = yield from _fill_once(job, index, binding, lacking)
        yield Request(lambda client: client.indices.refresh(index=index))
        written += more
    job.cut.warn()
    warn_of_unencoded(index, {job.name: tuple(lacking)}, NEEDS_TEXT)
    return written


def _fill_once(
    job: AddFieldJob, index: str, binding: ModelBinding, lacking: dict[str, None]
) -> Steps[tuple[int, bool]]:
    """Return how many documents were encoded, and whether that is all: those without an id field may be passed over.

    The ids of documents that get no vector are added to `lacking`.
    """
    unfilled = {"bool": {"must_not": {"exists": {"field": marker_field(job.name)}}}}
    written, ordered, page, size = 0, True, None, job.options.batch_size
    while page is None or page.after is not None:
        hits, page = yield from next_page(
            index, page, size=size, source=[job.schema.text_field], filter=unfilled, seq_no_primary_term=True
        )
        actions = yield Compute(partial(job.actions, hits, binding))
        report = yield BulkWrite(index=index, actions=actions, options=replace(job.options, refresh=False))
        report.raise_if_incomplete()
        without_text = [hit["_id"] for hit in hits if not job.has_text(hit)]
        lacking |= dict.fromkeys([*without_text, *report.without_vector.get(job.name, ())])
        written += report.written
        ordered = ordered and all(hit["sort"][0] is not None for hit in hits)
    return written, ordered or not written
