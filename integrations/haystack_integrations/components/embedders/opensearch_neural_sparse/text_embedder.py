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
    DENSE,
    REMOTE,
    device_name,
    given,
    query_files,
    saved_parameters,
    token_value,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import QuerySparseEmbedding
from opensearch_neural_sparse import (
    ModelFiles,
    NeuralQueryEncoder,
    Prune,
    TextVectors,
    UniCoilQueryEncoder,
    encode_with_dense,
    load_query_encoder,
)
from opensearch_neural_sparse.layer_support import check_type, load_query_tokenizer, observe_encoding

if TYPE_CHECKING:
    from opensearch_neural_sparse import QueryEncoder, RemoteOptions
    from opensearch_neural_sparse.layer_support import EngineLike

_RUNS_MODEL = (NeuralQueryEncoder, UniCoilQueryEncoder)


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
        url: For bi-encoders, address of an encoder that runs the model, in place of an engine here.
        api_key: Its key.
        remote_options: How texts are sent to it, as `RemoteOptions` has it.
        with_dense: Whether the output `embedding` has the dense vector from the same forward pass; of a BGE-M3 model
            that runs in this process.

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
        url: str | None = None,
        api_key: Secret | None = None,
        remote_options: RemoteOptions | dict[str, Any] | None = None,
        with_dense: bool | None = None,
    ) -> None:
        check_type(bool, optional=True, with_dense=with_dense)
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
        self.url = url
        self.api_key = api_key
        self.remote_options = remote_options
        self.with_dense = with_dense
        outputs = {"sparse_embedding": SparseEmbedding} | ({"embedding": list[float]} if with_dense else {})
        component.set_output_types(self, **outputs)
        self._rule = Prune.parse(prune)
        self._side = Lazy(self._load)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they were given."""
        return default_to_dict(self, **saved_parameters(self, only_given=(*REMOTE, *DENSE)))

    def warm_up(self) -> None:
        """Load the model's query side."""
        self._side.get()

    async def warm_up_async(self) -> None:
        """Load the model's query side, off the event loop."""
        await self._side.get_async()

    def close(self) -> None:
        """Release the model; the next run loads it again."""
        if (side := self._side.take()) is not None and isinstance(side.encoder, _RUNS_MODEL):
            side.encoder.engine.close()

    def run(self, text: str) -> dict[str, Any]:
        """Embed a query.

        Args:
            text: The query; a blank one has an empty embedding.

        Returns:
            `sparse_embedding`: token ids and weights; `embedding`: the dense vector, with `with_dense`.

        Raises:
            TypeError: Something else than a text, such as documents.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"NeuralSparseTextEmbedder embeds a text, got {type(text).__name__}. "
                "Documents are embedded by NeuralSparseDocumentEmbedder."
            )
        side = self._side.get()
        with observe_encoding("encode_queries", side.files.spec.id, 1):
            both = side.encode_both(text) if self.with_dense else None
            vector = side.encoder.encode_query(text) if both is None else both.sparse
        kept = vector if self._rule is None else self._rule(vector)
        sparse = {"sparse_embedding": QuerySparseEmbedding.of(kept, side.vocabulary, side.files)}
        return sparse if both is None else {**sparse, "embedding": both.dense}

    async def run_async(self, text: str) -> dict[str, Any]:
        """Embed a query off the event loop; see `run`."""
        return await asyncio.to_thread(self.run, text)

    def _load(self) -> _QuerySide:
        options = given(
            engine=self.engine,
            device=device_name(self.device),
            url=self.url,
            api_key=token_value(self.api_key),
            remote_options=self.remote_options,
        )
        files = query_files(self, with_weights=self.url is None)
        encoder = load_query_encoder(files, max_length=self.max_length, prompt=self.prefix, **options)
        if isinstance(encoder, _RUNS_MODEL) and files.query_route is None:
            files = encoder.engine.files
        return _QuerySide(encoder, files, load_query_tokenizer(files).vocabulary)


@dataclass(frozen=True)
class _QuerySide:
    """Encoder of queries, the files it was loaded from, and the ids of its tokens."""

    encoder: QueryEncoder
    files: ModelFiles
    vocabulary: Mapping[str, int]

    def encode_both(self, text: str) -> TextVectors:
        """Return the sparse and the dense vector of a query.

        Raises:
            TypeError: The model gives no dense vectors.
        """
        return encode_with_dense(getattr(self.encoder, "engine", self.encoder), [text])[0]
