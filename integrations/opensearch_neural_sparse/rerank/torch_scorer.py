"""Run a cross-encoder by sentence-transformers."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any, Self

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.files.newer_config import check_transformers_reads
from opensearch_neural_sparse.rerank.cross_encoder_files import CrossEncoderFiles
from opensearch_neural_sparse.rerank.library import import_library


class TorchScorer:
    """Scores pairs by a `CrossEncoder` of sentence-transformers; one thread at a time.

    Args:
        model: The `CrossEncoder`.
        batch_size: Most pairs that it reads at once.
    """

    def __init__(self, model: Any, batch_size: int) -> None:
        self._model, self._batch_size, self._lock = model, batch_size, Lock()

    @classmethod
    def load(cls, files: CrossEncoderFiles, batch_size: int, max_length: int | None, device: str | None) -> Self:
        """Load a cross-encoder.

        Args:
            files: Its files.
            batch_size: Most pairs that it reads at once.
            max_length: Longest pair in tokens; None is the model's own.
            device: Where it runs; None is where sentence-transformers would.

        Raises:
            MissingDependencyError: sentence-transformers is not installed.
            ModelFilesError: It cannot be loaded, or its config.json is for a newer transformers.
        """
        library = import_library("torch")
        check_transformers_reads(read_object(files.root / "config.json"))
        try:
            model = library.CrossEncoder(
                str(files.root), device=device, max_length=max_length, local_files_only=True, trust_remote_code=False
            )
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise ModelFilesError(
                f"sentence-transformers could not load {files.name!r} ({type(error).__name__}: {reason}). "
                "Give the folder or hub id of a cross-encoder."
            ) from error
        return cls(model, batch_size)

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return the logit of each text for a query."""
        from torch.nn import Identity

        pairs = [(query, text) for text in texts]
        with self._lock:
            scores: list[float] = self._model.predict(
                pairs, batch_size=self._batch_size, activation_fn=Identity(), show_progress_bar=False
            ).tolist()
        return scores
