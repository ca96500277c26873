"""Embed queries."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haystack import component, default_to_dict
from haystack.dataclasses import SparseEmbedding
from haystack.utils import ComponentDevice, Secret

from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import (
    device_name,
    given,
    query_files,
    saved_parameters,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import QuerySparseEmbedding
from opensearch_neural_sparse import ModelFiles, NeuralQueryEncoder, Prune, SparseTokenizer, load_query_encoder

if TYPE_CHECKING:
    from opensearch_neural_sparse import QueryEncoder
    from opensearch_neural_sparse.layer_support import EngineLike


@component
class NeuralSparseTextEmbedder:
    """Embed queries, always by the model's query route.

    The queries of a doc-only model are looked up in a table: no transformer runs and none is loaded. Indices are the
    token ids of the model's tokenizer. An embedding carries which model made it, so that a retriever on an index of
    another model refuses it.

    Args:
        model: Name, hub id or folder of a model.
        prefix: Text put before every query; by default the model's own, which most models do without.
        max_length: Longest query in tokens; what follows is cut off. By default the model's own.
        prune: Which of its tokens are kept, such as `max_ratio:0.1`; None keeps all.
        engine: For bi-encoders, what runs the transformer: `auto`, `torch` or `onnx`.
        device: For bi-encoders, where it runs; kept as given.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.

    Raises:
        ValueError: No such prune rule.

    Examples:
        >>> embedder = NeuralSparseTextEmbedder("examples/models/small-en")
        >>> len(embedder.run("split a string")["sparse_embedding"].indices)
        3
    """

    def __init__(
        self,
        model: str | Path,
        *,
        prefix: str | None = None,
        max_length: int | None = None,
        prune: str | dict[str, Any] | None = None,
        engine: EngineLike | None = None,
        device: ComponentDevice | str | None = None,
        revision: str | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
    ) -> None:
        self.model = model
        self.prefix = prefix
        self.max_length = max_length
        self.prune = prune
        self.engine = engine
        self.device = device
        self.revision = revision
        self.token = token
        self.cache_dir = cache_dir
        self.local_files_only = local_files_only
        self._rule = Prune.parse(prune)
        self._side = Lazy(self._load)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they were given."""
        return default_to_dict(self, **saved_parameters(self))

    def warm_up(self) -> None:
        """Load the model's query side."""
        self._side.get()

    async def warm_up_async(self) -> None:
        """Load the model's query side, off the event loop."""
        await self._side.get_async()

    def close(self) -> None:
        """Release the model; the next run loads it again."""
        if (side := self._side.take()) is not None and isinstance(side.encoder, NeuralQueryEncoder):
            side.encoder.engine.close()

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
        side = self._side.get()
        vector = side.encoder.encode_query(text)
        kept = vector if self._rule is None else self._rule(vector)
        return {"sparse_embedding": QuerySparseEmbedding.of(kept, side.vocabulary, side.files)}

    @component.output_types(sparse_embedding=SparseEmbedding)
    async def run_async(self, text: str) -> dict[str, Any]:
        """Embed a query off the event loop; see `run`."""
        return await asyncio.to_thread(self.run, text)

    def _load(self) -> _QuerySide:
        files = query_files(self)
        engine = given(engine=self.engine, device=device_name(self.device))
        encoder = load_query_encoder(files, max_length=self.max_length, prompt=self.prefix, **engine)
        return _QuerySide(encoder, files, SparseTokenizer.from_file(files.query_tokenizer).vocabulary)


@dataclass(frozen=True)
class _QuerySide:
    """Encoder of queries, the files it was loaded from, and the ids of its tokens."""

    encoder: QueryEncoder
    files: ModelFiles
    vocabulary: Mapping[str, int]
