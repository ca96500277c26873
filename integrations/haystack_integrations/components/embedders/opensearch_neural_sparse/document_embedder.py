"""Embed documents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haystack import Document, component, default_to_dict
from haystack.utils import ComponentDevice, Secret
from tqdm import tqdm  # type: ignore[import-untyped]

from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import (
    DENSE,
    PROCESSES,
    REMOTE,
    device_name,
    saved_parameters,
    token_value,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import DocumentSparseEmbedding
from opensearch_neural_sparse import ModelBinding, Prune, encode_with_dense, load_document_encoder
from opensearch_neural_sparse.layer_support import (
    TruncatedDocuments,
    check_count,
    check_type,
    collected_cuts,
    load_query_tokenizer,
    observe_encoding,
)

if TYPE_CHECKING:
    from opensearch_neural_sparse import DocumentEncoder, RemoteOptions, SparseVector
    from opensearch_neural_sparse.layer_support import EngineLike, PrecisionLike

_Embedded = dict[str, Any]
"""Fields of a document that hold its vectors."""


@component
class NeuralSparseDocumentEmbedder:
    """Embed documents, always by the model's document route.

    Indices are the token ids of the model's tokenizer. An embedding carries which model and settings made it, so that
    a document store of another model refuses it. Documents keep their ids; those that come in are not changed.

    Args:
        model: Name, hub id or folder of a model.
        prefix: Text put before every document; by default the model's own, which most models do without.
        meta_fields_to_embed: Metadata keys whose values are put before the content; missing ones are passed over.
        embedding_separator: What stands between these values and the content.
        max_length: Longest text in tokens; what follows is cut off. By default the model's own.
        max_active_dims: How many of a document's heaviest tokens are kept; by default as the model says, or all.
        prune: Which of its tokens are kept, such as `max_ratio:0.1`; the document store has the same rule.
        engine: What runs the transformer: `auto`, `torch` or `onnx`.
        device: Where it runs, such as `cpu` or `cuda`; by default a GPU if there is one. Kept as given.
        dtype: Number format: `float32`, `bfloat16`, `float16` or `int8`.
        batch_size: Documents handed to the encoder at once; by default all, since it cuts them by tokens.
        batch_tokens: Most tokens run at once, padding included; by default what suits the engine.
        progress_bar: Whether to show one.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.
        trust_remote_code: Whether the torch engine may run code that comes with the model.
        workers: Number of processes that encode, each with the model; by default this one encodes.
        devices: Devices of the processes, such as `["cuda:0", "cuda:1"]`, one process for each.
        url: Address of an encoder that runs the model, such as `http://localhost:8080`, in place of an engine here.
        api_key: Its key.
        remote_options: How texts are sent to it, as `RemoteOptions` has it, such as `{"batch_size": 16}`.
        with_dense: Whether documents get their dense vector, `Document.embedding`, from the same forward pass; of a
            BGE-M3 model that runs in this process.

    Raises:
        ValueError: No such prune rule, or a batch of less than one document.

    Examples:
        >>> embedder = NeuralSparseDocumentEmbedder("examples/models/small-en", progress_bar=False)
        >>> document = embedder.run([Document(content="Split a string.")])["documents"][0]
        >>> document.sparse_embedding is not None
        True
    """

    def __init__(
        self,
        model: str | Path,
        *,
        prefix: str | None = None,
        meta_fields_to_embed: list[str] | None = None,
        embedding_separator: str = "\n",
        max_length: int | None = None,
        max_active_dims: int | None = None,
        prune: str | dict[str, Any] | None = None,
        engine: EngineLike = "auto",
        device: ComponentDevice | str | None = None,
        dtype: PrecisionLike = "float32",
        batch_size: int | None = None,
        batch_tokens: int | None = None,
        progress_bar: bool = True,
        revision: str | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
        workers: int | None = None,
        devices: list[str] | None = None,
        url: str | None = None,
        api_key: Secret | None = None,
        remote_options: RemoteOptions | dict[str, Any] | None = None,
        with_dense: bool | None = None,
    ) -> None:
        self.model = model
        self.prefix = prefix
        self.meta_fields_to_embed = meta_fields_to_embed
        self.embedding_separator = embedding_separator
        self.max_length = max_length
        self.max_active_dims = max_active_dims
        self.prune = prune
        self.engine = engine
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self.batch_tokens = batch_tokens
        self.progress_bar = progress_bar
        self.revision = revision
        self.token = token
        self.cache_dir = cache_dir
        self.local_files_only = local_files_only
        self.trust_remote_code = trust_remote_code
        self.workers = workers
        self.devices = devices
        self.url = url
        self.api_key = api_key
        self.remote_options = remote_options
        self.with_dense = with_dense
        check_count(1, optional=True, batch_size=batch_size)
        check_type(bool, optional=True, with_dense=with_dense)
        self._rule = Prune.parse(prune)
        self._side = Lazy(self._load)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they were given."""
        return default_to_dict(self, **saved_parameters(self, only_given=(*PROCESSES, *REMOTE, *DENSE)))

    def warm_up(self) -> None:
        """Load the model's document side."""
        self._side.get()

    async def warm_up_async(self) -> None:
        """Load the model's document side, off the event loop."""
        await self._side.get_async()

    def close(self) -> None:
        """Release the model; the next run loads it again."""
        if (side := self._side.take()) is not None:
            side.encoder.close()

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """Embed documents.

        Args:
            documents: The documents; one without text has an empty embedding.

        Returns:
            `documents`: copies with their `sparse_embedding`, in the same order.

        Raises:
            TypeError: Something else than a list of documents, such as a text.
        """
        texts = [self._text(document) for document in _checked(documents)]
        side = self._side.get()
        step = self.batch_size or max(len(texts), 1)
        embeddings: list[_Embedded] = []
        bar = tqdm(total=len(texts), desc="Calculating embeddings", disable=not self.progress_bar)
        with bar, collected_cuts() as cuts:
            for start in range(0, len(texts), step):
                part = texts[start : start + step]
                with observe_encoding("encode_documents", side.binding.model, len(part)):
                    embeddings += side.embed(part, self._rule, bar.update, with_dense=bool(self.with_dense))
        cut = TruncatedDocuments()
        cut.note(((document.id, text) for document, text in zip(documents, texts, strict=True)), cuts)
        cut.warn()
        pairs = zip(documents, embeddings, strict=True)
        return {"documents": [replace(document, **embedded) for document, embedded in pairs]}

    @component.output_types(documents=list[Document])
    async def run_async(self, documents: list[Document]) -> dict[str, Any]:
        """Embed documents off the event loop; see `run`."""
        return await asyncio.to_thread(self.run, documents)

    def _text(self, document: Document) -> str:
        values = [document.meta.get(key) for key in self.meta_fields_to_embed or ()]
        parts = [str(value) for value in values if value is not None]
        return self.embedding_separator.join([*parts, document.content or ""])

    def _load(self) -> _DocumentSide:
        encoder = load_document_encoder(
            self.model,
            prompt=self.prefix,
            engine=self.engine,
            max_length=self.max_length,
            max_active_dims=self.max_active_dims,
            batch_tokens=self.batch_tokens,
            device=device_name(self.device),
            dtype=self.dtype,
            revision=self.revision,
            token=token_value(self.token),
            cache_dir=self.cache_dir,
            local_files_only=self.local_files_only,
            trust_remote_code=self.trust_remote_code,
            workers=self.workers,
            devices=self.devices,
            url=self.url,
            api_key=token_value(self.api_key),
            remote_options=self.remote_options,
        )
        binding = ModelBinding.of(
            encoder.files,
            text_field="content",
            max_length=encoder.max_length,
            max_active_dims=encoder.max_active_dims,
            prune=None if self._rule is None else self._rule.to_dict(),
        )
        return _DocumentSide(encoder, binding, load_query_tokenizer(encoder.files).vocabulary)


