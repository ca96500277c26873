"""A process that encodes documents, from the parent's side."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.encode.workers.worker_loop import EncodedBatch, LoadEncoder, Traits, answer_batches

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

CONTEXT = get_context("spawn")
"""A forked process would share locks and GPU contexts with threads that it does not have."""
SECONDS_TO_END = 5


class WorkerDiedError(Exception):
    """A worker process that ended without an answer.

    Attributes:
        exit_code: Its exit code; negative is the number of a signal, None is unknown.
    """

    def __init__(self, exit_code: int | None) -> None:
        self.exit_code = exit_code
        super().__init__(exit_code)


class WorkerProcess:
    """One process with an encoder and a pipe of its own, so that the death of one concerns no other.

    It is of one thread at a time. The process ends with its parent, however that ends, since the pipe closes; it starts
    no processes itself.

    Args:
        load: Loads the encoder, in the process.
        device: Where the encoder runs.
        threads: Number of its threads.
    """

    def __init__(self, load: LoadEncoder, device: str, threads: int) -> None:
        self._load, self._device, self._threads = load, device, threads
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._traits: Traits | None = None

    @property
    def pid(self) -> int | None:
        """Id of the process; None where none runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process, unless it runs; its encoder is loaded meanwhile."""
        if self._process is not None:
            return
        own, other = CONTEXT.Pipe()
        process = CONTEXT.Process(
            target=answer_batches,
            args=(other, self._load, self._device, self._threads),
            name="encoding worker",
            daemon=True,
        )
        with other:
            process.start()
        self._process, self._connection, self._traits = process, own, None

    def wait_until_ready(self) -> Traits:
        """Wait until the encoder is loaded, and return its traits.

        Raises:
            WorkerDiedError: The process has ended.
            Exception: What loading raised; the process is closed.
        """
        if self._traits is None:
            try:
                self._traits = self._receive()
            except BaseException:
                self.close()
                raise
        return self._traits

    def encode(self, texts: Sequence[str]) -> EncodedBatch:
        """Return the vectors of texts.

        Raises:
            WorkerDiedError: The process has ended; `start` starts another.
            Exception: What encoding raised.
        """
        try:
            self._pipe.send(texts)
        except OSError:
            raise self._death() from None
        batch: EncodedBatch = self._receive()
        return batch

    def close(self) -> None:
        """End the process, if one runs."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.kill()  # it holds nothing that an orderly end would save
            self._process.join()
            self._process = None

    @property
    def _pipe(self) -> Connection:
        if self._connection is None:
            raise WorkerDiedError(None)
        return self._connection

    def _receive(self) -> Any:
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise self._death() from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _death(self) -> WorkerDiedError:
        """Return the error of a process that has ended, and forget the process."""
        code = None
        if self._process is not None:
            with suppress(ValueError):
                self._process.join(SECONDS_TO_END)
                code = self._process.exitcode
        self.close()
        return WorkerDiedError(code)
