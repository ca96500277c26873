"""Steps performed with an asynchronous client in each event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import IndexNotFoundError, MissingDependencyError, ServerRequestError
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.search.options.legs import embedded
from opensearch_neural_sparse.store.bulk.task_sender import AsyncBulkSender
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
from opensearch_neural_sparse.transport.address import hosts_of, shown
from opensearch_neural_sparse.transport.answers import is_refusal, readable
from opensearch_neural_sparse.transport.connection_failures import check_files
from opensearch_neural_sparse.transport.errors import error_of_answer, translated_errors
from opensearch_neural_sparse.transport.logins.aws_auth import awaitable_options
from opensearch_neural_sparse.transport.shards import WAITS, lacks_shards, wait_for_shards

if TYPE_CHECKING:
    from opensearchpy import AsyncOpenSearch


@dataclass(frozen=True)
class _Connection:
    """A client in its event loop, the lock of that loop, and what closes the client where it is the store's."""

    client: AsyncOpenSearch
    lock: asyncio.Lock
    lease: AsyncGenerator[AsyncOpenSearch, None] | None


class EventLoopDriver(ClientSource["AsyncOpenSearch"]):
    """Performs the steps of operations in the running event loop, with a client for each loop; tasks may share it.

    Functions that compute run in worker threads, unless they are cheap.
    """

    _OPENED = frozenset({"_connections"})

    def _begin(self) -> None:
        self._connections: dict[asyncio.AbstractEventLoop, _Connection] = {}

    async def client(self) -> AsyncOpenSearch:
        """Return the client of the running event loop, made when it is first needed."""
        return (await self._connect()).client

    def connected_client(self) -> AsyncOpenSearch | None:
        """Return the client of the running event loop, or None where it has none yet."""
        connection = self._connections.get(asyncio.get_running_loop())
        return None if connection is None else connection.client

    async def close(self) -> None:
        """Close the client of the running event loop that was made here, and the encoders that were loaded."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None and connection.lease is not None:
            await connection.lease.aclose()
        self._context.close()

    async def run(self, steps: Steps[Result]) -> Result:
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
                result = await self._perform(step)
            except BaseException as raised:  # noqa: BLE001  the operation handles it, or raises it again
                error = raised

    async def iterate(self, steps: Steps[None]) -> AsyncIterator[SparseDocument]:
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
                    for document in step.documents:
                        yield document
                else:
                    result = await self._perform(step)
            except BaseException as raised:  # noqa: BLE001  the operation handles it, or raises it again
                error = raised

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, Compute):
            with observe_operation(step.name, self._context.index):
                return step.function() if step.cheap else await asyncio.to_thread(step.function)
        if isinstance(step, Exclusive):
            async with (await self._connect()).lock:
                return await self.run(step.operation())
        if isinstance(step, Observed):
            with observe_operation(step.name, self._context.index) as observation:
                result = await self.run(step.operation())
                if observation.is_active:
                    observation.describe(step.describe(result))
                return result
        if isinstance(step, WithClient):
            return step.function(await self.client())
        if isinstance(step, EmbedLegs):
            return await embedded(step.legs, step.text)
        if isinstance(step, Emit):
            raise TypeError("An operation that yields documents is iterated, not run.")
        return await self._send(step)

    async def _send(self, step: Request | BulkWrite) -> Any:
        try:
            for _ in range(WAITS):
                try:
                    return await self._send_once(step)
                except ServerRequestError as error:
                    if not lacks_shards(error):
                        raise
                await self._send_once(Request("cluster.health", partial(wait_for_shards, index=self._context.index)))
            return await self._send_once(step)
        except IndexNotFoundError:
            self._context.forget()
            raise

    async def _send_once(self, step: Request | BulkWrite) -> Any:
        client, index = await self.client(), self._context.index
        if isinstance(step, BulkWrite):
            with translated_errors(client, index):
                sender = AsyncBulkSender(client, step.index, step.options, state=step.info, observe=step.observe)
                return await sender.send(step.actions)
        with observe_request(step.name, index, client, step.size), translated_errors(client, index):
            response = step.send(client)
            response = await response if isawaitable(response) else response
            if not is_refusal(response, step.expected):
                return readable(response, step.confirmed_by)
        raise error_of_answer(client, response, index)

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        for other in [other for other in self._connections if other.is_closed()]:
            self._connections.pop(other, None)
        if (connection := self._connections.get(loop)) is None:
            connection = self._connections[loop] = await self._new_connection()
        return connection

    async def _new_connection(self) -> _Connection:
        if self._client is not None:
            return _Connection(_of_this_loop(self._client), asyncio.Lock(), None)
        # The first step of the lease awaits nothing, so no two tasks make a client each.
        lease = self._lease()
        return _Connection(await anext(lease), asyncio.Lock(), lease)

    async def _lease(self) -> AsyncGenerator[AsyncOpenSearch, None]:
        """Hold a client open. A loop closes the generators it began, so the client never outlives its loop."""
        client = _new_client(self._url, self._client_options)
        try:
            yield client
        finally:
            self._connections.pop(asyncio.get_running_loop(), None)
            await client.close()


def _new_client(url: Any, options: Mapping[str, Any]) -> AsyncOpenSearch:
    try:
        from opensearchpy import AsyncOpenSearch

        from opensearch_neural_sparse.transport.connections.event_loop import AsyncDeadlineTransport, bounded
    except ImportError:
        raise MissingDependencyError("aiohttp", "async", "AsyncNeuralSparseStore") from None
    check_files(options, shown(url))
    options = awaitable_options(options)
    connection_class = bounded(options.get("connection_class"))
    parts = {"transport_class": AsyncDeadlineTransport, **options, "connection_class": connection_class}
    return AsyncOpenSearch(hosts_of(url), **parts)


def _of_this_loop(client: AsyncOpenSearch) -> AsyncOpenSearch:
    transport: Any = client.transport
    if transport.loop not in (None, asyncio.get_running_loop()):
        raise RuntimeError(
            "The client that was given belongs to another event loop, to which its connections are bound. Make a "
            "client and a store in each loop, or give the store a url: it then has a client of its own in every loop."
        )
    return client