@dataclass(frozen=True)
class _DocumentSide:
    """Encoder of documents, the binding of its vectors, and the ids of its tokens."""

    encoder: DocumentEncoder
    binding: ModelBinding
    vocabulary: Mapping[str, int]

    def embed(
        self, texts: Sequence[str], rule: Prune | None, progress: Callable[[int], None], *, with_dense: bool
    ) -> list[_Embedded]:
        """Return the embeddings of texts by the fields of a document, sparse ones pruned by a rule."""
        if not with_dense:
            vectors = self.encoder.encode_documents(texts, progress=progress)
            return [{"sparse_embedding": self._sparse(vector, rule)} for vector in vectors]
        both = encode_with_dense(self.encoder, texts, progress=progress)
        return [{"sparse_embedding": self._sparse(own.sparse, rule), "embedding": own.dense} for own in both]

    def _sparse(self, vector: SparseVector, rule: Prune | None) -> DocumentSparseEmbedding:
        return DocumentSparseEmbedding.of(vector if rule is None else rule(vector), self.vocabulary, self.binding)


def _checked(documents: list[Document]) -> list[Document]:
    if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
        raise TypeError(
            "NeuralSparseDocumentEmbedder embeds a list of documents. A text is embedded by NeuralSparseTextEmbedder."
        )
    return documents
