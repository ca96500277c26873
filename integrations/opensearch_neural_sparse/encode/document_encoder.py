"""Document encoders: protocol and loading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from opensearch_neural_sparse.encode.encoding_settings import read_encoding_settings
from opensearch_neural_sparse.encode.engines.engine import (
    Engine,
    EngineLike,
    NetworkOptions,
    Precision,
    PrecisionLike,
    load_network,
)
from opensearch_neural_sparse.encode.engines.transformer_encoder import TransformerDocumentEncoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.models.files.hub import COMMIT
from opensearch_neural_sparse.models.files.layout import read_json
from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import ModelSpec

SHORTEST = 3
"""Minimum text length: one token between two special tokens."""


@runtime_checkable
class DocumentEncoder(Protocol):
    """Protocol of document encoders.

    An empty or blank text gives an empty vector; special tokens never appear in one.
    """

    @property
    def max_length(self) -> int:
        """Longest text in tokens, special tokens included."""

    @property
    def max_active_dims(self) -> int | None:
        """Maximum number of tokens of a vector, the heaviest; None keeps all."""

    @property
    def files(self) -> ModelFiles:
        """Files of the model."""

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        """Return the vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called after every batch with the number of texts it had.
        """

    def close(self) -> None:
        """Release the model."""


def load_document_encoder(
    model: str | Path | ModelSpec | ModelFiles,
    *,
    engine: EngineLike = Engine.AUTO,
    max_length: int | None = None,
    max_active_dims: int | None = None,
    prompt: str | None = None,
    batch_tokens: int | None = None,
    device: str | None = None,
    dtype: PrecisionLike = Precision.FLOAT32,
    threads: int | None = None,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
    trust_remote_code: bool = False,
) -> TransformerDocumentEncoder:
    """Load a model's document encoder.

    Args:
        model: Name, id, folder, spec or resolved files of a model.
        engine: What runs it.
        max_length: Longest text in tokens; what follows is cut off. By default the model's own.
        max_active_dims: Keep this many of the heaviest tokens of a document; by default as the model says, or all.
        prompt: Text put before every document; by default the model's own.
        batch_tokens: Most tokens run at once, padding included; by default what suits the engine.
        device: Where the torch engine runs, such as `cpu` or `cuda`; by default a GPU if there is one.
        dtype: Number format.
        threads: Number of threads of the ONNX engine; by default one for each physical core.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.
        trust_remote_code: Whether the torch engine may run code that lies with the model's files; a model from the hub
            then needs a commit as its revision.

    Raises:
        UnknownModelError: No such model.
        ModelFilesError: Its files are out of reach, incomplete or damaged, or the engine does not know the model.
        MissingDependencyError: No engine is installed, or not the one asked for.
        ValueError: A number out of range, or the engine has no such device or number format.
    """
    _check_positive(max_active_dims=max_active_dims, batch_tokens=batch_tokens, threads=threads)
    if trust_remote_code:
        _check_pinned(model, revision)
    hub = {"revision": revision, "token": token, "cache_dir": cache_dir, "local_files_only": local_files_only}
    files = _document_files(model, hub)
    options = NetworkOptions(
        engine=Engine(engine),
        dtype=Precision(dtype),
        device=device,
        threads=threads,
        trust_remote_code=trust_remote_code,
    )
    config = read_json(files.weights[0].parent / "config.json")
    tokenizer = _document_tokenizer(files, config, max_length)
    network = load_network(files, options)
    settings = read_encoding_settings(files.root)
    return TransformerDocumentEncoder(
        files,
        tokenizer,
        network,
        prompt=settings.document_prompt if prompt is None else prompt,
        pad_id=config.get("pad_token_id") or 0,
        batch_tokens=batch_tokens or network.batch_tokens,
        max_active_dims=settings.max_active_dims if max_active_dims is None else max_active_dims,
        dtype=options.dtype.value,
    )


def _document_files(model: str | Path | ModelSpec | ModelFiles, hub: Mapping[str, Any]) -> ModelFiles:
    if not isinstance(model, ModelFiles):
        return resolve_files(get_model(model), side=Side.DOCUMENT, **hub)
    if model.document is None:
        return resolve_files(model.spec, side=Side.DOCUMENT, **{**hub, "revision": model.revision})
    return model


def _check_pinned(model: str | Path | ModelSpec | ModelFiles, revision: str | None) -> None:
    if isinstance(model, ModelFiles):
        return
    spec = get_model(model)
    wanted = revision or spec.revision or "main"
    if spec.path is None and not COMMIT.fullmatch(wanted):
        raise ValueError(
            f"trust_remote_code runs what the repository {spec.id!r} holds, and its revision is {wanted!r}, which may "
            "change. Give the full commit that you have read: revision='0123...'."
        )


def _document_tokenizer(files: ModelFiles, config: Mapping[str, Any], max_length: int | None) -> SparseTokenizer:
    longest = config.get("max_position_embeddings", files.spec.max_length)
    max_length = files.spec.max_length if max_length is None else max_length
    if not SHORTEST <= max_length <= longest:
        raise ValueError(
            f"max_length is {max_length}; {files.spec.id!r} takes texts of {SHORTEST} to {longest} tokens, "
            "special tokens included."
        )
    return SparseTokenizer.from_file(files.weights[0].parent / "tokenizer.json", max_length=max_length)


def _check_positive(**numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise ValueError(f"{name} is {number}; it must be 1 or more.")
