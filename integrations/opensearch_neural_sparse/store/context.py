"""What every store knows of its index and model: state and decisions, no network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import (
    IndexNotBoundError,
    IndexNotFoundError,
    LimitedRightsWarning,
    ModelMismatchError,
    Remedy,
    ServerRequestError,
)
from opensearch_neural_sparse.index.index_info import IndexInfo, read_index, several_models
from opensearch_neural_sparse.index.mapping import create_index_body
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema
from opensearch_neural_sparse.index.seismic import SPARSE_VECTOR_SINCE
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.bulk.missing_vectors import IN_THE_CORE, VectorRemedies
from opensearch_neural_sparse.store.bulk.prepare import Encode, Encoded
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.add_field import AddFieldJob
from opensearch_neural_sparse.store.operations.reindex_job import Reindexing
from opensearch_neural_sparse.store.portable import Portable
from opensearch_neural_sparse.store.write_options import WriteOptions
from opensearch_neural_sparse.transport.address import check_address
from opensearch_neural_sparse.transport.errors import translated_errors

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
    from opensearch_neural_sparse.index.model_binding import ModelBinding
    from opensearch_neural_sparse.models.spec import ModelSpec

Client = TypeVar("Client")
DEFAULT_WRITE = WriteOptions()
DEFAULT_HYBRID = HybridOptions()
IDS_PER_REQUEST = 500
DELETIONS_PER_REQUEST = 5000
FORBIDDEN = 403
CLIENT_DEFAULTS: Mapping[str, Any] = {"timeout": 60, "pool_maxsize": 20}
"""Options of the clients that stores make: opensearch-py gives up after 10 seconds and keeps one connection."""


class StoreBase(Portable, Generic[Client]):
    """An index and its model, as far as they are known by now."""

    REMEDIES: VectorRemedies = IN_THE_CORE
    OPENED = frozenset(
        {"schema", "_more_encoders", "_model_encoders", "_server", "_state", "_accepted", "_lock", "_connections"}
    )

    def __init__(
        self,
        index: str,
        *,
        client: Client | None = None,
        url: str | None = None,
        model: str | Path | ModelSpec | None = None,
        schema: IndexSchema | None = None,
        query_encoder: QueryEncoder | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        client_options: Mapping[str, Any] | None = None,
        prune: Prune | None = None,
        server_version: str | None = None,
    ) -> None:
        if (client is None) == (url is None):
            raise ValueError("Give either a client or the url of a server.")
        if not isinstance(index, str):
            raise TypeError(f"index is one text, got {type(index).__name__}; commas separate several: 'a,b'.")
        if not index.strip():
            raise ValueError(f"index is the name of an index, alias or pattern, got {index!r}.")
        if client is None:
            check_address(url)
        self.index = index
        self._client, self._url = client, url
        self._owns_client = client is None
        self._client_options = {**CLIENT_DEFAULTS, **(client_options or {})}
        self._encoders = Encoders(model, query_encoder, document_encoder, encoder_options, prune)
        self._given_schema = schema or IndexSchema()
        self._named_server = None if server_version is None else ServerInfo.named(server_version)
        self._begin()

    def _begin(self) -> None:
        self.schema = self._with_token_ids(self._given_schema)
        self._more_encoders: dict[str, Encoders] = {}
        self._server = self._named_server
        self._state: IndexInfo | None = None
        self._model_encoders: dict[tuple[str, str], Encoders] = {}
        self._accepted: frozenset[tuple[str, str | None]] = frozenset()
        self._lock = RLock()

    def _as_made(self) -> dict[str, Any]:
        return super()._as_made() | ({"_client": None} if self._owns_client else {})

    def _ensure_picklable(self) -> None:
        if not self._owns_client:
            raise TypeError(
                f"The store of index {self.index!r} has a client that was handed in, and a client cannot be pickled. "
                "Give url=... and client_options=... instead: whoever unpickles the store opens a client of its own."
            )

    @property
    def model_id(self) -> str | None:
        """Id of the model, as far as it is known without asking the server."""
        return self._encoders.model_id

    def share_encoders(self, other: StoreBase[Any]) -> None:
        """Encode with what another store of this model loads, so that a blocking and an awaited one load it once.

        Args:
            other: A store of the same model, blocking or awaited.
        """
        self._encoders, self._more_encoders = other._encoders, other._more_encoders
        self._model_encoders = other._model_encoders
        self.schema = self._with_token_ids(self._given_schema)
        self._forget()

    def _read_index(self, response: Mapping[str, Any]) -> IndexInfo:
        read = read_index(self.index, response, self._given_schema, model_named=self._encoders.named)
        state = read.with_token_ids(self._with_token_ids)
        self.schema = state.schema
        self._encoders.bind_to(state.binding)
        if not state.has_several_models:
            self._ensure_model_fits(state.binding)
        elif self._encoders.named:
            self._ensure_model_fits_all(state.groups)
        return state

    def _without_check(self, error: ServerRequestError) -> IndexInfo:
        """Return the state of an index that may not be looked at, where a model was named; else raise the refusal."""
        if error.status != FORBIDDEN or not self._encoders.named:
            raise error
        warnings.warn(
            f"Index {self.index!r} may not be looked at, so nothing holds it against the model that was given. The "
            "right indices:admin/get lifts this.",
            LimitedRightsWarning,
            stacklevel=2,
        )
        return IndexInfo.unchecked(self.index, self._with_token_ids(self._given_schema))

    @property
    def _has_more_models(self) -> bool:
        return bool(self.schema.more_fields or (self._state is not None and self._state.groups))

    def _ensure_model_fits_all(self, groups: Iterable[IndexInfo]) -> None:
        try:
            for group in groups:
                self._ensure_model_fits(group.binding)
        except ModelMismatchError as error:
            remedy = f"Model {error.given!r} does not fit all of them; leave it out, and each is searched by its own."
            raise several_models(self.index, self.schema, groups, remedy) from None
        if not self._encoders.checkable:
            remedy = "A query encoder that is handed in serves one; leave it out, and each is searched by its own."
            raise several_models(self.index, self.schema, groups, remedy)

    def _ensure_model_fits(self, binding: ModelBinding | None) -> None:
        if binding is not None and self._encoders.checkable:
            field = self.schema.sparse_field
            binding.ensure_same_model(self._encoders.spec, index=self.index, field=field)
            binding.ensure_matches_query(self._encoders.files(Side.QUERY), index=self.index, field=field)

    def _ensure_named(self) -> None:
        if not self._encoders.named:
            raise IndexNotBoundError(self.index, self.schema.sparse_field)

    def _with_token_ids(self, schema: IndexSchema, stamp: ModelBinding | None = None) -> IndexSchema:
        """Return a schema with the token ids of the model that was named, or else of the one in the stamp."""
        if schema.field_type is not FieldType.SPARSE_VECTOR or schema.token_ids is not None:
            return schema
        return replace(schema, token_ids=TokenIds(self._encoders.of_index(stamp).vocabulary))

    def _index_body(self, server: ServerInfo, settings: Mapping[str, Any] | None) -> dict[str, Any]:
        self._forget()
        self._encoders.bind_to(None)
        self.schema = self._with_token_ids(self._given_schema)
        binding = self._encoders.binding(self.schema)
        if self.schema.chunking is not None:
            self._encoders.ensure_fitting(self.schema.chunking)
        if self.schema.token_ids is not None:
            server.require(SPARSE_VECTOR_SINCE, "The field type sparse_vector")
            server.require_plugin(NEURAL_SEARCH, "The field type sparse_vector")
            self.schema.token_ids.ensure_told_apart()
        languages = self._encoders.files(Side.DOCUMENT).spec.languages
        return create_index_body(self.schema, {self.schema.sparse_field: binding}, settings, languages=languages)

    def _encode(self, bound: ModelBinding | None, texts: Sequence[str]) -> tuple[Sequence[Encoded], str]:
        given = self._encoders.binding(self.schema)
        if bound is not None:
            bound.ensure_matches_write(given, index=self.index, field=self.schema.sparse_field)
        return self._encoders.encode(texts, self.schema.chunking), given.marker

    def _more_encodings(self) -> dict[str, Encode]:
        """Return what encodes texts for the further sparse fields of the open index."""
        return {field: partial(self._encode_for, field) for field in self.schema.more_fields}

    def _encode_for(self, field: str, texts: Sequence[str]) -> tuple[Sequence[Encoded], str]:
        encoders, bound = self._encoders_of(field), self.schema.more_fields[field]
        given = encoders.binding(self.schema)
        bound.ensure_matches_write(given, index=self.index, field=field)
        return encoders.encode_documents(texts), given.marker

    def _encoders_of(self, field: str) -> Encoders:
        stamp = self.schema.more_fields.get(field)
        if stamp is None:
            return self._encoders
        with self._lock:
            if field not in self._more_encoders:
                self._more_encoders[field] = self._encoders.for_field()
            self._more_encoders[field].bind_to(stamp)
            return self._more_encoders[field]

    def _more_queries(self, query: str) -> dict[str, Callable[[], SparseVector]]:
        """Return what encodes a query for the further sparse fields of the open index."""
        return {field: partial(self._query_for, field, query) for field in self.schema.more_fields}

    def _query_for(self, field: str, query: str) -> SparseVector:
        return self._encoders_of(field).query().encode_query(query)

    def _close_encoders(self) -> None:
        for encoders in (self._encoders, *self._more_encoders.values(), *self._model_encoders.values()):
            encoders.close()

    def _further_field(
        self,
        name: str,
        model: str | Path | ModelSpec,
        encoder_options: Mapping[str, Any] | None,
        prune: Prune | None,
        options: WriteOptions,
    ) -> AddFieldJob:
        encoders = Encoders(model, None, None, encoder_options, prune)
        return AddFieldJob(index=self.index, name=name, schema=self.schema, encoders=encoders, options=options)

    def _keep_encoders(self, job: AddFieldJob) -> None:
        with self._lock:
            if (others := self._more_encoders.get(job.name)) is not None:
                others.close()
            self._more_encoders[job.name] = job.encoders

    def _reindexing(self, target: str, encoders: Encoders, **choices: Any) -> Reindexing:
        schema = replace(self.schema, token_ids=None)
        if schema.field_type is FieldType.SPARSE_VECTOR:
            schema = replace(schema, token_ids=TokenIds(encoders.vocabulary))
        return Reindexing(index=self.index, target=target, schema=schema, encoders=encoders, **choices)

    @contextmanager
    def _translated(self, client: Client) -> Iterator[None]:
        try:
            with translated_errors(client, self.index):
                yield
        except IndexNotFoundError:
            self._forget()
            raise

    def _forget(self) -> None:
        self._state, self._accepted = None, frozenset()


def pass_if_there(error: ServerRequestError, *, exist_ok: bool) -> None:
    """Raise the error of a creation, unless an index of that name is there already and may be."""
    if error.error_type != "resource_already_exists_exception":
        raise error
    if not exist_ok:
        raise error.with_remedy(Remedy.OPEN_EXISTING) from None
