"""opensearch-haystack's document store, with the sparse embeddings of one model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
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
from haystack_integrations.document_stores.opensearch_neural_sparse.loads import load_of_documents
from haystack_integrations.document_stores.opensearch_neural_sparse.logins import (
    API_KEY,
    BEARER_TOKEN,
    USER_AND_PASSWORD,
    saved_tokens,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.metadata_fields import InspectedDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.retrieval import Retrieval
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import (
    PROCESSES,
    check_connection,
    given,
    options_of,
    plain,
    token_value,
)
from opensearch_neural_sparse import (
    BulkWriteError,
    FieldType,
    IndexSchema,
    Load,
    LoadProgress,
    LoadReport,
    Prune,
    SeismicParameters,
    ServerEncoding,
    WriteOptions,
)
from opensearch_neural_sparse.layer_support import (
    FieldTypeLike,
    check_flag,
    check_mapping,
    check_path,
    check_text,
    check_texts,
    check_type,
)

if TYPE_CHECKING:
    from haystack_integrations.document_stores.opensearch.auth import AWSAuth
    from haystack_integrations.document_stores.opensearch.document_store import Hosts

    from opensearch_neural_sparse import RemoteOptions
    from opensearch_neural_sparse.layer_support import IndexInfo

ENCODER_OPTIONS = ("max_length", "max_active_dims", "revision", "cache_dir", "local_files_only", *PROCESSES)


class OpenSearchNeuralSparseDocumentStore(InspectedDocumentStore, FilteredDocumentStore):
    """A document store of an index that belongs to one neural sparse model.

    It does all that opensearch-haystack's store does, and keeps `Document.sparse_embedding`. The index is stamped with
    its model when it is created and checked against it when it is opened. Documents are written with the embeddings
    they have (`NeuralSparseDocumentEmbedder` makes them); where the server encodes the index, it encodes those without
    one. Nothing is connected or loaded before it is needed.

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
        text_subfields: Name -> analyzer of a further index of the content of an index that is created, such as
            `{"de": "german"}`; a leg of the hybrid retriever searches it as the field `content.de`.
        languages: Languages of the documents of an index that is created, such as `["en", "de"]`, or language ->
            analyzer: each has an index of the content of its own, searched by words. See `IndexSchema`.
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
        workers: Number of processes that encode the documents of `ingest`; by default this one does.
        devices: Devices of these processes, such as `["cuda:0", "cuda:1"]`, one process for each.
        server_encoding: The model in the server that encodes the documents of an index that is created: a
            `ServerEncoding`, the server's id of the model, or a mapping such as `{"model_id": id, "batch_size": 20}`;
            with `"chunking": "fixed_token_length:200"` the server cuts texts into passages first.
            An index that was created so is opened without it.
        ingest_pipeline: An ingest pipeline of the server that every written document goes through, such as one that
            sets or renames metadata. On an index that the server encodes it runs in place of the pipeline that encodes,
            so it must encode as well.
        encoder_url: Address of an encoder that encodes them, such as `http://localhost:8080`, in place of an engine
            here.
        encoder_api_key: Its key.
        remote_options: How texts are sent to it, as `RemoteOptions` has it, such as `{"batch_size": 16}`.
        max_chunk_bytes: Size above which a bulk request is not grown further.
        http_auth: Two secrets, user and password, or `AWSAuth`; plain credentials work and cannot be saved. A login
            that is given replaces those of the environment.
        api_key: An API key of the security plugin (OpenSearch 3.7 and later); by default that of `OPENSEARCH_API_KEY`,
            if it is set.
        bearer_token: A JSON web token; by default that of `OPENSEARCH_BEARER_TOKEN`, if it is set.
        use_ssl: Whether to use TLS.
        verify_certs: Whether to verify certificates.
        timeout: Seconds to wait for an answer; by default 60.
        nested_fields: Metadata keys that hold lists of objects; `*` finds them in the first documents.
        kwargs: Options of `opensearchpy.OpenSearch` and `AsyncOpenSearch`; by default 20 connections are kept.

    Raises:
        ValueError: `ingest_pipeline` beside `server_encoding`.
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
        languages: list[str] | dict[str, str] | None = None,
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
        workers: int | None = None,
        devices: list[str] | None = None,
        server_encoding: ServerEncoding | dict[str, Any] | str | None = None,
        encoder_url: str | None = None,
        encoder_api_key: Secret | None = None,
        remote_options: RemoteOptions | dict[str, Any] | None = None,
        text_subfields: dict[str, str] | None = None,
        ingest_pipeline: str | None = None,
        max_chunk_bytes: int = WriteOptions.batch_bytes,
        http_auth: tuple[Secret, Secret] | tuple[str, str] | list[str] | str | AWSAuth | None = USER_AND_PASSWORD,
        api_key: Secret | None = API_KEY,
        bearer_token: Secret | None = BEARER_TOKEN,
        use_ssl: bool | None = None,
        verify_certs: bool | None = None,
        timeout: int | None = None,
        nested_fields: list[str] | Literal["*"] | None = None,
        **kwargs: Any,
    ) -> None:
        check_connection(hosts, kwargs, also=signature(OpenSearchNeuralSparseDocumentStore).parameters)
        check_mapping(optional=True, seismic=seismic, metadata_fields=metadata_fields, settings=settings)
        check_type((str, Mapping, list, tuple), optional=True, hosts=hosts)
        check_path(optional=True, model=model, cache_dir=cache_dir)
        check_text(optional=True, ingest_pipeline=ingest_pipeline)
        check_type(bool, optional=True, use_ssl=use_ssl, verify_certs=verify_certs)
        check_flag(create_index=create_index, return_embedding=return_embedding, local_files_only=local_files_only)
        encoding = ServerEncoding.parse(server_encoding)
        if encoding is not None and ingest_pipeline is not None:
            raise ValueError(
                f"ingest_pipeline={ingest_pipeline!r} would run in place of the pipeline that encodes documents. Leave "
                "one of them out."
            )
        self._own: dict[str, Any] = {
            "model": None if model is None else str(model),
            "sparse_field": sparse_field,
            "model_field": model_field,
            "field_type": str(FieldType(field_type)),
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
            **given(
                languages=languages,
                workers=workers,
                devices=devices,
                server_encoding=None if encoding is None else encoding.to_dict(),
                encoder_url=encoder_url,
                encoder_api_key=encoder_api_key,
                remote_options=plain(remote_options),
                text_subfields=text_subfields,
                ingest_pipeline=ingest_pipeline,
            ),
            **saved_tokens(api_key=api_key, bearer_token=bearer_token),
        }
        nested = [] if nested_fields is None or isinstance(nested_fields, str) else nested_fields
        check_type(list, nested_fields=nested)
        check_texts(nested_fields=nested)
        schema = IndexSchema(
            sparse_field=sparse_field,
            model_field=model_field,
            field_type=field_type,
            seismic=None if seismic is None else options_of(SeismicParameters, "seismic", seismic),
            embedding_dimension=embedding_dim,
            text_analyzer=text_analyzer,
            text_subfields={} if text_subfields is None else text_subfields,
            languages=() if languages is None else languages,
            metadata_fields=_with_nested(metadata_fields or {}, nested),
        )
        super().__init__(
            schema,
            self._own["model"],
            Prune.parse(prune),
            encoding,
            {"api_key": api_key, "bearer_token": bearer_token},
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
        """Write documents with the vectors they have; where the server encodes the index, it makes those they lack.

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
            options = self._write_options(policy, refresh, info)
            return store.write(converted, options=options, info=info).written
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
            report = await store.write(converted, options=self._write_options(policy, refresh, info), info=info)
        except BulkWriteError as error:
            return count_written(error.report, policy)
        return report.written

    def ingest(
        self,
        load: Load,
        *,
        batch_size: int | None = None,
        progress: Callable[[LoadProgress], None] | None = None,
    ) -> LoadReport:
        """Write the documents of a load that the index does not hold as they are.

        With a journal, the same call continues a load that ended early, whatever ended it. Documents with a sparse
        embedding keep it; the others are encoded by the store's model, or by the server's, as far as they are written.

        Args:
            load: `Load(documents, journal="articles.journal")`, with Haystack's documents from any iterable. Its
                `embed`, if it has one, takes and returns Haystack's documents, too.
            batch_size: Documents of a request, and those that are embedded together; by default 200.
            progress: Called with counts after each bulk request.

        Raises:
            JournalError: The journal cannot be used, or another program uses it.
            JournalMismatchError: The journal belongs to another source, index or model.
            ModelMismatchError: An embedding of another model, as far as it says so.
            IndexSchemaError: An index of chunks.
        """
        store = self._open()
        info = store.open_to_write()
        codec = self._codec(store, info)
        codec.to_sparse_documents([])  # an index of chunks takes none
        options = replace(
            self._write_options(DuplicatePolicy.OVERWRITE, True, info),
            encode=True,
            batch_size=WriteOptions.batch_size if batch_size is None else batch_size,
        )
        return store.ingest(load_of_documents(load, codec, self._map_nested), options=options, progress=progress)

    async def ingest_async(
        self,
        load: Load,
        *,
        batch_size: int | None = None,
        progress: Callable[[LoadProgress], None] | None = None,
    ) -> LoadReport:
        """Write the documents of a load by the blocking client, in a worker thread; see `ingest`."""
        return await asyncio.to_thread(partial(self.ingest, load, batch_size=batch_size, progress=progress))

    def _map_nested(self, document: Document) -> None:
        if fields := self._new_nested_fields([document]):
            self._update_mapping_for_nested_fields(fields)

    def retrieve(self, retrieval: Retrieval) -> list[Document]:
        """Search as `retrieval` says, best first; the retrievers are the components for it.

        Raises:
            FilterError: The filters are not Haystack's.
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        documents, _ = self.retrieve_with_aggregations(retrieval)
        return documents

    def retrieve_with_aggregations(self, retrieval: Retrieval) -> tuple[list[Document], Mapping[str, Any]]:
        """Search as `retrieval` says, and return the result of each of its aggregations beside the documents.

        They count every document that the search matches, whatever its `top_k`, and whatever the threshold of scores.

        Raises:
            FilterError: The filters are not Haystack's.
            ModelMismatchError: The embedding was made by another model than the index's, as far as it says by which.
        """
        check_type(Retrieval, retrieval=retrieval)
        store = self._open()
        info, with_vectors = store.open(unbound=retrieval.asks_server), self._with_vectors(retrieval)
        codec, clause = self._codec(store, info), self._clause(retrieval.filters, info.schema)
        vector = None if retrieval.embedding is None else codec.query_vector(retrieval.embedding)
        with filter_errors():
            hits = store.run(retrieval.search_with(clause, vector, info.schema, with_vectors=with_vectors))
        found = retrieval.above_threshold(hits)
        documents = codec.to_documents(found, with_vectors=with_vectors, explained=retrieval.explain)
        return documents, hits.aggregations

    async def retrieve_async(self, retrieval: Retrieval) -> list[Document]:
        """Search for documents, best first; see `retrieve`."""
        documents, _ = await self.retrieve_with_aggregations_async(retrieval)
        return documents

    async def retrieve_with_aggregations_async(self, retrieval: Retrieval) -> tuple[list[Document], Mapping[str, Any]]:
        """Search for documents, and return aggregations beside them; see `retrieve_with_aggregations`."""
        check_type(Retrieval, retrieval=retrieval)
        store = await self._open_async()
        info, with_vectors = await store.open(unbound=retrieval.asks_server), self._with_vectors(retrieval)
        codec, clause = self._codec_async(store, info), self._clause(retrieval.filters, info.schema)
        vector = None
        if retrieval.embedding is not None:
            vector = await asyncio.to_thread(codec.query_vector, retrieval.embedding)
        with filter_errors():
            hits = await store.run(retrieval.search_with(clause, vector, info.schema, with_vectors=with_vectors))
        found = retrieval.above_threshold(hits)
        convert = partial(codec.to_documents, found, with_vectors=with_vectors, explained=retrieval.explain)
        documents = await asyncio.to_thread(convert) if with_vectors else convert()
        return documents, hits.aggregations

    def _with_vectors(self, retrieval: Retrieval) -> bool:
        return self._return_embedding if retrieval.return_embedding is None else retrieval.return_embedding

    def _write_options(
        self, policy: DuplicatePolicy, refresh: Literal["wait_for", True, False], info: IndexInfo
    ) -> WriteOptions:
        return WriteOptions(
            batch_bytes=self._max_chunk_bytes,
            refresh=refresh,
            operation=operation_of(policy),
            exact_weights=bool(self._own["exact_weights"]),
            encode=info.binding is not None and info.binding.server is not None,
            **given(pipeline=self._own.get("ingest_pipeline")),
        )

    def _encoder_options(self) -> dict[str, Any]:
        return given(
            token=token_value(self._own["token"]),
            url=self._own.get("encoder_url"),
            api_key=token_value(self._own.get("encoder_api_key")),
            remote_options=self._own.get("remote_options"),
            **{name: self._own.get(name) for name in ENCODER_OPTIONS},
        )


def _with_nested(fields: Mapping[str, Any], nested: list[str]) -> Mapping[str, Any]:
    """Return the mapping of metadata with its nested fields; one that is declared stays as it is."""
    return {**{field: {"type": "nested"} for field in nested}, **fields} if nested else fields
