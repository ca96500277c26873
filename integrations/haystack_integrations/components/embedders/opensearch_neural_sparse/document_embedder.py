"""Documents to documents with sparse embeddings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from haystack import Document, component, default_to_dict
from haystack.utils import ComponentDevice, Secret
from tqdm import tqdm  # type: ignore[import-untyped]

from haystack_integrations.components.embedders.opensearch_neural_sparse.options import device_name, token_value
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import DocumentSparseEmbedding
from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.index.binding import ModelBinding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder


@component
class NeuralSparseDocumentEmbedder:
    """Embed documents, always by the model's document route.

    Indices are the token ids of the model's tokenizer. An embedding carries which model and settings made it, so that
    a document store of another model refuses it. Documents keep their ids; those that come in are not changed.

    Args:
        model: Name, hub id or folder of a model.
        meta_fields_to_embed: Metadata keys whose values are put before the content; missing ones are passed over.
        embedding_separator: What stands between these values and the content.
        max_length: Longest text in tokens; what follows is cut off. By default the model's own.
        max_active_dims: How many of a document's heaviest tokens are kept; by default as the model says, or all.
        engine: What runs the transformer: `auto`, `torch` or `onnx`.
        device: Where it runs, such as `cpu` or `cuda`; by default a GPU if there is one. Kept as given.
        dtype: Number format: `float32`, `bfloat16`, `float16` or `int8`.
        batch_tokens: Most tokens run at once, padding included; by default what suits the engine.
        progress_bar: Whether to show one.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.
        trust_remote_code: Whether the torch engine may run code that comes with the model.

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
        meta_fields_to_embed: list[str] | None = None,
        embedding_separator: str = "\n",
        max_length: int | None = None,
        max_active_dims: int | None = None,
        engine: str = "auto",
        device: ComponentDevice | str | None = None,
        dtype: str = "float32",
        batch_tokens: int | None = None,
        progress_bar: bool = True,
        revision: str | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
    ) -> None:
        self.model = model
        self.meta_fields_to_embed = meta_fields_to_embed
        self.embedding_separator = embedding_separator
        self.max_length = max_length
        self.max_active_dims = max_active_dims
        self.engine = engine
        self.device = device
        self.dtype = dtype
        self.batch_tokens = batch_tokens
        self.progress_bar = progress_bar
        self.revision = revision
        self.token = token
        self.cache_dir = cache_dir
        self.local_files_only = local_files_only
        self.trust_remote_code = trust_remote_code
        self._encoder: DocumentEncoder | None = None
        self._binding: ModelBinding | None = None
        self._vocabulary: Mapping[str, int] = {}
        self._lock = RLock()

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they were given."""
        return default_to_dict(
            self,
            model=str(self.model),
            meta_fields_to_embed=self.meta_fields_to_embed,
            embedding_separator=self.embedding_separator,
            max_length=self.max_length,
            max_active_dims=self.max_active_dims,
            engine=str(self.engine),
            device=self.device,
            dtype=str(self.dtype),
            batch_tokens=self.batch_tokens,
            progress_bar=self.progress_bar,
            revision=self.revision,
            token=self.token,
            cache_dir=None if self.cache_dir is None else str(self.cache_dir),
            local_files_only=self.local_files_only,
            trust_remote_code=self.trust_remote_code,
        )

    def warm_up(self) -> None:
        """Load the model's document side."""
        with self._lock:
            if self._encoder is None:
                encoder = load_document_encoder(
                    self.model,
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
                )
                self._vocabulary = SparseTokenizer.from_file(encoder.files.query_tokenizer).vocabulary
                self._binding = ModelBinding.of(
                    encoder.files,
                    text_field="content",
                    max_length=encoder.max_length,
                    max_active_dims=encoder.max_active_dims,
                )
                self._encoder = encoder

    async def warm_up_async(self) -> None:
        """Load the model's document side, off the event loop."""
        if self._encoder is None:
            await asyncio.to_thread(self.warm_up)

    def close(self) -> None:
        """Let go of the model; the next run loads it again."""
        with self._lock:
            if self._encoder is not None:
                self._encoder.close()
            self._encoder = self._binding = None
            self._vocabulary = {}

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
        if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
            raise TypeError(
                "NeuralSparseDocumentEmbedder embeds a list of documents. "
                "A text is embedded by NeuralSparseTextEmbedder."
            )
        with self._lock:
            self.warm_up()
            encoder, binding, vocabulary = self._encoder, self._binding, self._vocabulary
        assert encoder is not None  # noqa: S101 (narrows the type)
        with tqdm(total=len(documents), desc="Calculating embeddings", disable=not self.progress_bar) as bar:
            vectors = encoder.encode_documents([self._text(document) for document in documents], progress=bar.update)
        embeddings = [DocumentSparseEmbedding(*vector.to_ids(vocabulary), binding) for vector in vectors]
        return {"documents": _with_embeddings(documents, embeddings)}

    @component.output_types(documents=list[Document])
    async def run_async(self, documents: list[Document]) -> dict[str, Any]:
        """Embed documents off the event loop; see `run`."""
        return await asyncio.to_thread(self.run, documents)

    def _text(self, document: Document) -> str:
        values = [document.meta.get(key) for key in self.meta_fields_to_embed or ()]
        parts = [str(value) for value in values if value is not None]
        return self.embedding_separator.join([*parts, document.content or ""])


def _with_embeddings(documents: Sequence[Document], embeddings: Sequence[DocumentSparseEmbedding]) -> list[Document]:
    pairs = zip(documents, embeddings, strict=True)
    return [replace(document, sparse_embedding=embedding) for document, embedding in pairs]
