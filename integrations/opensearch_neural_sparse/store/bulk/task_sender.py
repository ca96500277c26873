"""Bulk actions over an asynchronous client: several batches under way, in bounded memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.arguments import check_text, check_type
from opensearch_neural_sparse.errors import NeuralSparseError, ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.read_index import UUID_FILTER
from opensearch_neural_sparse.store.bulk.index_guard import IndexGuard
from opensearch_neural_sparse.store.bulk.lost_answers.look_up import LookUp
from opensearch_neural_sparse.store.bulk.lost_answers.requests import Ask
from opensearch_neural_sparse.store.bulk.new_fields import Call, NewFields
from opensearch_neural_sparse.store.bulk.retry import Answer, Send, Skipped, Step, split_batches
from opensearch_neural_sparse.store.bulk.scheduler import AHEAD, BulkScheduler, Decision, Observe
from opensearch_neural_sparse.store.bulk.single_attempt import without_retries
from opensearch_neural_sparse.store.bulk.thread_sender import (
    HEAD_START,
    Result,
    Wanted,
    after_refresh,
    bulk_parameters,
    timed,
    write_target,
)
from opensearch_neural_sparse.store.write_options import WriteOptions
from opensearch_neural_sparse.telemetry.observation import observe_request
from opensearch_neural_sparse.transport.answers import readable
from opensearch_neural_sparse.transport.errors import translated_errors

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
        state: What the index was when documents were encoded for it: nothing is sent once its name leads elsewhere.
        observe: Called with the ids of a bulk request and its report, and with those of actions that were not sent.
    """

    def __init__(
        self,
        client: AsyncOpenSearch,
        index: str,
        options: WriteOptions | None = None,
        *,
        state: IndexInfo | None = None,
        observe: Observe | None = None,
    ) -> None:
        self._client, self._index, self._options = client, index, timed(options, client)
        check_text(index=index)
        check_type(IndexInfo, optional=True, state=state)
        self._observe = observe
        self._guard, self._target = IndexGuard(index, state), write_target(index, state)
        self._look_up = LookUp(self._target, state, self._options)
        self._new_fields, self._declaring = NewFields(index, self._target, state), asyncio.Lock()

    async def send(self, actions: Iterable[BulkAction | BulkFailure]) -> BulkReport:
        """Send actions, consuming them once, and return the report of each.

        Args:
            actions: Bulk actions as opensearch-py takes them, from any iterable.

        Raises:
            IndexNotFoundError: The index does not exist; it is not made.
        """
        scheduler, under_way = BulkScheduler(self._options.in_flight + AHEAD, self._observe, self._look_up), _UnderWay()
        try:
            await self._send(actions, scheduler, under_way)
        except Exception:
            await asyncio.gather(*under_way, return_exceptions=True)
            raise
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            arrived = [task for task in under_way if not task.cancelled() and task.exception() is None]
            _collect(scheduler, under_way, arrived)
        report = scheduler.report()
        if self._guard.is_due_finally() and report.stopped is None:
            await self._look(scheduler)
            report = scheduler.report()
        if self._options.refresh is not True or not report.written or report.stopped:
            return report
        answer = await self._request(Call("indices.refresh", lambda client: client.indices.refresh(index=self._index)))
        return after_refresh(report, answer, self._index)

    async def _send(
        self, actions: Iterable[BulkAction | BulkFailure], scheduler: BulkScheduler, under_way: _UnderWay
    ) -> None:
        batches, slots = split_batches(actions, self._options), asyncio.Semaphore(self._options.in_flight)
        while (following := await asyncio.to_thread(next, batches, None)) is not None:
            batch, failed = following
            scheduler.add(failed)
            _collect(scheduler, under_way, [task for task in under_way if task.done()])
            while (decision := scheduler.decide(batch)) is Decision.WAIT:
                _collect(scheduler, under_way, (await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED))[0])
            if decision is Decision.STOP:
                scheduler.skip(batch)
                break
            under_way[asyncio.create_task(self._deliver(batch, scheduler, slots))] = scheduler.start(batch)
            await asyncio.wait(under_way, timeout=HEAD_START)
        if under_way:
            _collect(scheduler, under_way, (await asyncio.wait(under_way))[0])

    async def _look(self, scheduler: BulkScheduler) -> None:
        asked = monotonic()
        found = await self._request(
            Call("indices.get", lambda client: client.indices.get(index=self._index, params=dict(UUID_FILTER)))
        )
        if isinstance(found, NeuralSparseError):
            self._guard.on_error(scheduler, found)
        else:
            self._guard.verify(scheduler, found, asked=asked)

    async def _deliver(
        self, batch: Sequence[BulkAction], scheduler: BulkScheduler, slots: asyncio.Semaphore
    ) -> BulkReport:
        async def perform(step: Step | Ask) -> Answer:
            if isinstance(step, Send):
                return await self._answer(step, scheduler)
            if isinstance(step, Ask):
                return await self._ask(step)
            await asyncio.sleep(step.seconds)
            return None

        async with slots:
            return await _drive(scheduler.deliver(batch, self._options), perform)

    async def _answer(self, step: Send, scheduler: BulkScheduler) -> Answer:
        if scheduler.stopped is None and self._guard.is_due():
            await self._look(scheduler)
        if scheduler.stopped is not None:
            return Skipped(scheduler.stopped)
        if self._new_fields.is_due() and (answer := await self._declare(step.actions)) is not None:
            return answer
        parameters = bulk_parameters(self._options)
        call = Call(
            "bulk",
            lambda client: without_retries(client).bulk(body=step.body, index=self._target, params=parameters),
            size=len(step.actions),
        )
        response: Answer = await self._request(call)
        return response

    async def _ask(self, step: Ask) -> Answer:
        """Return the response to a request beside the bulk requests, or the error; it is sent once."""
        try:
            answer: Answer = await self._request(Call(step.name, lambda client: step.request(without_retries(client))))
        except NeuralSparseError as error:
            return error
        return answer

    async def _declare(self, batch: Sequence[BulkAction]) -> Answer:
        async with self._declaring:
            return await _drive(self._new_fields.declare(batch), self._request)

    async def _request(self, call: Call) -> Any:
        """Return the response to a request, or the error."""
        client, index = self._client, self._index
        try:
            with observe_request(call.name, index, client, call.size), translated_errors(client, index):
                return readable(await call.send(client))
        except (ServerConnectionError, ServerRequestError) as error:
            return error


async def _drive(steps: Generator[Wanted, Any, Result], perform: Callable[[Wanted], Awaitable[Any]]) -> Result:
    """Perform each step of a generator, and return its result."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as finished:
            result: Result = finished.value
            return result
        answer = await perform(step)


def _collect(scheduler: BulkScheduler, under_way: _UnderWay, done: Iterable[asyncio.Task[BulkReport]]) -> None:
    for task in done:
        scheduler.finish(under_way.pop(task), task.result())
