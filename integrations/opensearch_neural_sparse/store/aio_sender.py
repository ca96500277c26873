"""Bulk actions over an asynchronous client: several batches under way, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import IndexNotFoundError, ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.bulk import BulkAction, BulkFailure, BulkReport
from opensearch_neural_sparse.store.connection import translated_errors
from opensearch_neural_sparse.store.delivery import Answer, Pause, Send, cut, deliver
from opensearch_neural_sparse.store.flow import Flow, Turn
from opensearch_neural_sparse.store.options import WriteOptions
from opensearch_neural_sparse.store.sender import HEAD_START, bulk_parameters

if TYPE_CHECKING:
    from opensearchpy import AsyncOpenSearch

_UnderWay = dict[asyncio.Task[BulkReport], int]


class AsyncBulkSender:
    """Send bulk actions to one index, as `BulkSender` does.

    The actions are taken in a worker thread, one batch at a time, so that what makes them may encode.

    Args:
        client: The client; it is not closed.
        index: Index or alias that is written to.
        options: How to write.
    """

    def __init__(self, client: AsyncOpenSearch, index: str, options: WriteOptions | None = None) -> None:
        self._client, self._index, self._options = client, index, options or WriteOptions()

    async def send(self, actions: Iterable[BulkAction | BulkFailure]) -> BulkReport:
        """Send actions, consuming them once, and report what became of each.

        Raises:
            IndexNotFoundError: The index does not exist; it is not made.
        """
        flow, under_way = Flow(self._options.in_flight), _UnderWay()
        try:
            await self._send(actions, flow, under_way)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        report = flow.report()
        if self._options.refresh is True and report.written and not report.stopped:
            await self.refresh()
        return report

    async def refresh(self) -> None:
        """Make what was written searchable."""
        with translated_errors(self._client, self._index):
            await self._client.indices.refresh(index=self._index)

    async def _send(self, actions: Iterable[BulkAction | BulkFailure], flow: Flow, under_way: _UnderWay) -> None:
        batches = cut(actions, self._options)
        while (following := await asyncio.to_thread(next, batches, None)) is not None:
            batch, failed = following
            flow.note(failed)
            await self._check(flow)
            _collect(flow, under_way, [task for task in under_way if task.done()])
            while (turn := flow.turn(batch)) is Turn.WAIT:
                _collect(flow, under_way, (await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED))[0])
            if turn is Turn.STAY:
                flow.leave(batch)
                break
            under_way[asyncio.create_task(self._deliver(batch))] = flow.start(batch)
            await asyncio.wait(under_way, timeout=HEAD_START)
        if under_way:
            _collect(flow, under_way, (await asyncio.wait(under_way))[0])

    async def _check(self, flow: Flow) -> None:
        try:
            with translated_errors(self._client, self._index):
                there = await self._client.indices.exists(index=self._index)
        except (ServerConnectionError, ServerRequestError) as error:
            flow.stop(str(error))
            return
        if not there:
            raise IndexNotFoundError(self._index)

    async def _deliver(self, batch: Sequence[BulkAction]) -> BulkReport:
        steps = deliver(batch, self._options)
        answer: Answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as finished:
                report: BulkReport = finished.value
                return report
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                answer = None
            else:
                answer = await self._answer(step)

    async def _answer(self, step: Send) -> Answer:
        try:
            with translated_errors(self._client, self._index):
                response: dict[str, Any] = await self._client.bulk(
                    body=step.body, index=self._index, params=bulk_parameters(self._options)
                )
                return response
        except (ServerConnectionError, ServerRequestError) as error:
            return error


def _collect(flow: Flow, under_way: _UnderWay, done: Iterable[asyncio.Task[BulkReport]]) -> None:
    for task in done:
        flow.finish(under_way.pop(task), task.result())
