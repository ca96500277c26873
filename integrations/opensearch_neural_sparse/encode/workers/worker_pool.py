"""Worker processes that share the batches of a call."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from queue import LifoQueue
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.workers.worker_process import WorkerDiedError, WorkerProcess
from opensearch_neural_sparse.errors import EncodingWorkerError, NeuralSparseError

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.workers.worker_loop import EncodedBatch, LoadEncoder, Traits

logger = logging.getLogger(__name__)

MOST_DEATHS = 3
"""Most workers that may end over one batch, or one after another at their start."""


class WorkerPool:
    """A fixed number of worker processes, and as many threads that wait for them.

    A worker that dies is started again and its batch encoded again; no other batch is concerned. Threads may share it.

    Args:
        load: Loads an encoder, in each process.
        devices: Where the encoders run, one for each process.
        threads: Number of threads of each process.
    """

    def __init__(self, load: LoadEncoder, devices: Sequence[str], threads: int) -> None:
        self._workers = [WorkerProcess(load, device, threads) for device in devices]
        self._idle: LifoQueue[WorkerProcess] = LifoQueue()
        for worker in reversed(self._workers):
            self._idle.put(worker)
        self._closed = False
        self._threads = ThreadPoolExecutor(len(self._workers), thread_name_prefix="encoding")

    @property
    def pids(self) -> list[int]:
        """Ids of the processes that run."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def start(self) -> Traits:
        """Start all processes, wait until their encoders are loaded, and return the traits of these.

        Raises:
            EncodingWorkerError: Processes end while they start.
            Exception: What loading raised.
        """
        try:
            for worker in self._workers:
                worker.start()
            traits = [_started(worker) for worker in self._workers]
        except BaseException:
            self.close()
            raise
        return traits[0]

    def encode(self, batches: Sequence[Sequence[str]]) -> Generator[tuple[int, EncodedBatch]]:
        """Yield the number of each batch with its vectors, in the order in which they are ready.

        Raises:
            EncodingWorkerError: A batch ends one worker after another.
            NeuralSparseError: The pool was closed meanwhile.
            Exception: What encoding raised; batches that are not begun are dropped.
        """
        futures: dict[Future[EncodedBatch], int] = {}
        try:
            for number, texts in enumerate(batches):
                futures[self._threads.submit(self._encode, texts)] = number
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """End the processes, after the batches that they are at."""
        self._closed = True  # futures that shutdown cancels would never wake those that wait for them
        self._threads.shutdown()
        for worker in self._workers:
            worker.close()

    def _encode(self, texts: Sequence[str]) -> EncodedBatch:
        if self._closed:
            raise NeuralSparseError("The document encoder was closed while it encoded. Load it again.")
        worker = self._idle.get()
        try:
            return _encode_by(worker, texts)
        finally:
            self._idle.put(worker)


def _encode_by(worker: WorkerProcess, texts: Sequence[str]) -> EncodedBatch:
    """Encode texts by a worker, which is started again where it dies.

    Raises:
        EncodingWorkerError: It died over and over.
    """
    code = None
    for _ in range(MOST_DEATHS):
        _started(worker)
        try:
            return worker.encode(texts)
        except WorkerDiedError as death:
            code = death.exit_code
            logger.warning(
                "An encoding process ended (exit code %s); its batch of %d texts is encoded again.", code, len(texts)
            )
    raise EncodingWorkerError(code, texts=len(texts))


def _started(worker: WorkerProcess) -> Traits:
    """Start a worker, unless it runs, and return the traits of its encoder.

    Raises:
        EncodingWorkerError: It ends while it starts, by an exit of its own or by several signals.
    """
    code = None
    for _ in range(MOST_DEATHS):
        worker.start()
        try:
            return worker.wait_until_ready()
        except WorkerDiedError as death:
            code = death.exit_code
            if code is not None and code > 0:
                break
    raise EncodingWorkerError(code)
