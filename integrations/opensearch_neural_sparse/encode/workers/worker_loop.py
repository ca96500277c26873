"""Loop of a worker process: load an encoder, and answer each batch of texts."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from opensearch_neural_sparse.encode.truncation import Cut, collected_cuts
from opensearch_neural_sparse.errors import NeuralSparseError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.sparse_vector import SparseVector

LoadEncoder = Callable[..., "DocumentEncoder"]
"""Loads an encoder; it takes `device` and `threads`."""
DEFAULT_BATCH_TOKENS = 256


class Traits(NamedTuple):
    """Limits and variant of an encoder.

    Attributes:
        max_length: Longest text in tokens.
        max_active_dims: Maximum number of tokens of a vector, or None.
        variant: Number format and prompt.
        batch_tokens: How many tokens its engine runs at once.
    """

    max_length: int
    max_active_dims: int | None
    variant: str
    batch_tokens: int


class EncodedBatch(NamedTuple):
    """The vectors of a batch.

    Attributes:
        vectors: One for each text.
        cuts: Position of a text -> its truncation.
    """

    vectors: list[SparseVector]
    cuts: dict[int, Cut]


def answer_batches(connection: Connection, load: LoadEncoder, device: str, threads: int) -> None:
    """Load an encoder and answer batches of texts, until the other end of the connection is closed.

    The first answer is the encoder's `Traits`, the others are an `EncodedBatch` each; an error is sent as an answer.

    Args:
        connection: Brings lists of texts.
        load: Loads the encoder.
        device: Where it runs.
        threads: Number of its threads.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent decides
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))  # the tokenizer's
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has ended
        try:
            encoder = load(device=device, threads=threads)
            _limit_torch(threads)
        except Exception as error:  # noqa: BLE001  raised in the parent
            connection.send(portable_error(error))
            return
        connection.send(_traits(encoder))
        while True:
            connection.send(_encode(encoder, connection.recv()))


def _encode(encoder: DocumentEncoder, texts: Sequence[str]) -> EncodedBatch | Exception:
    try:
        with collected_cuts() as cuts:
            vectors = encoder.encode_documents(texts)
    except Exception as error:  # noqa: BLE001  raised in the parent
        return portable_error(error)
    return EncodedBatch(vectors, {row: cuts[text] for row, text in enumerate(texts) if text in cuts})


def portable_error(error: Exception) -> Exception:
    """Return an error as another process can have it, with a note of where it was raised."""
    portable = error if _has_copy(error) else NeuralSparseError(f"{type(error).__name__}: {error}")
    portable.add_note(f"In an encoding process:\n{''.join(traceback.format_tb(error.__traceback__))}")
    return portable


def _has_copy(error: Exception) -> bool:
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301  its own bytes
    except Exception:  # noqa: BLE001  whatever its constructor raises
        return False
    return type(copy) is type(error) and str(copy) == str(error)


def _traits(encoder: DocumentEncoder) -> Traits:
    return Traits(
        max_length=encoder.max_length,
        max_active_dims=encoder.max_active_dims,
        variant=getattr(encoder, "variant", ""),
        batch_tokens=getattr(encoder, "batch_tokens", DEFAULT_BATCH_TOKENS),
    )


def _limit_torch(threads: int) -> None:
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
