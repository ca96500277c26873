"""The state of a store: name, fields, model and cached metadata of its index; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.arguments import check_text, check_type
from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import (
    IndexNotBoundError,
    IndexSchemaError,
    LimitedRightsWarning,
    ModelFilesError,
    ModelMismatchError,
)
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.index.index_info import IndexInfo, several_models
from opensearch_neural_sparse.index.missing_index import is_single
from opensearch_neural_sparse.index.read_index import read_index
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema, SparseField
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.search.requests.multi_search import UnexpectedIndex
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.server_models.registered_model import RegisteredModel
from opensearch_neural_sparse.store.bulk.missing_vectors import IN_THE_CORE, VectorRemedies
from opensearch_neural_sparse.store.bulk.prepare import Encoded
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.portable import Portable
from opensearch_neural_sparse.telemetry.caller import warn_caller

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
    from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
    from opensearch_neural_sparse.models.spec import ModelSpec


class StoreContext(Portable):
    """Everything a store knows of its index, its model and its server.

    Args:
        index: Name of an index or alias, or a pattern.
        model: Name, id, folder or spec of the model, or None.
        schema: Names and types of the fields.
        query_encoder: Encodes queries in place of the model's own encoder.
        document_encoder: Encodes documents in place of the model's own encoder.
        encoder_options: Options of `load_document_encoder`.
        prune: Which tokens of a document's vector are kept.
        server_version: Version of a server that may not be asked for it.
        vector_remedies: Ways out for documents without vectors.
        server_encoding: The model in the server that encodes the documents of the index, or None.

    Attributes:
        info: What was read of the index when it was opened, or None.
        server: What was read of the server, or None.
        query_defaults: Search pipeline -> its `neural_query_enricher`, as far as they were read.
        query_models: Models in the server that were compared with the index, for its queries.
        accepted: Indices and models of hits that a look at the index did not explain.
        server_model: The model in the server that encodes the index, once it was checked for writes, or None.
        documents_hidden: Whether this login is known to have document-level security, so that the client fuses.
        added_score: What document-level security adds to every score; None where it is not known yet.
        lock: Held while the index is opened and while this state changes.
    """

    _OPENED = frozenset(
        {"schema", "_field_encoders", "_model_encoders", "server", "info", "accepted", "lock", "server_model"}
        | {"query_defaults", "query_models", "documents_hidden", "added_score"}
    )

    def __init__(
        self,
        index: str,
        *,
        model: str | Path | ModelSpec | None = None,
        schema: IndexSchema | None = None,
        query_encoder: QueryEncoder | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        prune: Prune | None = None,
        server_version: str | None = None,
        vector_remedies: VectorRemedies = IN_THE_CORE,
        server_encoding: ServerEncoding | None = None,
    ) -> None:
        if not isinstance(index, str):
            raise TypeError(f"index is one text, got {type(index).__name__}; commas separate several: 'a,b'.")
        if not index.strip():
            raise ValueError(f"index is the name of an index, alias or pattern, got {index!r}.")
        check_type(IndexSchema, optional=True, schema=schema)
        check_type(Prune, optional=True, prune=prune)
        check_type(ServerEncoding, optional=True, server_encoding=server_encoding)
        check_text(optional=True, server_version=server_version)
        self.index, self.vector_remedies, self.server_encoding = index, vector_remedies, server_encoding
        self.encoders = Encoders(model, query_encoder, document_encoder, encoder_options, prune)
        self._given_schema = schema or IndexSchema()
        if server_encoding is not None and server_encoding.chunking is not None:
            self._given_schema = replace(self._given_schema, server_chunking=server_encoding.chunking)
        self._named_server = None if server_version is None else ServerInfo.named(server_version)
        self._begin()

    def _begin(self) -> None:
        self.schema = self._with_token_ids(self._given_schema)
        self._field_encoders: dict[str, Encoders] = {}
        self._model_encoders: dict[tuple[str, str], Encoders] = {}
        self.server = self._named_server
        self.info: IndexInfo | None = None
        self.accepted: frozenset[UnexpectedIndex] = frozenset()
        self.server_model: RegisteredModel | None = None
        self.query_defaults: dict[str, Mapping[str, Any]] = {}
        self.query_models: set[str] = set()
        self.documents_hidden = False
        self.added_score: float | None = None
        self.lock = RLock()

    @property
    def is_creatable(self) -> bool:
        """Whether the index can be created: its name is that of one index, and a model was named."""
        return is_single(self.index) and (self.encoders.named or self._given_schema.semantic is not None)

    def share_encoders(self, other: StoreContext) -> None:
        """Encode with what another store of this model loads."""
        self.encoders, self._field_encoders = other.encoders, other._field_encoders
        self._model_encoders = other._model_encoders
        self.schema = self._with_token_ids(self._given_schema)
        self.forget()

    def forget(self) -> None:
        """Drop what was read of the index; the next operation reads it again."""
        self.info, self.accepted, self.server_model = None, frozenset(), None
        self.query_defaults, self.query_models, self.added_score = {}, set(), None

    def close(self) -> None:
        """Close the encoders that were loaded here, and drop what was read of index and server."""
        for encoders in (self.encoders, *self._field_encoders.values(), *self._model_encoders.values()):
            encoders.close()
        self.server, self.documents_hidden = self._named_server, False
        self.forget()

    def read_index(self, response: Mapping[str, Any]) -> IndexInfo:
        """Read the response of `GET /<index>`, and check the model that was named against its stamps.

        Raises:
            IndexNotFoundError: The name matches nothing.
            IndexNotBoundError: Some indices carry no model, and others are of several.
            IndexSchemaError: The index is not of this layout.
            ModelMismatchError: The index belongs to another model.
        """
        read = read_index(self.index, response, self._given_schema)
        info = read.with_token_ids(self._with_token_ids)
        self.schema = info.schema
        self.encoders.bind_to(info.binding)
        if not info.has_several_models:
            self._ensure_model_fits(info.binding)
        elif self.encoders.named:
            self._ensure_model_fits_all(info.groups)
        self._ensure_encoded_as_given(info.binding)
        return info

    def refuse_semantic(self, operation: str) -> None:
        """Raise IndexSchemaError for an operation that an index with a field of type semantic does not take."""
        if (semantic := self.schema.semantic) is not None:
            raise IndexSchemaError(
                f"{operation} is not for index {self.index!r}: the server encodes its text field, of type semantic, by "
                f"model {semantic.model_id!r} as documents are written. Write the documents again, to this index or "
                "to a new one: store.write(other.scan())."
            )

    def refuse_passages(self, operation: str) -> None:
        """Raise IndexSchemaError for an operation that would encode texts here which the server cuts."""
        if self.schema.server_chunking is not None:
            raise IndexSchemaError(
                f"{operation} is not for index {self.index!r}: the server cuts its texts into passages and encodes "
                "these, by its pipeline. Leave encoder_options and document_encoder out to write to it, or write its "
                "documents to another index: other.write(store.scan())."
            )

    def server_binding(self, info: IndexInfo) -> ModelBinding | None:
        """Return the binding of an index that the server encodes by a pipeline of ours, or None where this store does.

        This store does where the caller asked for it, and where documents have vectors in further fields: these pass no
        pipeline, for some tokens are no names of fields.
        """
        here = self.encoders.encodes_documents_here or bool(info.schema.additional_fields)
        encoded = info.binding is not None and info.binding.server is not None
        return info.binding if encoded and not here and info.schema.semantic is None else None

    def unchecked_index(self) -> IndexInfo:
        """Return the metadata of an index that may not be read, after a warning that its model was not verified."""
        warn_caller(
            LimitedRightsWarning(
                f"Cannot read the metadata of index {self.index!r} (403), so its model was not verified, nor that this "
                "login sees its fields. Grant indices:admin/get to enable the check."
            )
        )
        return IndexInfo.unchecked(self.index, self._with_token_ids(self._given_schema))

    def warn_of_hidden_text(self, info: IndexInfo) -> None:
        """Warn of an index that shows its documents without their texts, mostly by field-level security."""
        if (hidden := info.hidden_text) is not None:
            warn_caller(
                LimitedRightsWarning(
                    f"Index {self.index!r} shows this login no field {hidden!r}, so documents come without their "
                    "texts: field-level security hides it, or the mapping has lost it. Let a role of the login see it "
                    "(fls), and write no such documents back."
                )
            )

    def refresh_index(self, info: IndexInfo, fresh: IndexInfo, unexpected: Iterable[UnexpectedIndex] = ()) -> bool:
        """Take over freshly read metadata; return whether it is as before, so that a response to it stands."""
        with self.lock:
            self.info = fresh
            self.accepted = self.accepted | frozenset(unexpected) if fresh == info else frozenset()
        return fresh == info

    def reset_for_creation(self) -> None:
        """Forget the index that was open, and its stamp, before another one is created."""
        self.forget()
        self.encoders.bind_to(None)
        self.schema = self._with_token_ids(self._given_schema)

    def ensure_bound(self, info: IndexInfo) -> None:
        """Raise IndexNotBoundError where indices carry no model and none was named."""
        if info.unbound and not self.encoders.named:
            raise IndexNotBoundError(", ".join(info.unbound), info.schema.sparse_field)

    def ensure_creatable(self) -> None:
        """Raise IndexNotBoundError where no model was named, and the schema names none in the server."""
        if self._given_schema.semantic is None:
            self.ensure_named()

    def ensure_named(self) -> None:
        """Raise IndexNotBoundError where no model was named."""
        if not self.encoders.named:
            raise IndexNotBoundError(self.index, self.schema.sparse_field)

    def encode(self, field: SparseField, texts: Sequence[str]) -> tuple[Sequence[Encoded], str]:
        """Return the vectors, or chunks, of documents' texts for a sparse field, and the marker of the model.

        Raises:
            ModelMismatchError: The encoder is not the one that the field is bound to.
        """
        self.refuse_passages("Encoding texts here")
        encoders = self.encoders_of(field)
        given = encoders.binding(self.schema)
        if field.binding is not None:
            field.binding.ensure_matches_write(given, index=self.index, field=field.name)
        return encoders.encode(texts, self.schema.chunking if field.is_main else None), given.marker

    def encode_query(self, field: SparseField, query: str) -> SparseVector:
        """Return the vector of a query for a sparse field."""
        return self.encoders_of(field).encode_queries([query])[0]

    def query_encoders(self, info: IndexInfo, group: IndexInfo) -> Encoders:
        """Return what encodes queries for a group of indices: what the caller gave, or the model of their stamp."""
        stamp = group.binding
        if not info.has_several_models or stamp is None or self.encoders.checkable:
            return self.encoders
        with self.lock:
            if stamp.identity not in self._model_encoders:
                encoders = self._model_encoders[stamp.identity] = self.encoders.for_field()
                encoders.bind_to(stamp)
            return self._model_encoders[stamp.identity]

    @property
    def encodes_queries_cheaply(self) -> bool:
        """Whether a query is encoded by one table that is loaded, in microseconds."""
        several = self.schema.additional_fields or (self.info is not None and self.info.groups)
        return self.encoders.encodes_queries_at_once and not several

    def keep_encoders(self, field: str, encoders: Encoders) -> None:
        """Encode an additional sparse field with these from now on."""
        with self.lock:
            if (others := self._field_encoders.get(field)) is not None:
                others.close()
            self._field_encoders[field] = encoders

    def encoders_of(self, field: SparseField) -> Encoders:
        """Return the encoders of a field's model; those of the main field follow the index when it is opened."""
        if field.is_main:
            return self.encoders
        with self.lock:
            if field.name not in self._field_encoders:
                self._field_encoders[field.name] = self.encoders.for_field()
            self._field_encoders[field.name].bind_to(field.binding)
            return self._field_encoders[field.name]

    def _with_token_ids(self, schema: IndexSchema, stamp: ModelBinding | None = None) -> IndexSchema:
        """Return a schema with the token ids of the model that was named, or else of the one in the stamp."""
        if schema.field_type is not FieldType.SPARSE_VECTOR or schema.token_ids is not None:
            return schema
        return replace(schema, token_ids=TokenIds(self.encoders.of_index(stamp).vocabulary))

    def _ensure_model_fits_all(self, groups: Iterable[IndexInfo]) -> None:
        try:
            for group in groups:
                self._ensure_model_fits(group.binding)
        except ModelMismatchError as error:
            remedy = f"Model {error.given!r} does not fit all of them; leave it out, and each is searched by its own."
            raise several_models(self.index, self.schema, groups, remedy) from None
        if not self.encoders.checkable:
            remedy = "A query encoder that is handed in serves one; leave it out, and each is searched by its own."
            raise several_models(self.index, self.schema, groups, remedy)

    def _ensure_encoded_as_given(self, binding: ModelBinding | None) -> None:
        """Raise ModelMismatchError where the index is encoded by another model in the server than the caller's."""
        given = self.server_encoding
        if given is None or binding is None:
            return
        found = binding.server
        if found is None:
            reason = "its documents are encoded by clients"
        elif found.model_id != given.model_id:
            reason = f"its documents are encoded by the server's model {found.model_id!r}"
        elif given.pipeline not in (None, found.pipeline):
            reason = f"its documents are encoded by pipeline {found.pipeline!r}, not {given.pipeline!r}"
        elif given.chunking not in (None, found.chunking):
            how = "not cut" if found.chunking is None else f"cut by {found.chunking.to_dict()}"
            reason = f"its texts are {how}, not by {given.chunking.to_dict()}"
        else:
            return
        raise ModelMismatchError(
            index=self.index,
            field=self.schema.sparse_field,
            bound=binding.model,
            given=f"server model {given.model_id}",
            reason=reason,
            remedy="Leave server_encoding out to open the index as it is, or create another index.",
        )

    def _ensure_model_fits(self, binding: ModelBinding | None) -> None:
        if binding is not None and self.encoders.checkable:
            field = self.schema.sparse_field
            binding.ensure_same_model(self.encoders.spec, index=self.index, field=field)
            try:
                files = self.encoders.files(Side.QUERY)
            except ModelFilesError as error:
                raise self._unchecked_model(binding, error) from error
            binding.ensure_matches_query(files, index=self.index, field=field)

    def _unchecked_model(self, binding: ModelBinding, error: ModelFilesError) -> ModelFilesError:
        """Return the error of a model that cannot be compared with that of the index, since its files are missing."""
        given = self.encoders.spec.id
        if binding.model == given:
            return error
        return ModelFilesError(
            f"Index {self.index!r} is bound to model {binding.model!r}, and {given!r} cannot be compared with it: "
            f"{error}"
        )
