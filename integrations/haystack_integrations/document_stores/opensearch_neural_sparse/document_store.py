"""opensearch-haystack's document store, with the sparse embeddings of one model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

from haystack import default_to_dict
from haystack.dataclasses import Document
from haystack.document_stores.types import DuplicatePolicy
from haystack.utils import Secret

from haystack_integrations.document_stores.opensearch_neural_sparse.converters import checked_documents
from haystack_integrations.document_stores.opensearch_neural_sparse.credentials import refuse_credentials
from haystack_integrations.document_stores.opensearch_neural_sparse.duplicate_policy import count_written, operation_of
from haystack_integrations.document_stores.opensearch_neural_sparse.filtered_store import FilteredDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.filters import filter_errors
from haystack_integrations.document_stores.opensearch_neural_sparse.metadata_fields import InspectedDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import (
    check_connection,
    given,
    token_value,
)
from opensearch_neural_sparse import (
    BulkWriteError,
    IndexSchema,
    IndexSchemaError,
    InvalidVectorError,
    Load,
    LoadProgress,
    LoadReport,
    Prune,
    RefusedRow,
    SeismicParameters,
    SourceRow,
    WriteOptions,
)
from opensearch_neural_sparse.layer_support import FieldTypeLike

if TYPE_CHECKING:
    from haystack_integrations.document_stores.opensearch.auth import AWSAuth
    from haystack_integrations.document_stores.opensearch.document_store import Hosts

    from haystack_integrations.document_stores.opensearch_neural_sparse.document_codec import DocumentCodec
    from haystack_integrations.document_stores.opensearch_neural_sparse.retrieval import Retrieval

ENCODER_OPTIONS = ("max_length", "max_active_dims", "revision", "cache_dir", "local_files_only")


class OpenSearchNeuralSparseDocumentStore(InspectedDocumentStore, FilteredDocumentStore):
    """A document store of an index that belongs to one neural sparse model.

    It does all that opensearch-haystack's store does, and keeps `Document.sparse_embedding`. The index is stamped with
    its model when it is created and checked against it when it is opened. Documents are written with the embeddings
    they have (`NeuralSparseDocumentEmbedder` makes them). Nothing is connected or loaded before it is needed.

    Args:
        model: Name, hub id or folder of the model; by default the one that the index is stamped with.
        hosts: Addresses of the server.
        index: Name of an index or alias.
        sparse_field: Field of the token weights.
        model_field: Field that names the model that made a document's vector.
        field_type: `rank_features`, which is searched exactly, or `sparse_vector`, which is searched approximately.
        seismic: Parameters of a `sparse_vector` field, such as `{"n_postings": 4000}`.
        prune: Which tokens of a document the index keeps, such as `max_ratio:0.1`, as the document embedder has it.
        embedding_dim: Dimensions of dense embeddings; None leaves them out of the mapping.
        metadata_fields: Metadata key -> OpenSearch field mapping, such as `{"year": {"type": "integer"}}`.
        text_analyzer: Analyzer of the content of an index that is created, such as `german`; None takes that of the
            model's language, `english` for an English model, or the server's `standard`. See `IndexSchema`.
        settings: Index settings, such as `{"number_of_shards": 1}`.
        create_index: Whether to create the index if it does not exist, where `index` is one name and a model is named;
            a missing index that is not created is an `IndexNotFoundError`.
        return_embedding: Whether documents come back with their vectors, dense and sparse.
        exact_weights: Whether to store weights whole, not as the shortest decimals that score alike.
        max_length: Longest document in tokens, as the document embedder has it; by default the model's own.
        max_active_dims: Most tokens of a document, as the document embedder has it; by default as the model says.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.
        max_chunk_bytes: Size above which a bulk request is not grown further.
        http_auth: Two secrets, user and password, or `AWSAuth`; plain credentials work and cannot be saved.
        use_ssl: Whether to use TLS.
        verify_certs: Whether to verify certificates.
        timeout: Seconds to wait for an answer; by default 60.
        nested_fields: Metadata keys that hold lists of objects; `*` finds them in the first documents.
        kwargs: Options of `opensearchpy.OpenSearch` and `AsyncOpenSearch`; by default 20 connections are kept.

    Raises:
        TypeError: An option that no client takes, or `mappings` or `method`, which the layout of the index decides.
    """

    def __init__(
        self,
        *,
        model: str | Path | None = None,
        hosts: Hosts | None = None,
        index: str = "default",
        sparse_field: str = "sparse_vector",
        model_field: str = "sparse_vector_model",
        field_type: FieldTypeLike = "rank_features",
        seismic: dict[str, Any] | None = None,
        prune: str | dict[str, Any] | None = None,
        embedding_dim: int | None = None,
        metadata_fields: dict[str, dict[str, Any]] | None = None,
        text_analyzer: str | None = None,
        settings: dict[str, Any] | None = None,
        create_index: bool = True,
        return_embedding: bool = False,
        exact_weights: bool = False,
        max_length: int | None = None,
        max_active_dims: int | None = None,
        revision: str | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        max_chunk_bytes: int = WriteOptions.batch_bytes,
        http_auth: tuple[Secret, Secret] | tuple[str, str] | list[str] | str | AWSAuth | None = (
            Secret.from_env_var("OPENSEARCH_USERNAME", strict=False),  # noqa: B008
            Secret.from_env_var("OPENSEARCH_PASSWORD", strict=False),  # noqa: B008
        ),
        use_ssl: bool | None = None,
        verify_certs: bool | None = None,
        timeout: int | None = None,
        nested_fields: list[str] | Literal["*"] | None = None,
        **kwargs: Any,
    ) -> None:
        check_connection(hosts, kwargs, also=signature(OpenSearchNeuralSparseDocumentStore).parameters)
        self._own: dict[str, Any] = {
            "model": None if model is None else str(model),
            "sparse_field": sparse_field,
            "model_field": model_field,
            "field_type": str(field_type),
            "seismic": seismic,
            "prune": prune,
            "embedding_dim": embedding_dim,
            "metadata_fields": metadata_fields,
            "text_analyzer": text_analyzer,
            "exact_weights": exact_weights,
            "max_length": max_length,
            "max_active_dims": max_active_dims,
            "revision": revision,
            "token": token,
            "cache_dir": None if cache_dir is None else str(cache_dir),
            "local_files_only": local_files_only,
        }
        nested = [] if nested_fields is None or nested_fields == "*" else nested_fields
        schema = IndexSchema(
            sparse_field=sparse_field,
            model_field=model_field,
            field_type=field_type,
            seismic=None if seismic is None else SeismicParameters(**seismic),
            embedding_dimension=embedding_dim,
            text_analyzer=text_analyzer,
            metadata_fields={field: {"type": "nested"} for field in nested} | (metadata_fields or {}),
        )
        super().__init__(
            schema,
            self._own["model"],
            Prune.parse(prune),
            hosts=hosts,
            index=index,
            max_chunk_bytes=max_chunk_bytes,
            return_embedding=return_embedding,
            settings=settings,
            create_index=create_index,
            http_auth=http_auth,
            use_ssl=use_ssl,
            verify_certs=verify_certs,
            timeout=timeout,
            nested_fields=nested_fields,
            **kwargs,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they were given; secrets as names of environment variables.

        Raises:
            ValueError: Plain credentials, in `http_auth`, in `hosts` or in `headers`, which are not saved.
        """
        inherited = super().to_dict()["init_parameters"]
        plain_login = bool(self._http_auth) and not inherited["http_auth"]
        refuse_credentials(self._hosts, self._kwargs, plain_login=plain_login)
        kept = {name: value for name, value in inherited.items() if name not in ("mappings", "method")}
        return default_to_dict(self, **{**kept, **self._own})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make a store of `data`, what `to_dict` returned, which is not changed."""
        return cast("Self", super().from_dict(deepcopy(data)))

    def write_documents(
        self,
        documents: list[Document],
        policy: DuplicatePolicy = DuplicatePolicy.NONE,
        refresh: Literal["wait_for", True, False] = True,
    ) -> int:
        """Write documents with the vectors they have.

        Args:
            documents: The documents. A metadata key `_routing` names a document's shard and is not stored.
            policy: What happens to ids that exist: fail (the default), skip or overwrite.
            refresh: True makes them searchable at once, by one refresh at the end; `wait_for` waits for the index's own
                refresh; False does neither.

        Returns:
            How many were written.

        Raises:
            DuplicateDocumentError: Ids that exist; the other documents were written.
            DocumentStoreError: Documents that the server refused; the others were written.
            ModelMismatchError: An embedding of another model, as far as it says so; none was written.
            ValueError: No documents, or a vector, id or metadata key that no index can take; none was written.
        """
        rows, store = checked_documents(documents), self._open()
        if fields := self._new_nested_fields(rows):
            self._update_mapping_for_nested_fields(fields)
        info = store.open_to_write()
        converted = self._codec(store, info).to_sparse_documents(rows)
        try:
            return store.write(converted, options=self._write_options(policy, refresh), info=info).written
        except BulkWriteError as error:
            return count_written(error.report, policy)

    async def write_documents_async(
        self,
        documents: list[Document],
        policy: DuplicatePolicy = DuplicatePolicy.NONE,
        refresh: Literal["wait_for", True, False] = True,
    ) -> int:
        """Write documents with the vectors they have; see `write_documents`."""
        rows, store = checked_documents(documents), await self._open_async()
        if fields := self._new_nested_fields(rows):
            await self._update_mapping_for_nested_fields_async(fields)
        info = await store.open_to_write()
        converted = await asyncio.to_thread(self._codec_async(store, info).to_sparse_documents, rows)
        try:
            report = await store.write(converted, options=self._write_options(policy, refresh), info=info)
        except BulkWriteError as error:
            return count_written(error.report, policy)
        return report.written

    def ingest(self, load: Load, *, progress: Callable[[LoadProgress], None] | None = None) -> LoadReport:
        """Write the documents of a load that the index does not hold as they are.

        With a journal, the same call continues a load that ended early, whatever ended it. Documents with a sparse
        embedding keep it; the others are encoded by the store's model, as far as they are written.

        Args:
            load: `Load(documents, journal="articles.journal")`, with Haystack's documents from any iterable.
            progress: Called with counts after each bulk request.

        Raises:
            JournalError: The journal cannot be used, or another program uses it.
            JournalMismatchError: The journal belongs to another source, index or model.
            ModelMismatchError: An embedding of another model, as far as it says so.
            IndexSchemaError: An index of chunks.
        """
        store = self._open()
        codec = self._codec(store, store.open_to_write())
        codec.to_sparse_documents([])  # an index of chunks takes none
        options = replace(self._write_options(DuplicatePolicy.OVERWRITE, True), encode=True)
        return store.ingest(replace(load, rows=self._rows(load.rows, codec)), options=options, progress=progress)

    async def ingest_async(self, load: Load, *, progress: Callable[[LoadProgress], None] | None = None) -> LoadReport:
        """Write the documents of a load by the blocking client, in a worker thread; see `ingest`."""
        return await asyncio.to_thread(partial(self.ingest, load, progress=progress))

    def _rows(self, documents: Iterable[Any], codec: DocumentCodec) -> Iterator[Any]:
        for number, document in enumerate(documents, start=1):
            if not isinstance(document, Document):
                yield document
                continue
            if fields := self._new_nested_fields([document]):
                self._update_mapping_for_nested_fields(fields)
            place = f"row {number}"
            try:
                (converted,) = codec.to_sparse_documents([document])
                yield SourceRow(place=place, document=converted)
            except (IndexSchemaError, InvalidVectorError) as error:
                yield RefusedRow(place=place, reason=str(error))

    def retrieve(self, retrieval: Retrieval) -> list[Document]:
        """Search as `retrieval` says, best first; the retrievers are the components for it.

        Raises:
            FilterError: The filters are not Haystack's.
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        store = self._open()
        info, with_vectors = store.open(), self._with_vectors(retrieval)
        codec, clause = self._codec(store, info), self._clause(retrieval.filters, info.schema)
        vector = None if retrieval.embedding is None else codec.query_vector(retrieval.embedding)
        with filter_errors():
            hits = store.run(retrieval.search_with(clause, vector, with_vectors=with_vectors))
        found = retrieval.above_threshold(hits)
        return codec.to_documents(found, with_vectors=with_vectors, explained=retrieval.explain)

    async def retrieve_async(self, retrieval: Retrieval) -> list[Document]:
        """Search for documents, best first; see `retrieve`."""
        store = await self._open_async()
        info, with_vectors = await store.open(), self._with_vectors(retrieval)
        codec, clause = self._codec_async(store, info), self._clause(retrieval.filters, info.schema)
        vector = None
        if retrieval.embedding is not None:
            vector = await asyncio.to_thread(codec.query_vector, retrieval.embedding)
        with filter_errors():
            hits = await store.run(retrieval.search_with(clause, vector, with_vectors=with_vectors))
        found = retrieval.above_threshold(hits)
        convert = partial(codec.to_documents, found, with_vectors=with_vectors, explained=retrieval.explain)
        return await asyncio.to_thread(convert) if with_vectors else convert()

    def _with_vectors(self, retrieval: Retrieval) -> bool:
        return self._return_embedding if retrieval.return_embedding is None else retrieval.return_embedding

    def _write_options(self, policy: DuplicatePolicy, refresh: Literal["wait_for", True, False]) -> WriteOptions:
        return WriteOptions(
            batch_bytes=self._max_chunk_bytes,
            refresh=refresh,
            operation=operation_of(policy),
            exact_weights=bool(self._own["exact_weights"]),
            encode=False,
        )

    def _encoder_options(self) -> dict[str, Any]:
        return given(token=token_value(self._own["token"]), **{name: self._own[name] for name in ENCODER_OPTIONS})
