"""Document encoder that runs in several processes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from sys import intern
from threading import RLock
from typing import TYPE_CHECKING, Self

from opensearch_neural_sparse.encode.engines.transformer_encoder import Truncations, ensure_several
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.truncation import Cut, report_cuts
from opensearch_neural_sparse.encode.workers.batches import split_batches
from opensearch_neural_sparse.encode.workers.capacity import Workload, default_threads, describe, find_obstacles
from opensearch_neural_sparse.encode.workers.devices import CPU
from opensearch_neural_sparse.encode.workers.machine import read_machine
from opensearch_neural_sparse.encode.workers.worker_pool import WorkerPool
from opensearch_neural_sparse.errors import NeuralSparseError

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.engines.engine import Engine
    from opensearch_neural_sparse.encode.workers.worker_loop import LoadEncoder, Traits
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

logger = logging.getLogger(__name__)


class ParallelDocumentEncoder:
    """Encode documents in several processes on this machine; `load_document_encoder(workers=...)` makes one.

    Each process holds the model. They start when they are first needed and end with this one, however it ends. A
    process that dies is started again, and its batch of texts encoded again. Texts that one batch holds go to one
    process. Copies share the processes; a pickled encoder starts its own.

    Args:
        load: Loads an encoder, in each process; it takes `device` and `threads`, and can be pickled.
        files: Files of the model.
        devices: Where the encoders run, one for each process.
        engine: The inference engine, by which memory is estimated.
        threads: Number of threads of each process; by default the cores are divided among them.

    Attributes:
        truncations: What has been cut off so far.
    """

    def __init__(
        self,
        load: LoadEncoder,
        files: ModelFiles,
        *,
        devices: Sequence[str],
        engine: Engine,
        threads: int | None = None,
    ) -> None:
        self.files = files
        self.truncations = Truncations()
        self._load, self._devices, self._engine, self._threads = load, tuple(devices), engine, threads
        self._pool: WorkerPool | None = None
        self._traits: Traits | None = None
        self._closed = False
        self._lock = RLock()

    @property
    def max_length(self) -> int:
        """Longest text in tokens."""
        return self._known().max_length

    @property
    def max_active_dims(self) -> int | None:
        """Maximum number of tokens of a vector; None keeps all."""
        return self._known().max_active_dims

    @property
    def variant(self) -> str:
        """Number format and prompt, which distinguish vectors of the same weights and limits."""
        return self._known().variant

    @property
    def pids(self) -> list[int]:
        """Ids of the processes that run."""
        return [] if self._pool is None else self._pool.pids

    def start(self) -> Self:
        """Start the processes and load their encoders; repeated calls have no effect.

        Raises:
            EncodingWorkerError: Processes end while they start.
            NeuralSparseError: The encoder is closed.
            Exception: What loading raised.
        """
        self._started()
        return self

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        """Return the vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called after every batch with the number of texts it had.

        Raises:
            EncodingWorkerError: Processes end over and over, at their start or over the same texts.
            NeuralSparseError: The encoder is closed.
            TypeError: One string in place of a list of them.
            Exception: What encoding raised.
        """
        ensure_several(texts)
        pool, traits = self._started()
        batches = split_batches(
            texts, workers=len(self._devices), batch_tokens=traits.batch_tokens, max_length=traits.max_length
        )
        vectors = [SparseVector()] * len(texts)
        cuts: dict[int, Cut] = {}
        with closing(pool.encode([[texts[position] for position in batch] for batch in batches])) as encoded_batches:
            for number, encoded in encoded_batches:
                batch = batches[number]
                for position, vector in zip(batch, encoded.vectors, strict=True):
                    vectors[position] = _with_shared_tokens(vector)
                cuts |= {batch[row]: cut for row, cut in encoded.cuts.items()}
                if progress is not None:
                    progress(len(batch))
        self.truncations += Truncations(texts=len(cuts), tokens=sum(cut.tokens for cut in cuts.values()))
        report_cuts({texts[position]: cut for position, cut in cuts.items()}, texts)
        return vectors

    def close(self) -> None:
        """End the processes, after the batches that they are at; repeated calls have no effect."""
        with self._lock:
            pool, self._pool, self._closed = self._pool, None, True
        if pool is not None:
            pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[LoadEncoder, ModelFiles]]:
        made = partial(type(self), devices=self._devices, engine=self._engine, threads=self._threads)
        return made, (self._load, self.files)

    def _known(self) -> Traits:
        return self._traits or self._started()[1]

    def _started(self) -> tuple[WorkerPool, Traits]:
        with self._lock:
            if self._closed:
                raise NeuralSparseError(f"The document encoder of {self.files.spec.id!r} is closed. Load it again.")
            if self._pool is None or self._traits is None:
                pool = WorkerPool(self._load, self._devices, self._checked_threads())
                self._traits, self._pool = pool.start(), pool
            return self._pool, self._traits

    def _checked_threads(self) -> int:
        """Return the number of threads of each process, after a log of what the processes take."""
        machine, count = read_machine(), len(self._devices)
        workload = Workload(
            processes=count,
            on_cpu=sum(device == CPU for device in self._devices),
            threads=self._threads or default_threads(machine, count),
            weights=sum(path.stat().st_size for path in self.files.weights),
            engine=self._engine,
        )
        logger.info(describe(workload, machine))
        for obstacle in find_obstacles(workload, machine):
            logger.warning(obstacle)
        return workload.threads


def _with_shared_tokens(vector: SparseVector) -> SparseVector:
    """Return a vector with the tokens of other vectors, since a batch brings copies of its own."""
    return SparseVector.from_trusted(map(intern, vector.tokens), vector.weights)
