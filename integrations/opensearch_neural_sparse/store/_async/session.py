"""What an asynchronous store holds open: a client for each event loop, its index, its model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import MissingDependencyError, ServerRequestError
from opensearch_neural_sparse.index.index_info import UUID_FILTER, IndexInfo, uuids_of
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.store.bulk.task_sender import AsyncBulkSender
from opensearch_neural_sparse.store.context import pass_if_there
from opensearch_neural_sparse.store.operations.search import AskingStore
from opensearch_neural_sparse.store.operations.unmapped_fields import (
    refuse_unmapped_legs,
    report_unmapped,
    unmapped_fields,
    unmapped_legs,
)
from opensearch_neural_sparse.store.steps import Delivery, Done, Result, Step, Steps, advance
from opensearch_neural_sparse.transport.address import shown
from opensearch_neural_sparse.transport.connection_failures import check_files
from opensearch_neural_sparse.transport.errors import server_of, translated_errors, unless_refused
from opensearch_neural_sparse.transport.server_cache import known_server, remember_server

if TYPE_CHECKING:
    from opensearchpy import AsyncOpenSearch

Encoded = TypeVar("Encoded")


@dataclass(frozen=True)
class _Connection:
    """A client in its event loop, the lock under which it opens things, and what closes it where it is the store's."""

    client: AsyncOpenSearch
    lock: asyncio.Lock
    lease: AsyncGenerator[AsyncOpenSearch, None] | None


