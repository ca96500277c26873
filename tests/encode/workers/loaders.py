"""Loaders of encoders for worker processes; a process imports this module by its name."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.engines.transformer_encoder import TransformerDocumentEncoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import InvalidVectorError
from tests.encoders import WordEncoder, word_vector
from tests.paths import SMALL_MODEL

DEADLY, WRONG, ODD, ONCE, SLOW = "deadlytext", "wrongtext", "oddtext", "oncetext", "slowtext"


class OddError(Exception):
    """An error that has no copy: its constructor takes more than its message."""

    def __init__(self, what: str, number: int) -> None:
        super().__init__(f"{what} {number}")


class FragileEncoder(WordEncoder):
    """Encodes words, and does as texts say: dies, raises, or takes its time."""

    batch_tokens = 4

    def __init__(self, device: str, folder: Path | None) -> None:
        super().__init__(files=None)  # type: ignore[arg-type]
        self.device, self.folder = device, folder

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        whole = " ".join(texts)
        if DEADLY in whole:
            os.kill(os.getpid(), signal.SIGKILL)
        if ONCE in whole and self.folder is not None and not (self.folder / "died").exists():
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if WRONG in whole:
            raise InvalidVectorError(WRONG, -1, "it is wrong")
        if ODD in whole:
            raise OddError("odd", 1)
        if SLOW in whole:
            time.sleep(0.5)
        return [word_vector(f"{text} {self.device} {os.getpid()}") for text in texts]


def load_fragile(folder: Path | None = None, *, device: str, threads: int) -> FragileEncoder:
    """Return an encoder whose vectors hold its device and its process."""
    return FragileEncoder(device, folder)


def load_small(*, device: str, threads: int) -> TransformerDocumentEncoder:
    """Return the bundled model's encoder."""
    encoder = load_document_encoder(SMALL_MODEL, engine="onnx", threads=threads)
    assert isinstance(encoder, TransformerDocumentEncoder)
    return encoder


def load_nothing(*, device: str, threads: int) -> WordEncoder:
    """Raise an error in place of an encoder."""
    raise InvalidVectorError("token", -1, f"{device} has no encoder")


def die_at_start(folder: Path, *, device: str, threads: int) -> WordEncoder:
    """End the process, and leave a file for each time."""
    (folder / str(os.getpid())).touch()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def exit_at_start(folder: Path, *, device: str, threads: int) -> WordEncoder:
    """Exit, and leave a file for each time."""
    (folder / str(os.getpid())).touch()
    raise SystemExit(3)
