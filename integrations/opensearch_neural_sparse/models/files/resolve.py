"""Resolution of model files: local folder, hub cache or download."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from opensearch_neural_sparse.arguments import check_text, check_type
from opensearch_neural_sparse.errors import Choice, ModelFilesError
from opensearch_neural_sparse.models.files.fingerprints import (
    document_fingerprint,
    query_fingerprint,
    words_fingerprint,
)
from opensearch_neural_sparse.models.files.hub import HubOptions, read_snapshot
from opensearch_neural_sparse.models.files.layout import (
    Layout,
    Route,
    find_file,
    read_layout,
    refuse_links,
    weight_files,
)
from opensearch_neural_sparse.models.files.metadata import read_max_length
from opensearch_neural_sparse.models.files.scalar.families import HEAD_FILES, TRAITS
from opensearch_neural_sparse.models.files.tokenizers import ensure_same_vocabulary, refuse_lowercase
from opensearch_neural_sparse.models.spec import Activation, Family, Mode, ModelSpec, Pooling

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
_PARTS = ("[0-9]_*", "document_*", "query_*")
SMALL_PATTERNS = (*QUERY_PATTERNS, *(f"{part}/{name}" for part in _PARTS for name in ("tokenizer.json", "config.json")))
"""All of a model but its weights, in each layout."""
QUERY_FALLBACK = ("query_*/model.safetensors",)
DOCUMENT_PATTERNS = (
    "*.json",
    "*.txt",
    "model*.safetensors",
    "document_*/model*.safetensors",
    "[0-9]_*/model*.safetensors",
    *HEAD_FILES,
    "query_*Transformer/model*.safetensors",
)
DOCUMENT_FALLBACK = (
    "pytorch_model*.bin",
    "document_*/pytorch_model*.bin",
    "[0-9]_*/pytorch_model*.bin",
    "query_*Transformer/pytorch_model*.bin",
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
            None for a bi-encoder, and for DeepImpact, where each word of a query weighs 1.
        idf_tensor: The same weights as a tensor, where `idf` is JSON and there are both; they must agree.
        document: Folder of the document transformer; None if only the query side was resolved.
        weights_fingerprint: Fingerprint of a document side that is elsewhere, as behind HTTP; None computes it.
        query_route: Files of the transformer of queries, as files of a model of its own, of a bi-encoder that has one;
            None where the document side encodes queries, or a table.
        route: `QUERY` for the files of a `query_route`.
    """

    spec: ModelSpec
    root: Path
    revision: str | None = None
    query_tokenizer: Path
    idf: Path | None = None
    idf_tensor: Path | None = None
    document: Path | None = None
    weights_fingerprint: str | None = None
    query_route: ModelFiles | None = None
    route: Side = Side.DOCUMENT

    @property
    def document_tokenizer(self) -> Path:
        """`tokenizer.json` of the document side; that of the query side where only that was resolved."""
        return self.query_tokenizer if self.document is None else self.document / "tokenizer.json"

    @property
    def query_transformer(self) -> ModelFiles:
        """Files of the transformer that encodes queries of a bi-encoder: its own, or that of documents."""
        return self.query_route or self

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
        if self.spec.family is Family.DEEP_IMPACT:
            return words_fingerprint(self.query_tokenizer)
        if self.idf is None:
            return self.query_transformer.weights_sha256
        return query_fingerprint(self.query_tokenizer, self.idf, self.idf_tensor)

    @cached_property
    def weights_sha256(self) -> str:
        """Fingerprint of the files that determine document vectors; see `models.files.fingerprints`.

        Raises:
            ModelFilesError: Only the query side was resolved, or files are missing.
        """
        if self.weights_fingerprint is not None:
            return self.weights_fingerprint
        spec = self.spec
        return document_fingerprint(
            self._document(), Activation(spec.activation), Pooling(spec.pooling), Family(spec.family)
        )

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
    check_type(ModelSpec, spec=spec)
    check_text(optional=True, revision=revision)
    side = Side(side)
    if spec.path is not None:
        refuse_links(spec.path)
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


def resolve_without_weights(
    spec: ModelSpec,
    *,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
) -> ModelFiles:
    """Resolve what is needed here of a model that runs elsewhere: tokenizer, query weights and configuration.

    Args:
        spec: The model.
        revision: Commit, tag or branch; by default the pinned commit, else `main`.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.

    Raises:
        ModelFilesError: The files are out of reach, incomplete or contradictory.
    """
    if spec.path is not None:
        return _locate(spec, spec.path, None, None)
    _mention_licence(spec)
    return read_snapshot(
        spec.id,
        revision or spec.revision or "main",
        (SMALL_PATTERNS, QUERY_FALLBACK) if spec.mode is Mode.DOC_ONLY else (SMALL_PATTERNS,),
        lambda root: _locate(spec, root, None, root.name),
        HubOptions(token=token, cache_dir=cache_dir, local_files_only=local_files_only),
    )


def _locate(spec: ModelSpec, root: Path, side: Side | None, revision: str | None) -> ModelFiles:
    layout = read_layout(root, mode=Mode(spec.mode), activation=Activation(spec.activation), family=Family(spec.family))
    has_transformer = side is Side.DOCUMENT or (side is Side.QUERY and layout.mode is Mode.BI_ENCODER)
    document = root / layout.document if has_transformer else None
    spec = replace(spec, activation=layout.activation, family=layout.family, pooling=layout.pooling)
    if document is not None:
        _check_transformer(document)
        spec = replace(spec, max_length=min(spec.max_length, read_max_length(document)))
    idf, tensor = _query_tables(root, layout)
    files = ModelFiles(
        spec=spec,
        root=root,
        revision=revision,
        query_tokenizer=find_file(root / layout.query / "tokenizer.json", root / "tokenizer.json"),
        idf=idf,
        idf_tensor=tensor,
        document=document,
    )
    return files if layout.query_route is None else replace(files, query_route=_locate_route(files, layout.query_route))


def _locate_route(files: ModelFiles, route: Route) -> ModelFiles:
    """Return the files of the transformer of queries."""
    folder = files.root / route.folder
    spec = replace(files.spec, activation=route.activation, pooling=route.pooling, max_length=read_max_length(folder))
    if files.document is not None:
        _check_transformer(folder)
        ensure_same_vocabulary(folder / "tokenizer.json", files.document / "tokenizer.json")
    return replace(files, spec=spec, document=None if files.document is None else folder, route=Side.QUERY)


def _check_transformer(folder: Path) -> None:
    weight_files(folder)
    refuse_lowercase(folder, find_file(folder / "tokenizer.json"))


def _query_tables(root: Path, layout: Layout) -> tuple[Path | None, Path | None]:
    if layout.mode is not Mode.DOC_ONLY or layout.family in TRAITS:
        return None, None
    query = root / layout.query
    tensors = [query / "model.safetensors"] if layout.query != layout.document else []
    idf = find_file(query / "idf.json", root / "idf.json", *tensors)
    return idf, next((tensor for tensor in tensors if tensor != idf and tensor.is_file()), None)


def _mention_licence(spec: ModelSpec) -> None:
    if not spec.commercial and spec.id not in _mentioned:
        _mentioned.add(spec.id)
        if spec.licence == "NOASSERTION":
            logger.warning(
                "The publisher of %s states no licence, so nothing says that it may be used commercially.", spec.id
            )
        else:
            logger.warning("The licence of %s, %s, does not allow commercial use.", spec.id, spec.licence)
