"""Cross-encoders, which read query and text together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Literal, Protocol, Self

from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.models.files.hub import HubOptions
from opensearch_neural_sparse.rerank.cross_encoder_files import DEFAULT_GRAPH, resolve_cross_encoder
from opensearch_neural_sparse.rerank.library import import_library


class RerankerBackend(Choice):
    """Library that runs a cross-encoder: sentence-transformers with PyTorch, or ONNX Runtime without it."""

    TORCH = "torch"
    ONNX = "onnx"


RerankerBackendLike = RerankerBackend | Literal["torch", "onnx"]
"""A `RerankerBackend`, or its value as text."""


class PairScorer(Protocol):
    """A loaded cross-encoder."""

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the score of each text."""
        ...


class CrossEncoderReranker:
    """Scores texts by a cross-encoder; the model is loaded when it is first needed, and shared by deep copies.

    Scores are the model's logits: they have no bounds, and both backends give the same within 1e-4. No code of a model
    is run.

    Args:
        model: Folder of a cross-encoder with one label, or its hub id.
        backend: `torch` needs the extra `encode`; `onnx`, with the extra `onnx`, runs the graph that comes with the
            model.
        device: Where torch runs it, such as `cpu` or `cuda:0`; by default where sentence-transformers would.
        batch_size: Most pairs that the model reads at once.
        max_length: Longest pair in tokens, of which the longer text is cut; by default the model's own.
        revision: Commit, tag or branch on the hub; by default `main`. A commit keeps scores the same.
        onnx_file: Path of the graph in the model's folder, such as `onnx/model_qint8_avx512.onnx`.
        threads: Number of threads of ONNX Runtime; by default one for each physical core.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.

    Raises:
        ValueError: An unknown backend, a number below 1, or an option of the other backend.

    Examples:
        ```python
        reranker = CrossEncoderReranker("cross-encoder/ms-marco-MiniLM-L6-v2", backend="onnx")
        options = HybridOptions(rerank=Rerank(reranker, depth=50))
        ```
    """

    def __init__(
        self,
        model: str | Path,
        *,
        backend: RerankerBackendLike = RerankerBackend.TORCH,
        device: str | None = None,
        batch_size: int = 32,
        max_length: int | None = None,
        revision: str | None = None,
        onnx_file: str | None = None,
        threads: int | None = None,
        token: str | None = None,
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
    ) -> None:
        self.model, self.backend, self.device = model, RerankerBackend(backend), device
        self.batch_size, self.max_length, self.revision = batch_size, max_length, revision
        self.onnx_file, self.threads, self.token = onnx_file, threads, token
        self.cache_dir, self.local_files_only = cache_dir, local_files_only
        for name, value in {"batch_size": batch_size, "max_length": max_length, "threads": threads}.items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is a whole number of 1 or more, got {value!r}.")
        self._check_backend()
        self._begin()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.model)!r}, backend={str(self.backend)!r})"

    def __deepcopy__(self, memo: Mapping[int, Any]) -> Self:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_scorer", "_lock")}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the logit of each text for a query.

        Args:
            query: The text of the query.
            texts: The texts; the end of what is longer than `max_length` is not read.

        Raises:
            MissingDependencyError: The backend is not installed.
            ModelFilesError: The files are out of reach, or not those of a cross-encoder with one label.
        """
        return self._loaded().score(query, texts) if texts else []

    def warm_up(self) -> None:
        """Load the model now.

        Raises:
            MissingDependencyError: The backend is not installed.
            ModelFilesError: The files are out of reach, or not those of a cross-encoder with one label.
        """
        self._loaded()

    def close(self) -> None:
        """Release the model; a later call loads it again."""
        with self._lock:
            self._scorer.clear()

    def _begin(self) -> None:
        self._scorer: list[PairScorer] = []
        self._lock = Lock()

    def _check_backend(self) -> None:
        others = {"onnx_file": self.onnx_file, "threads": self.threads}
        if self.backend is RerankerBackend.ONNX:
            others = {"device": self.device}
        if given := [name for name, value in others.items() if value is not None]:
            raise ValueError(f"{' and '.join(given)} has no effect with backend={str(self.backend)!r}; leave it out.")

    def _loaded(self) -> PairScorer:
        with self._lock:
            if not self._scorer:
                self._scorer.append(self._load())
            return self._scorer[0]

    def _load(self) -> PairScorer:
        """Load the model, after a check that what runs it is installed: a model may be large to download."""
        import_library(self.backend)
        graph = (self.onnx_file or DEFAULT_GRAPH) if self.backend is RerankerBackend.ONNX else None
        hub = HubOptions(token=self.token, cache_dir=self.cache_dir, local_files_only=self.local_files_only)
        files = resolve_cross_encoder(self.model, graph=graph, revision=self.revision, hub=hub)
        if files.graph is not None:
            from opensearch_neural_sparse.rerank.onnx_scorer import OnnxScorer

            return OnnxScorer.load(files, self.batch_size, self.max_length, self.threads)
        from opensearch_neural_sparse.rerank.torch_scorer import TorchScorer

        return TorchScorer.load(files, self.batch_size, self.max_length, self.device)
