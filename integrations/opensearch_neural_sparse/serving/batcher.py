"""Batching across requests: one thread that runs the model, and a bounded queue before it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import NamedTuple

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.serving.metrics import ServiceMetrics
from opensearch_neural_sparse.serving.options import ServiceOptions
from opensearch_neural_sparse.serving.refusals import ending, overloaded


class InputType(Choice):
    """Kind of texts: documents or queries."""

    DOCUMENT = "document"
    QUERY = "query"


class EncodedText(NamedTuple):
    """Vector of a text.

    Attributes:
        vector: The vector.
        dropped_tokens: How many of its tokens were cut off.
    """

    vector: SparseVector
    dropped_tokens: int


Encode = Callable[[InputType, Sequence[str]], list[EncodedText]]
"""Encodes texts of one kind, in their order."""


@dataclass(eq=False)
class _Job:
    """The texts of a request."""

    kind: InputType
    texts: Sequence[str]
    future: Future[list[EncodedText]] = field(default_factory=Future)
    characters: int = field(init=False)

    def __post_init__(self) -> None:
        self.characters = sum(map(len, self.texts))


class Batcher:
    """Encode the texts of several requests by one call of the model.

    The model runs in one thread, since encoders are not re-entrant. What waits when a call ends is joined for the next
    one, in the order of arrival, documents and queries apart; how texts of unlike length share the model is up to the
    encoder. A request whose future is cancelled before its turn is not encoded.

    Args:
        encode: Encodes texts; only one thread calls it.
        options: The limits.
        metrics: Counts batches and texts.
    """

    def __init__(self, encode: Encode, options: ServiceOptions, metrics: ServiceMetrics) -> None:
        self._encode, self._options, self._metrics = encode, options, metrics
        self._waiting: deque[_Job] = deque()
        self._changed = Condition()
        self._closing = False
        self._busy_since: float | None = None
        self._thread = Thread(target=self._run, name="encoder", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self, timeout: float) -> bool:
        """Encode what waits, then end the thread; return whether it has ended.

        Args:
            timeout: Seconds to wait for it.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def submit(self, kind: InputType, texts: Sequence[str]) -> Future[list[EncodedText]]:
        """Queue the texts of a request and return the future of their vectors.

        Args:
            kind: What they are.
            texts: The texts.

        Raises:
            Refusal: The queue is full, or the batcher is closed.
        """
        job = _Job(kind, texts)
        with self._changed:
            if self._closing:
                raise ending()
            if not self._has_room(job):
                self._drop_cancelled()
            if not self._has_room(job):
                raise overloaded(f"{self._texts} texts wait, and the queue takes {self._options.queue}.")
            self._waiting.append(job)
            self._metrics.queue_texts.set(self._texts)
            self._changed.notify_all()
        return job.future

    def busy_seconds(self) -> float:
        """Return how long the model has been at its current batch; 0 if it is idle."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def _texts(self) -> int:
        return sum(len(job.texts) for job in self._waiting)

    def _has_room(self, job: _Job) -> bool:
        texts = self._texts + len(job.texts)
        characters = sum(waiting.characters for waiting in self._waiting) + job.characters
        return not self._waiting or (texts <= self._options.queue and characters <= self._options.queue_characters)

    def _drop_cancelled(self) -> None:
        self._waiting = deque(job for job in self._waiting if not job.future.cancelled())

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            if batch:
                self._busy_since = time.monotonic()
                self._encode_batch(batch)
                self._busy_since = None

    def _next_batch(self) -> list[_Job] | None:
        """Wait for jobs and take those that fit into a batch; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            if self._options.batch_wait_ms:
                self._changed.wait_for(
                    lambda: self._closing or self._texts >= self._options.batch_texts,
                    timeout=self._options.batch_wait_ms / 1000,
                )
            batch = self._take()
            self._metrics.queue_texts.set(self._texts)
        return batch

    def _take(self) -> list[_Job]:
        batch: list[_Job] = []
        texts = characters = 0
        while self._waiting:
            job = self._waiting[0]
            texts, characters = texts + len(job.texts), characters + job.characters
            beyond = texts > self._options.batch_texts or characters > self._options.batch_characters
            if batch and (beyond or job.kind is not batch[0].kind):
                break
            self._waiting.popleft()
            if job.future.set_running_or_notify_cancel():
                batch.append(job)
            else:
                texts, characters = texts - len(job.texts), characters - job.characters
        return batch

    def _encode_batch(self, batch: Sequence[_Job]) -> None:
        """Encode the texts of jobs together; if that fails, those of each job alone."""
        texts = [text for job in batch for text in job.texts]
        start = time.perf_counter()
        try:
            encoded = iter(self._encode(batch[0].kind, texts))
        except Exception as error:  # noqa: BLE001  the request that it belongs to raises it
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for job in batch:
                self._encode_batch([job])
            return
        self._metrics.observe_batch(texts=len(texts), requests=len(batch), seconds=time.perf_counter() - start)
        for job in batch:
            job.future.set_result([next(encoded) for _ in job.texts])
