"""Encoders of a store's model, each loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property, partial
from inspect import signature
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.arguments import check_mapping, check_members, check_type
from opensearch_neural_sparse.encode.encoding_settings import document_dims, read_encoding_settings
from opensearch_neural_sparse.encode.pruning import Prune, PruneType
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.words import load_query_tokenizer
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError, Remedy
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.token_ids import TOKEN_ID_KEY
from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files, resolve_without_weights
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Mode, ModelSpec
from opensearch_neural_sparse.store.portable import Portable
from opensearch_neural_sparse.telemetry.observation import observe_encoding
from opensearch_neural_sparse.transport.client_options import refuse_unknown

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.chunking import ChunkOptions
    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
    from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
    from opensearch_neural_sparse.index.schema import IndexSchema
    from opensearch_neural_sparse.store.bulk.prepare import Encoded

_HUB_OPTIONS = frozenset({"revision", "token", "cache_dir", "local_files_only"})
_NETWORK_OPTIONS = frozenset({"engine", "device", "dtype", "threads", "batch_tokens", "trust_remote_code"})
"""Options that hold for a transformer of queries, too."""


class Encoders(Portable):
    """The encoders of one model, or those that were handed in.

    Args:
        model: The model; None leaves it to the stamp of the index.
        query_encoder: Encodes queries in place of the model's own.
        document_encoder: Encodes documents in place of the model's own.
        options: Options of `load_document_encoder`, those of the hub among them.
        prune: Which tokens of a document's vector are kept; None leaves it to the stamp of the index.
        unknown_model: The remedy where the model of the stamp is not known here.
    """

    _OPENED = frozenset(
        {
            "_loaded_query",
            "_owned",
            "_owned_query",
            "_tokenizer",
            "_query_tokenizer",
            "_files",
            "_stamp",
            "_has_query_files",
            "_lock",
            "_named_id",
        }
    )

    def __init__(
        self,
        model: str | Path | ModelSpec | None = None,
        query_encoder: QueryEncoder | None = None,
        document_encoder: DocumentEncoder | None = None,
        options: Mapping[str, Any] | None = None,
        prune: Prune | None = None,
        *,
        unknown_model: str = Remedy.GIVE_FOLDER,
    ) -> None:
        check_type((str, Path, ModelSpec), optional=True, model=model)
        check_members("encode_query", optional=True, query_encoder=query_encoder)
        check_members("encode_documents", "files", optional=True, document_encoder=document_encoder)
        check_mapping(optional=True, encoder_options=options)
        self.model, self._prune, self._unknown_model = model, prune, unknown_model
        self._options = dict(options or {})
        _check(self._options)
        self._is_remote = self._options.get("url") is not None
        self._hub_options = {name: value for name, value in self._options.items() if name in _HUB_OPTIONS}
        self._query, self._document = query_encoder, document_encoder
        self._begin()

    def _begin(self) -> None:
        self._loaded_query: QueryEncoder | None = None
        self._owned: DocumentEncoder | None = None
        self._owned_query: DocumentEncoder | None = None
        self._tokenizer: SparseTokenizer | None = None
        self._query_tokenizer: SparseTokenizer | None = None
        self._files: dict[Side, ModelFiles] = {}
        self._stamp: ModelBinding | None = None
        self._has_query_files: bool | None = None
        self._lock = RLock()

    @property
    def named(self) -> bool:
        """Whether the caller named a model or handed in an encoder."""
        return any(part is not None for part in (self.model, self._query, self._document))

    @property
    def encodes_queries_at_once(self) -> bool:
        """Whether what encodes queries is loaded and a table that takes microseconds, not a network."""
        from opensearch_neural_sparse.encode.query_encoder import IdfQueryEncoder
        from opensearch_neural_sparse.encode.words import WordQueryEncoder

        return isinstance(self._query or self._loaded_query, IdfQueryEncoder | WordQueryEncoder)

    @property
    def checkable(self) -> bool:
        """Whether what the caller gave can be compared with the stamp of an index."""
        return self.model is not None or self._document is not None

    @property
    def model_id(self) -> str | None:
        """Id of the model, as far as it is known here."""
        with self._lock:
            if self._stamp is not None:
                return self._stamp.model
            for files in self._files.values():
                return files.spec.id
            return self._named_id

    @property
    def model_name(self) -> str | None:
        """Name of the model as the caller gave it, else as the stamp has it; no file is read."""
        if self.model is not None:
            return self.model.name if isinstance(self.model, ModelSpec) else str(self.model)
        return None if self._stamp is None else self._stamp.model

    @cached_property
    def _named_id(self) -> str | None:
        """Id of the model that the caller named; that of a folder is read from its files, once."""
        return None if self.model is None else get_model(self.model).id

    @property
    def spec(self) -> ModelSpec:
        """The model of the caller; of a folder, its configuration is read.

        Raises:
            ModelFilesError: Neither is known.
        """
        if self._document is not None:
            return self._document.files.spec
        if self.model is None:
            raise ModelFilesError(f"No model is known here. {Remedy.GIVE_MODEL}")
        return get_model(self.model)

    @property
    def encodes_documents_here(self) -> bool:
        """Whether the caller asked for documents to be encoded here: by an encoder, or by options of one."""
        given = {name for name, value in self._options.items() if value is not None}
        return self._document is not None or not given <= _HUB_OPTIONS

    def bind_to(self, stamp: ModelBinding | None) -> None:
        """Take from the stamp of an index what the caller did not say: the model, and how documents are encoded."""
        with self._lock:
            if self.model is None and self._stamp != stamp:
                self._files.clear()
                self._has_query_files = None
                self.close()
            self._stamp = stamp

    def for_field(self) -> Encoders:
        """Return encoders for the model that another field is stamped with; they reach the hub as these do."""
        return Encoders(options=self._reach, unknown_model=Remedy.REGISTER_FOLDER)

    @property
    def _reach(self) -> dict[str, Any]:
        """Options of the hub for the model of a stamp."""
        return {name: value for name, value in self._hub_options.items() if name != "revision"}

    def of_index(self, stamp: ModelBinding | None) -> Encoders:
        """Return encoders of the model that the caller named, or else of an index's own, whatever is followed later."""
        if self.checkable:
            return self
        encoders = Encoders(options=self._reach)
        encoders.bind_to(stamp)
        return encoders

    def files(self, side: Side) -> ModelFiles:
        """Return the model's files, resolved once.

        Raises:
            ModelFilesError: They cannot be had, or no model is known here.
        """
        with self._lock:
            if self._document is not None:
                return self._document.files
            if not self._is_remote:
                return self._resolved(side)
            small = self._resolved(Side.QUERY)
            is_here = side is Side.QUERY and small.spec.mode is Mode.DOC_ONLY
            return small if is_here else self.document().files

    def can_encode_queries(self) -> bool:
        """Return whether the model's query files are found here; read once."""
        with self._lock:
            if self._has_query_files is None:
                try:
                    self.files(Side.QUERY)
                except ModelFilesError:
                    self._has_query_files = False
                else:
                    self._has_query_files = True
            return self._has_query_files

    def query(self) -> QueryEncoder:
        """Return what encodes queries."""
        with self._lock:
            if self._query is not None:
                return self._query
            if self._loaded_query is None:
                self._loaded_query = self._load_query(self.files(Side.QUERY))
            return self._loaded_query

    def _load_query(self, files: ModelFiles) -> QueryEncoder:
        from opensearch_neural_sparse.encode.query_encoder import (
            NeuralQueryEncoder,
            load_query_encoder,
            share_document_encoder,
        )

        if files.spec.mode is Mode.DOC_ONLY:
            return load_query_encoder(files)
        if files.query_route is None or self._is_remote:
            return share_document_encoder(self.document())
        options = {name: value for name, value in self._options.items() if name in _NETWORK_OPTIONS}
        encoder = load_query_encoder(files, **options)
        self._owned_query = encoder.engine if isinstance(encoder, NeuralQueryEncoder) else None
        return encoder

    def encode_queries(self, texts: Sequence[str]) -> Sequence[SparseVector]:
        """Return the vectors of queries; nothing is loaded for none."""
        if not texts:
            return ()
        encoder = self.query()
        with observe_encoding("encode_queries", self.model_id, len(texts)):
            return [encoder.encode_query(texts[0])] if len(texts) == 1 else encoder.encode_queries(texts)

    def query_tokenizer(self) -> SparseTokenizer:
        """Return the tokenizer of the query side."""
        with self._lock:
            if self._query_tokenizer is None:
                self._query_tokenizer = load_query_tokenizer(self.files(Side.QUERY))
            return self._query_tokenizer

    def document(self) -> DocumentEncoder:
        """Return what encodes documents."""
        with self._lock:
            if self._document is not None:
                return self._document
            if self._owned is None:
                from opensearch_neural_sparse.encode.document_encoder import load_document_encoder

                files = self._resolved(Side.QUERY) if self._is_remote else self.files(Side.DOCUMENT)
                hub = self._hub_options if self._is_remote else {}
                self._owned = load_document_encoder(files, **self._encoding_options(files), **hub)
            return self._owned

    def encode_documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors of documents, pruned as the index is."""
        encoder, rule = self.document(), self._rule()
        with observe_encoding("encode_documents", self.model_id, len(texts)):
            vectors = encoder.encode_documents(texts)
        return vectors if rule is None else [rule(vector) for vector in vectors]

    def encode(self, texts: Sequence[str], chunking: ChunkOptions | None) -> Sequence[Encoded]:
        """Return the vectors of documents, or their chunks, each encoded and pruned as one; a blank text has none."""
        from opensearch_neural_sparse.encode.chunking import chunk_text

        if chunking is None:
            return self.encode_documents(texts)
        tokenizer = self.ensure_fitting(chunking)
        cut = [chunk_text(text, tokenizer, document_id="", options=chunking) for text in texts]
        vectors = iter(self.encode_documents([chunk.text for chunks in cut for chunk in chunks]))
        return [
            tuple(DocumentChunk(start=chunk.start, end=chunk.end, vector=next(vectors)) for chunk in chunks)
            for chunks in cut
        ]

    def ensure_fitting(self, options: ChunkOptions) -> SparseTokenizer:
        """Return the tokenizer that texts are cut by, or raise ValueError where such chunks are too long."""
        with self._lock:
            files = self.files(Side.DOCUMENT)
            if self._tokenizer is None:
                self._tokenizer = SparseTokenizer.from_file(files.document_tokenizer)
            prompt = self._options.get("prompt") or read_encoding_settings(files.root).document_prompt
            (around,) = self._tokenizer.batch_document_ids([prompt])
            options.ensure_fits(self._limits(files)[0] or files.spec.max_length, around=len(around))
            return self._tokenizer

    def vocabulary(self) -> Mapping[str, int]:
        """Return token -> id of the model; of one of whole words, every word has an id."""
        return self.query_tokenizer().vocabulary

    def binding(self, schema: IndexSchema) -> ModelBinding:
        """Return the model binding of an index that is encoded here; weights are hashed, not loaded."""
        with self._lock:
            files = self.files(Side.DOCUMENT)
            length, dims = self._limits(files)
            prune = None if (rule := self._rule()) is None else rule.to_dict()
        binding = ModelBinding.of(
            files, text_field=schema.text_field, max_length=length, max_active_dims=dims, prune=prune
        )
        return replace(
            binding,
            key=binding.key if schema.token_ids is None else TOKEN_ID_KEY,
            chunking=None if schema.chunking is None else asdict(schema.chunking),
        )

    def server_binding(self, schema: IndexSchema, server: ServerEncoding, weights_sha256: str) -> ModelBinding:
        """Return the model binding of an index that the server encodes; the query side of the model is read here.

        Args:
            schema: Names of the fields.
            server: The model in the server.
            weights_sha256: Hash of its weights.
        """
        rule = self._rule()
        binding = ModelBinding.of(
            self.files(Side.QUERY),
            text_field=schema.text_field,
            prune=None if rule is None else rule.to_dict(),
            weights_sha256=weights_sha256,
            server=server,
        )
        return binding if schema.token_ids is None else replace(binding, key=TOKEN_ID_KEY)

    def probe(self, text: str) -> tuple[str, SparseVector] | None:
        """Return the hash of the model's weights and the whole vector of a text, where the model can be run here.

        Nothing is downloaded for it.
        """
        try:
            with self._lock:
                if self._document is None and not self._is_remote and Side.DOCUMENT not in self._files:
                    self._files[Side.DOCUMENT] = self._resolve(Side.DOCUMENT, local_files_only=True)
            (vector,) = self.document().encode_documents([text])
        except (MissingDependencyError, ModelFilesError):
            return None
        return self.files(Side.DOCUMENT).weights_sha256, vector

    def close(self) -> None:
        """Close the encoders that were loaded here."""
        with self._lock:
            for owned in (self._owned, self._owned_query):
                if owned is not None:
                    owned.close()
            self._loaded_query = self._owned = self._owned_query = self._tokenizer = self._query_tokenizer = None

    def _limits(self, files: ModelFiles) -> tuple[int | None, int | None]:
        if self._document is not None or self._is_remote:
            encoder = self.document()
            return encoder.max_length, encoder.max_active_dims
        options = self._encoding_options(files)
        settings = read_encoding_settings(files.root)
        return options.get("max_length"), document_dims(options.get("max_active_dims"), files.spec, settings)

    def _rule(self) -> Prune | None:
        if self._prune is None:
            return None if self._stamp is None else self._stamp.prune_rule
        return None if self._prune.type is PruneType.NONE else self._prune

    def _encoding_options(self, files: ModelFiles) -> dict[str, Any]:
        given = {name: value for name, value in self._options.items() if name not in _HUB_OPTIONS}
        if self._stamp is None:
            return given
        all_dims = None if self._is_remote else files.spec.vocabulary_size
        return {
            "max_length": self._stamp.max_length,
            "max_active_dims": self._stamp.max_active_dims or all_dims,
        } | given

    def _resolved(self, side: Side) -> ModelFiles:
        if side not in self._files:
            self._files[side] = self._resolve(side)
        return self._files[side]

    def _resolve(self, side: Side, **options: Any) -> ModelFiles:
        resolve = resolve_without_weights if self._is_remote else partial(resolve_files, side=side)
        if self.model is not None:
            return resolve(get_model(self.model), **(self._hub_options | options))
        if self._stamp is None:
            raise ModelFilesError(f"No model is known here. {Remedy.GIVE_MODEL}")
        return resolve(
            self._stamp.find_model(self._unknown_model),
            **{"revision": self._stamp.revision} | self._hub_options | options,
        )


def _check(options: Mapping[str, Any]) -> None:
    """Raise TypeError where an option is none of `load_document_encoder`."""
    from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
    from opensearch_neural_sparse.encode.remote.loading import check_remote_options

    if options:
        refuse_unknown("encoder option", options, [*signature(load_document_encoder).parameters][1:])
        check_remote_options(options)
