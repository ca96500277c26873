"""Resolution of model files: local folder, hub cache or download."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from opensearch_neural_sparse.errors import Choice, ModelFilesError
from opensearch_neural_sparse.models.files.fingerprints import document_fingerprint, query_fingerprint
from opensearch_neural_sparse.models.files.hub import HubOptions, read_snapshot
from opensearch_neural_sparse.models.files.layout import Layout, find_file, read_layout, weight_files
from opensearch_neural_sparse.models.files.metadata import read_max_length
from opensearch_neural_sparse.models.spec import Activation, Mode, ModelSpec

logger = logging.getLogger(__name__)
_mentioned: set[str] = set()

QUERY_PATTERNS = (
    "modules.json",
    "config_sentence_transformers.json",
    "router_config.json",
    "config.json",
    "*_SpladePooling/config.json",
    "tokenizer.json",
    "idf.json",
    "query_*/tokenizer.json",
    "query_*/idf.json",
)
"""Query side of a doc-only model: tokenizer, query weights and configuration."""
QUERY_FALLBACK = ("query_*/model.safetensors",)
DOCUMENT_PATTERNS = (
    "*.json",
    "*.txt",
    "model*.safetensors",
    "document_*/model*.safetensors",
    "[0-9]_*/model*.safetensors",
)
DOCUMENT_FALLBACK = (
    "pytorch_model*.bin",
    "document_*/pytorch_model*.bin",
    "[0-9]_*/pytorch_model*.bin",
    *QUERY_FALLBACK,
)


class Side(Choice):
    """Side of a model: query or document.

    The `QUERY` side of a doc-only model is its tokenizer and its weight table; that of a bi-encoder is its transformer.
    `DOCUMENT` brings the transformer, and the query side with it.
    """

    QUERY = "query"
    DOCUMENT = "document"


SideLike = Side | Literal["query", "document"]
"""A `Side`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class ModelFiles:
    """Paths of a resolved model's files.

    Attributes:
        spec: The model.
        root: Its folder.
        revision: The commit of a model from the hub, None for a folder.
        query_tokenizer: `tokenizer.json` of the query side.
        idf: Query weights of a doc-only model, `idf.json` or a `model.safetensors` with the one tensor `weight`;
            None for a bi-encoder.
        idf_tensor: The same weights as a tensor, where `idf` is JSON and there are both; they must agree.
        document: Folder of the document transformer; None if only the query side was resolved.
    """

    spec: ModelSpec
    root: Path
    revision: str | None = None
    query_tokenizer: Path
    idf: Path | None = None
    idf_tensor: Path | None = None
    document: Path | None = None

    @property
    def weights(self) -> tuple[Path, ...]:
        """Weight files of the document transformer.

        Raises:
            ModelFilesError: Only the query side was resolved, or there are none.
        """
        return weight_files(self._document())

    @cached_property
    def query_sha256(self) -> str:
        """Fingerprint of the files that determine query vectors; see `models.files.fingerprints`."""
        if self.idf is None:
            return self.weights_sha256
        return query_fingerprint(self.query_tokenizer, self.idf, self.idf_tensor)

    @cached_property
    def weights_sha256(self) -> str:
        """Fingerprint of the files that determine document vectors; see `models.files.fingerprints`.

        Raises:
            ModelFilesError: Only the query side was resolved, or files are missing.
        """
        return document_fingerprint(self._document(), Activation(self.spec.activation))

    def _document(self) -> Path:
        if self.document is None:
            raise ModelFilesError(
                f"Only the query side of {self.spec.id!r} was resolved. Resolve it with side=Side.DOCUMENT."
            )
        return self.document


def resolve_files(
    spec: ModelSpec,
    *,
    side: SideLike = Side.DOCUMENT,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> ModelFiles:
    """Resolve a model's files: its folder, the hub's cache, or a download.

    A commit that is in the cache is used without asking the hub.

    Args:
        spec: The model.
        side: What of it is needed; the query side of a doc-only model is a few small files.
        revision: Commit, tag or branch; by default the pinned commit, else `main`.
        token: Hub token for gated and private models; by default the one of `hf auth login` or `HF_TOKEN`.
        cache_dir: Cache of the hub; by default the one of `HF_HUB_CACHE` or `HF_HOME`.
        local_files_only: Whether to leave the hub alone; `HF_HUB_OFFLINE=1` does the same.

    Raises:
        ModelFilesError: The files are out of reach, incomplete or contradictory.
    """
    side = Side(side)
    if spec.path is not None:
        return _locate(spec, spec.path, side, None)
    _mention_licence(spec)
    small = side is Side.QUERY and spec.mode is Mode.DOC_ONLY
    return read_snapshot(
        spec.id,
        revision or spec.revision or "main",
        (QUERY_PATTERNS, QUERY_FALLBACK) if small else (DOCUMENT_PATTERNS, DOCUMENT_FALLBACK),
        lambda root: _locate(spec, root, side, root.name),
        HubOptions(token=token, cache_dir=cache_dir, local_files_only=local_files_only),
    )


def _locate(spec: ModelSpec, root: Path, side: Side, revision: str | None) -> ModelFiles:
    layout = read_layout(root, mode=Mode(spec.mode), activation=Activation(spec.activation))
    document = root / layout.document if side is Side.DOCUMENT or layout.mode is Mode.BI_ENCODER else None
    spec = replace(spec, activation=layout.activation)
    if document is not None:
        weight_files(document)
        find_file(document / "tokenizer.json")
        spec = replace(spec, max_length=min(spec.max_length, read_max_length(document)))
    idf, tensor = _query_tables(root, layout)
    return ModelFiles(
        spec=spec,
        root=root,
        revision=revision,
        query_tokenizer=find_file(root / layout.query / "tokenizer.json", root / "tokenizer.json"),
        idf=idf,
        idf_tensor=tensor,
        document=document,
    )


def _query_tables(root: Path, layout: Layout) -> tuple[Path | None, Path | None]:
    if layout.mode is not Mode.DOC_ONLY:
        return None, None
    query = root / layout.query
    tensors = [query / "model.safetensors"] if layout.query != layout.document else []
    idf = find_file(query / "idf.json", root / "idf.json", *tensors)
    return idf, next((tensor for tensor in tensors if tensor != idf and tensor.is_file()), None)


def _mention_licence(spec: ModelSpec) -> None:
    if not spec.commercial and spec.id not in _mentioned:
        _mentioned.add(spec.id)
        logger.warning("The licence of %s, %s, does not allow commercial use.", spec.id, spec.licence)
