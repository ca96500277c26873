"""Add a sparse field of another model to an existing index, and fill it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding, read_bindings, write_bindings
from opensearch_neural_sparse.index.bulk.actions import BulkAction, serialize_actions, update_draft
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.stored_text import stored_text
from opensearch_neural_sparse.index.documents.vector_fields import FieldVector, stored_vector
from opensearch_neural_sparse.index.mapping import add_field_body
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema, SparseField, marker_field
from opensearch_neural_sparse.store.bulk.missing_vectors import NEEDS_TEXT, warn_of_unencoded
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.lifecycle import ensure_text_shown, open_index
from opensearch_neural_sparse.store.operations.model_changes.bind_model import only_index
from opensearch_neural_sparse.store.operations.model_changes.hidden_documents import ensure_sees_all
from opensearch_neural_sparse.store.operations.model_changes.source_shards import source_shards
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
        shards: The shards that are filled, the rest left to later calls; None fills all.
        options: How documents are written; its batches are pages, too.
        cut: The documents whose texts are longer than the model reads, as far as they were encoded.
    """

    index: str
    name: str
    schema: IndexSchema
    encoders: Encoders = field(repr=False)
    shards: Collection[int] | None = None
    options: WriteOptions
    cut: TruncatedDocuments = field(default_factory=TruncatedDocuments, repr=False)

    def check(self) -> None:
        """Raise IndexSchemaError where the index cannot have such a field, or could not be read by it."""
        schema = self.schema
        if schema.is_cut or schema.field_type is not FieldType.RANK_FEATURES:
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


def add_field(context: StoreContext, name: str, encoders: Encoders, **choices: Any) -> Steps[int]:
    """Create an additional sparse field and encode the documents that lack it; return how many there were.

    Args:
        context: The store's context.
        name: Name of the field.
        encoders: Its model.
        choices: Further attributes of `AddFieldJob`.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: The index cannot have the field.
        ModelMismatchError: The field exists and belongs to another model.
        ValueError: The index has no such shard.
    """
    yield from open_index(context)
    context.refuse_semantic("Adding a field of another model")
    yield from ensure_text_shown(context, "which the new field's model encodes")
    job = AddFieldJob(index=context.index, name=name, schema=context.schema, encoders=encoders, **choices)
    try:
        index, shards = yield from create_field(job)
        context.keep_encoders(name, encoders)
        return (yield from fill_field(job, index, shards))
    finally:
        context.forget()


def create_field(job: AddFieldJob) -> Steps[tuple[str, Sequence[int]]]:
    """Make the field unless it is there, and return the concrete index that it is in, and its shards to fill.

    Raises:
        IndexSchemaError: The index cannot have the field.
        ModelMismatchError: It is there, and belongs to another model.
        ServerRequestError: A part of the index is hidden from the login.
        ValueError: The index has no such shard.
    """
    job.check()
    response = yield Request("indices.get", lambda client: client.indices.get(index=job.index))
    index = only_index(job.index, response)
    yield from ensure_sees_all(index)
    shards = source_shards(index, response[index], job.shards)
    mappings = response[index]["mappings"]
    binding, found = (yield Compute(job.binding)), read_bindings(mappings).get(job.name)
    if found is not None:
        found.ensure_matches_write(binding, index=index, field=job.name)
    else:
        meta = write_bindings({job.name: binding}, mappings.get("_meta"))
        mapping = {"properties": add_field_body(job.name), "_meta": meta}
        yield Request(
            "indices.put_mapping",
            lambda client: client.indices.put_mapping(index=index, body=mapping),
            confirmed_by="acknowledged",
        )
    return index, shards


def fill_field(job: AddFieldJob, index: str, shards: Sequence[int]) -> Steps[int]:
    """Encode the documents of these shards that have no vector in the field; warn of those that get none.

    Returns:
        How many were encoded.

    Raises:
        BulkWriteError: Some documents were not written, or were by others meanwhile.
    """
    if job.shards is not None and not shards:
        return 0
    unfilled = {"bool": {"must_not": {"exists": {"field": marker_field(job.name)}}}}
    how: dict[str, Any] = {"source": [job.schema.text_field], "filter": unfilled, "seq_no_primary_term": True}
    binding, written, page, size = (yield Compute(job.binding)), 0, None, job.options.batch_size
    lacking: list[str] = []
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=index), confirmed_by="_shards")
    while page is None or page.after is not None:
        hits, page = yield from next_page(index, page, size=size, shards=shards, **how)
        actions = yield Compute(partial(job.actions, hits, binding))
        report = yield BulkWrite(index=index, actions=actions, options=replace(job.options, refresh=False))
        report.raise_if_incomplete()
        without_text = [hit["_id"] for hit in hits if not job.has_text(hit)]
        lacking += [*without_text, *report.without_vector.get(job.name, ())]
        written += report.written
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=index), confirmed_by="_shards")
    job.cut.warn()
    warn_of_unencoded(index, {job.name: tuple(lacking)}, NEEDS_TEXT)
    return written
