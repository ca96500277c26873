"""The encoder service, apart from HTTP: encoding, facts and health of its model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import cached_property, partial
from typing import Any

from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.models.spec import Mode
from opensearch_neural_sparse.serving.batcher import Batcher, EncodedText, InputType
from opensearch_neural_sparse.serving.metrics import ServiceMetrics
from opensearch_neural_sparse.serving.options import ServiceOptions
from opensearch_neural_sparse.serving.refusals import Refusal, ending, wrong_value
from opensearch_neural_sparse.version import __version__

logger = logging.getLogger(__name__)

NAME = "opensearch-neural-sparse"
SHORT_QUERIES = 20_000
"""Characters of queries that are looked up at once, in less than some 10 ms; more are given to a thread."""
LOOKUP_THREADS = 2
PROBE = "probe"


class ClientGoneError(Exception):
    """A request that nobody waits for."""


class EncoderService:
    """Encode texts of requests, document by document and query by query.

    Args:
        document_encoder: Encoder of documents; one thread calls it, whatever the requests.
        query_encoder: Encoder of queries, of the same model.
        options: The limits.

    Attributes:
        metrics: Its counters.
        is_ending: Whether it takes no further requests.
        in_flight: Number of requests that are not answered yet.
    """

    def __init__(self, document_encoder: DocumentEncoder, query_encoder: QueryEncoder, options: ServiceOptions) -> None:
        self.options = options
        self.metrics = ServiceMetrics()
        self.is_ending = False
        self.in_flight = 0
        self._documents, self._queries = document_encoder, query_encoder
        self._looks_queries_up = document_encoder.files.spec.mode is Mode.DOC_ONLY
        self._lookups = asyncio.Semaphore(LOOKUP_THREADS)
        self._batcher = Batcher(self._encode_now, options, self.metrics)

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprints of the query side and of the weights."""
        files = self._documents.files
        return {"query_sha256": files.query_sha256, "weights_sha256": files.weights_sha256}

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """Token -> id of the model."""
        folder = self._documents.files.weights[0].parent
        return dict(SparseTokenizer.from_file(folder / "tokenizer.json").vocabulary)

    @cached_property
    def info(self) -> dict[str, Any]:
        """Facts of the service and its model."""
        files = self._documents.files
        return {
            "service": NAME,
            "version": __version__,
            "model": files.spec.id,
            "revision": files.revision,
            "mode": files.spec.mode,
            "activation": files.spec.activation,
            **self.fingerprints,
            "max_length": self._documents.max_length,
            "max_active_dims": self._documents.max_active_dims,
            "limits": self.options.limits,
        }

    async def start(self) -> None:
        """Start the model's thread, and encode a probe by it and by the query encoder.

        Raises:
            Exception: What encoding raised.
        """
        self._batcher.start()
        _ = self.info, self.vocabulary
        for kind in InputType:
            await asyncio.wrap_future(self._batcher.submit(kind, [PROBE]))

    async def stop(self) -> None:
        """Encode what waits and stop the model's thread."""
        self.is_ending = True
        if not await asyncio.to_thread(self._batcher.close, self.options.end_timeout):
            logger.error("The model did not end its last texts within %g seconds.", self.options.end_timeout)

    def ensure_healthy(self) -> None:
        """Check that the model answers.

        Raises:
            Refusal: The service stops, or the model does not answer.
        """
        if self.is_ending:
            raise ending()
        if not self._batcher.is_alive or self._batcher.busy_seconds() > self.options.answer_timeout:
            raise Refusal(503, "model_unavailable", "The model does not answer. Start the service again.")

    async def encode(
        self, kind: InputType, texts: Sequence[str], disconnected: Callable[[], Awaitable[Any]]
    ) -> list[EncodedText]:
        """Return the vectors of a request's texts, in their order.

        Args:
            kind: What they are.
            texts: The texts.
            disconnected: Returns when the client has gone.

        Raises:
            Refusal: The queue is full, the model fails on a text or does not answer in time.
            ClientGoneError: The client has gone.
        """
        if not texts:
            return []
        if kind is InputType.QUERY and self._looks_queries_up:
            work = self._look_up(texts)
        else:
            work = _awaited(asyncio.wrap_future(self._batcher.submit(kind, texts)))
        try:
            encoded = await self._within_time(work, disconnected)
        except (Refusal, ClientGoneError):
            raise
        except Exception as error:  # noqa: BLE001  an encoder may raise anything
            raise _failed(error) from None
        self.metrics.texts.labels(kind).inc(len(texts))
        return encoded

    async def _within_time(
        self, work: Coroutine[Any, Any, list[EncodedText]], disconnected: Callable[[], Awaitable[Any]]
    ) -> list[EncodedText]:
        encoding = asyncio.create_task(work)
        leaving = asyncio.ensure_future(disconnected())
        try:
            done, _ = await asyncio.wait(
                (encoding, leaving), timeout=self.options.answer_timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if encoding in done:
                return encoding.result()
        finally:
            encoding.cancel()
            leaving.cancel()
        if done:
            raise ClientGoneError
        reason = f"The texts were not encoded within {self.options.answer_timeout:g} seconds. Send fewer at once."
        raise Refusal(503, "answer_timeout", reason, headers={"retry-after": "1"})

    async def _look_up(self, queries: Sequence[str]) -> list[EncodedText]:
        look_up = partial(self._encode_now, InputType.QUERY, queries)
        if sum(map(len, queries)) <= SHORT_QUERIES:
            return look_up()
        async with self._lookups:
            return await asyncio.to_thread(look_up)

    def _encode_now(self, kind: InputType, texts: Sequence[str]) -> list[EncodedText]:
        encode = self._queries.encode_queries if kind is InputType.QUERY else self._documents.encode_documents
        with collected_cuts() as cuts:
            vectors = encode(texts)
        dropped = [cuts[text].tokens if text in cuts else 0 for text in texts]
        return [EncodedText(*pair) for pair in zip(vectors, dropped, strict=True)]


async def _awaited(future: Awaitable[list[EncodedText]]) -> list[EncodedText]:
    return await future


def _failed(error: Exception) -> Refusal:
    """Return the refusal of a request with a text that the model fails on; its message may hold the text."""
    kind = type(error).__name__
    logger.error("Encoding the texts of a request failed with %s.", kind)
    if isinstance(error, ValueError | TypeError):
        return wrong_value(f"A text of the request cannot be encoded ({kind}). Send the others without it.")
    return Refusal(500, "encoding_failed", f"The model failed on the texts of the request ({kind}).")