class AsyncStoreSession(AskingStore["AsyncOpenSearch"]):
    """An index, its client and its model; each is opened when it is first needed, under one lock a loop."""

    @cached_property
    def _connections(self) -> dict[asyncio.AbstractEventLoop, _Connection]:
        return {}

    async def create(self, *, exist_ok: bool = False, settings: Mapping[str, Any] | None = None) -> None:
        """Create the index, bound to the model.

        Args:
            exist_ok: Whether an index that is there already is opened instead, if it belongs to the model.
            settings: Index settings, such as `{"number_of_shards": 1}`.

        Raises:
            IndexNotBoundError: No model was named.
            ServerRequestError: The index exists, or its settings are refused.
        """
        self._ensure_named()
        body = await asyncio.to_thread(self._index_body, await self.server(), settings)
        try:
            async with self._asking() as client:
                await client.indices.create(index=self.index, body=body)
        except ServerRequestError as error:
            pass_if_there(error, exist_ok=exist_ok)
        self._forget()
        await self.open()

    async def open(self) -> IndexInfo:
        """Check the index and the model against each other; every operation does so first, once.

        Raises:
            IndexNotFoundError: There is no such index.
            IndexNotBoundError: The index carries no model and none was named.
            ModelMismatchError: The index belongs to another model.
            IndexSchemaError: The index is not of this layout.
        """
        connection = await self._connect()
        async with connection.lock:
            if (state := self._state) is None:
                state = self._state = await self._look()
            return state

    async def delete_index(self) -> None:
        """Delete the index and everything in it.

        Raises:
            IndexNotFoundError: There is no such index.
        """
        async with self._asking() as client:
            await client.indices.delete(index=self.index)
        self._forget()

    async def close(self) -> None:
        """Close what was opened here: the client of a url, and the encoder that was loaded."""
        connection = self._connections.pop(asyncio.get_running_loop(), None)
        if connection is not None and connection.lease is not None:
            await connection.lease.aclose()
        self._close_encoders()
        self._server = self._named_server
        self._forget()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def client(self) -> AsyncOpenSearch:
        """Return the client, made when it is first needed."""
        return (await self._connect()).client

    async def server(self) -> ServerInfo:
        """Return what the server is, read once a client.

        Raises:
            UnsupportedServerError: Too old, or not OpenSearch.
        """
        connection = await self._connect()
        async with connection.lock:
            if self._server is None:
                client = connection.client
                self._server = known_server(client) or remember_server(client, await _read_server(client))
            return self._server

    async def encode_query(self, text: str) -> SparseVector:
        """Return the token weights that `search` looks for a text by; none where the model knows no token of it.

        Args:
            text: The query.
        """
        return await self._encoding(partial(self._only_vector, await self.open(), text))

    async def _look(self) -> IndexInfo:
        try:
            async with self._asking() as client:
                response = await client.indices.get(index=self.index)
        except ServerRequestError as error:
            return self._without_check(error)
        return await asyncio.to_thread(self._read_index, response)

    async def _check_fields(self, clauses: Sequence[Mapping[str, Any]], found: Iterable[SearchHits] = ()) -> None:
        """Warn of filter clauses on fields that no index maps; a write may have mapped them since the last look."""
        if not clauses:
            return
        state = await self.open()
        if unmapped_fields(clauses, state, found):
            fresh = await self._look()
            self._refresh(state, fresh)
            report_unmapped(self.index, clauses, fresh)

    async def _open_to_write(self) -> IndexInfo:
        """Open the index, after a look whether its name still leads where it did, to one index of one model."""
        known = self._state
        state = await self.open()
        if state is known and not await self._still_leads_to(state):
            self._forget()
            state = await self.open()
        state.ensure_writable(self.index, self.schema)
        return state

    async def _check_legs(self, legs: Sequence[Leg]) -> None:
        """Refuse legs on fields that no index maps; a write may have mapped them since the last look."""
        state = await self.open()
        if unmapped_legs(legs, state):
            fresh = await self._look()
            self._refresh(state, fresh)
            refuse_unmapped_legs(self.index, legs, fresh)

    async def _still_leads_to(self, state: IndexInfo) -> bool:
        """Return whether the name leads to the same indices, by a request of some hundred bytes."""
        if not state.checked:
            return True
        async with self._asking() as client:
            response = await client.indices.get(index=self.index, params=dict(UUID_FILTER))
        return uuids_of(response) == state.uuids

    async def _state_for(self, state: IndexInfo, rows: Iterable[Mapping[str, Any]]) -> IndexInfo:
        """Return what is known of the index, after another look where documents lie in one that is not known."""
        if state.holds(rows):
            return state
        self._forget()
        return await self.open()

    async def _run(self, work: Steps[Result]) -> Result:
        step = await asyncio.to_thread(advance, work, None)
        while not isinstance(step, Done):
            async with self._asking() as client:
                answer = await self._answer(client, step)
            step = await asyncio.to_thread(advance, work, answer)
        return step.result

    async def _answer(self, client: AsyncOpenSearch, step: Step) -> Any:
        if isinstance(step, Delivery):
            return await AsyncBulkSender(client, step.index, replace(step.options, refresh=False)).send(step.actions)
        return await step(client)

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[AsyncOpenSearch]:
        client = await self.client()
        with self._translated(client):
            yield client

    async def _encoding(self, encode: Callable[[], Encoded], *, slow: bool = False) -> Encoded:
        """Return what is encoded, in a worker thread unless a table alone does it; `slow` says that more does."""
        at_once = self._encoders.encodes_queries_at_once and not self._has_more_models and not slow
        return encode() if at_once else await asyncio.to_thread(encode)

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

        from opensearch_neural_sparse.transport.aiohttp_connection import StreamingConnection
    except ImportError:
        raise MissingDependencyError("aiohttp", "async", "AsyncNeuralSparseStore") from None
    check_files(options, shown(url))
    return AsyncOpenSearch(url, **{"connection_class": StreamingConnection, **options})


def _of_this_loop(client: AsyncOpenSearch) -> AsyncOpenSearch:
    transport: Any = client.transport
    if transport.loop not in (None, asyncio.get_running_loop()):
        raise RuntimeError(
            "The client that was given belongs to another event loop, to which its connections are bound. Make a "
            "client and a store in each loop, or give the store a url: it then has a client of its own in every loop."
        )
    return client


async def _read_server(client: AsyncOpenSearch) -> ServerInfo:
    info = plugins = None
    with translated_errors(client, "/"), unless_refused():
        info = await client.info()
    with translated_errors(client, "_cat/plugins"), unless_refused():
        plugins = await client.cat.plugins(format="json")
    return server_of(info, plugins)
