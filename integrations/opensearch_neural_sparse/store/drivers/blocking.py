"""Steps performed with a blocking client."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import IndexNotFoundError, ServerRequestError
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.store.bulk.thread_sender import BulkSender
from opensearch_neural_sparse.store.drivers.client_source import ClientSource
from opensearch_neural_sparse.store.steps import (
    BulkWrite,
    Compute,
    EmbedLegs,
    Emit,
    Exclusive,
    Observed,
    Request,
    Result,
    Step,
    Steps,
    WithClient,
    resume,
)
from opensearch_neural_sparse.telemetry.observation import observe_operation, observe_request
from opensearch_neural_sparse.transport.answers import is_refusal, readable
from opensearch_neural_sparse.transport.blocking_client import open_client
from opensearch_neural_sparse.transport.errors import error_of_answer, translated_errors
from opensearch_neural_sparse.transport.shards import WAITS, lacks_shards, wait_for_shards

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


class BlockingDriver(ClientSource["OpenSearch"]):
    """Performs the steps of operations in the caller's thread; threads may share it."""

    def client(self) -> OpenSearch:
        """Return the client, made when it is first needed."""
        with self._context.lock:
            if self._client is None:
                self._client = open_client(self._url, self._client_options)
            return self._client

    def close(self) -> None:
        """Close the client that was made here, and the encoders that were loaded."""
        with self._context.lock:
            if self._owns_client and self._client is not None:
                self._client.close()
                self._client = None
            self._context.close()

    def run(self, steps: Steps[Result]) -> Result:
        """Return the result of an operation."""
        result, error = None, None
        while True:
            try:
                step = resume(steps, result, error)
            except StopIteration as end:
                final: Result = end.value
                return final
            result, error = None, None
            try:
                result = self._perform(step)
            except BaseException as raised:  # noqa: BLE001  the operation handles it, or raises it again
                error = raised

    def iterate(self, steps: Steps[None]) -> Iterator[SparseDocument]:
        """Yield the documents of an operation; it ends with the iterator."""
        result, error = None, None
        while True:
            try:
                step = resume(steps, result, error)
            except StopIteration:
                return
            result, error = None, None
            try:
                if isinstance(step, Emit):
                    yield from step.documents
                else:
                    result = self._perform(step)
            except BaseException as raised:  # noqa: BLE001  the operation handles it, or raises it again
                error = raised

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Compute):
            with observe_operation(step.name, self._context.index):
                return step.function()
        if isinstance(step, Exclusive):
            with self._context.lock:
                return self.run(step.operation())
        if isinstance(step, Observed):
            with observe_operation(step.name, self._context.index) as observation:
                result = self.run(step.operation())
                if observation.is_active:
                    observation.describe(step.describe(result))
                return result
        if isinstance(step, WithClient):
            return step.function(self.client())
        if isinstance(step, EmbedLegs):
            return step.legs
        if isinstance(step, Emit):
            raise TypeError("An operation that yields documents is iterated, not run.")
        return self._send(step)

    def _send(self, step: Request | BulkWrite) -> Any:
        try:
            for _ in range(WAITS):
                try:
                    return self._send_once(step)
                except ServerRequestError as error:
                    if not lacks_shards(error):
                        raise
                self._send_once(Request("cluster.health", partial(wait_for_shards, index=self._context.index)))
            return self._send_once(step)
        except IndexNotFoundError:
            self._context.forget()
            raise

    def _send_once(self, step: Request | BulkWrite) -> Any:
        client, index = self.client(), self._context.index
        if isinstance(step, BulkWrite):
            with translated_errors(client, index):
                sender = BulkSender(client, step.index, step.options, state=step.info, observe=step.observe)
                return sender.send(step.actions)
        with observe_request(step.name, index, client, step.size), translated_errors(client, index):
            response = step.send(client)
            if not is_refusal(response, step.expected):
                return readable(response, step.confirmed_by)
        raise error_of_answer(client, response, index)
