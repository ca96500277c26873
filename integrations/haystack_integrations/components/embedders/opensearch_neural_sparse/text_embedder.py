"""A query to its sparse embedding."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from haystack import component, default_to_dict
from haystack.dataclasses import SparseEmbedding
from haystack.utils import ComponentDevice, Secret

from haystack_integrations.components.embedders.opensearch_neural_sparse.options import device_name, token_value
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import QuerySparseEmbedding
from opensearch_neural_sparse.encode.query_encoder import load_query_encoder
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.models.files import ModelFiles, Side, resolve_files
from opensearch_neural_sparse.models.registry import get_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder


@component
class NeuralSparseTextEmbedder:
    """Embed queries, always by the model's query route.

    The queries of a doc-only model are looked up in a table: no transformer runs and none is loaded. Indices are the
    token ids of the model's tokenizer. An embedding carries which model made it, so that a retriever on an index of
    another model refuses it.

    Args:
        model: Name, hub id or folder of a model.
        max_length: Longest query in tokens; what follows is cut off. By default the model's own.
        engine: For bi-encoders, what runs the transformer: `auto`, `torch` or `onnx`.
        device: For bi-encoders, where it runs; kept as given.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.

    Examples:
        >>> embedder = NeuralSparseTextEmbedder("examples/models/small-en")
        >>> len(embedder.run("split a string")["sparse_embedding"].indices)
        3
    """

    def __init__(
        self,
        model: str | Path,
        *,
        max_length: int | None = None,
        engine: str | None = None,
        device: ComponentDevice | str | None = None,
        revision: str | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
    ) -> None:
        self.model = model
        self.max_length = max_length
        self.engine = engine
        self.device = device
        self.revision = revision
        self.token = token
        self.cache_dir = cache_dir
        self.local_files_only = local_files_only
        self._encoder: QueryEncoder | None = None
        self._files: ModelFiles | None = None
        self._vocabulary: Mapping[str, int] = {}
        self._lock = RLock()

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they were given."""
        return default_to_dict(
            self,
            model=str(self.model),
            max_length=self.max_length,
            engine=self.engine,
            device=self.device,
            revision=self.revision,
            token=self.token,
            cache_dir=None if self.cache_dir is None else str(self.cache_dir),
            local_files_only=self.local_files_only,
        )

    def warm_up(self) -> None:
        """Load the model's query side."""
        with self._lock:
            if self._encoder is None:
                files = resolve_files(
                    get_model(self.model),
                    side=Side.QUERY,
                    revision=self.revision,
                    token=token_value(self.token),
                    cache_dir=self.cache_dir,
                    local_files_only=self.local_files_only,
                )
                engine: dict[str, Any] = {"engine": self.engine, "device": device_name(self.device)}
                given = {name: value for name, value in engine.items() if value is not None}
                encoder = load_query_encoder(files, max_length=self.max_length, **given)
                self._vocabulary = SparseTokenizer.from_file(files.query_tokenizer).vocabulary
                self._encoder, self._files = encoder, files

    async def warm_up_async(self) -> None:
        """Load the model's query side, off the event loop."""
        if self._encoder is None:
            await asyncio.to_thread(self.warm_up)

    def close(self) -> None:
        """Let go of the model; the next run loads it again."""
        with self._lock:
            self._encoder = self._files = None
            self._vocabulary = {}

    @component.output_types(sparse_embedding=SparseEmbedding)
    def run(self, text: str) -> dict[str, Any]:
        """Embed a query.

        Args:
            text: The query; a blank one has an empty embedding.

        Returns:
            `sparse_embedding`: token ids and weights.

        Raises:
            TypeError: Something else than a text, such as documents.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"NeuralSparseTextEmbedder embeds a text, got {type(text).__name__}. "
                "Documents are embedded by NeuralSparseDocumentEmbedder."
            )
        with self._lock:
            self.warm_up()
            encoder, files, vocabulary = self._encoder, self._files, self._vocabulary
        assert encoder is not None  # noqa: S101 (narrows the type)
        indices, values = encoder.encode_query(text).to_ids(vocabulary)
        return {"sparse_embedding": QuerySparseEmbedding(indices, values, files)}

    @component.output_types(sparse_embedding=SparseEmbedding)
    async def run_async(self, text: str) -> dict[str, Any]:
        """Embed a query off the event loop; see `run`."""
        return await asyncio.to_thread(self.run, text)
