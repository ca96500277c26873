"""Bulk actions over a blocking client: several batches under way, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import replace
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from opensearch_neural_sparse.arguments import check_text, check_type
from opensearch_neural_sparse.errors import (
    LimitedRightsWarning,
    NeuralSparseError,
    ServerConnectionError,
    ServerRequestError,
    unreadable_answer,
)
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
from opensearch_neural_sparse.store.write_options import WriteOptions
from opensearch_neural_sparse.telemetry.caller import warn_caller
from opensearch_neural_sparse.telemetry.observation import observe_request
from opensearch_neural_sparse.transport.answers import readable
from opensearch_neural_sparse.transport.errors import REFUSALS, translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

Wanted = TypeVar("Wanted")
Result = TypeVar("Result")
BULK_ANSWER = "items.*.status,items.*.error,items.delete._version"
DEFAULT_TIMEOUT = 10.0
"""Seconds of a request of opensearch-py where its client names none."""
HEAD_START = 0.004
"""Seconds in which a request gets on its way before the next batch is prepared.

Preparing holds the interpreter's lock, for which a request would wait at each step; the server would stand idle.
"""


class BulkSender:
    """Send bulk actions to one index.

    Batches travel in threads of their own, up to `options.in_flight` at once, while the next ones are taken from the
    actions in the caller's thread: one waits, ready, and one is being made. The index is looked at on the way, since a
    bulk request to a missing index would make one without a layout (`IndexGuard`).

    Args:
        client: The client; it is not closed.
        index: Index or alias that is written to.
        options: How to write.
        state: What the index was when documents were encoded for it: nothing is sent once its name leads elsewhere.
        observe: Called with the ids of a bulk request and its report, and with those of actions that were not sent.
    """

    def __init__(
        self,
        client: OpenSearch,
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
        self._new_fields, self._declaring = NewFields(index, self._target, state), Lock()

    def send(self, actions: Iterable[BulkAction | BulkFailure]) -> BulkReport:
        """Send actions, consuming them once, and return the report of each.

        Args:
            actions: Bulk actions as opensearch-py takes them, from any iterable.

        Raises:
            IndexNotFoundError: The index does not exist; it is not made.
        """
        scheduler, given_up = BulkScheduler(self._options.in_flight + AHEAD, self._observe, self._look_up), Event()
        with ThreadPoolExecutor(self._options.in_flight, "bulk") as pool:
            self._send(actions, scheduler, pool, given_up)
        report = scheduler.report()
        if self._guard.is_due_finally() and report.stopped is None:
            self._look(scheduler)
            report = scheduler.report()
        if self._options.refresh is not True or not report.written or report.stopped:
            return report
        answer = self._request(Call("indices.refresh", lambda client: client.indices.refresh(index=self._index)))
        return after_refresh(report, answer, self._index)

    def _send(
        self,
        actions: Iterable[BulkAction | BulkFailure],
        scheduler: BulkScheduler,
        pool: ThreadPoolExecutor,
        given_up: Event,
    ) -> None:
        under_way: dict[Future[BulkReport], int] = {}
        try:
            self._send_batches(actions, scheduler, pool.submit, under_way, given_up)
        except BaseException as error:
            if not isinstance(error, Exception):  # else what was read before it is written to the end
                scheduler.stop("The write was given up.")
                given_up.set()
            raise
        finally:
            _collect(scheduler, under_way, wait(under_way).done)

    def _send_batches(
        self,
        actions: Iterable[BulkAction | BulkFailure],
        scheduler: BulkScheduler,
        submit: Callable[..., Future[BulkReport]],
        under_way: dict[Future[BulkReport], int],
        given_up: Event,
    ) -> None:
        for batch, failed in split_batches(actions, self._options):
            scheduler.add(failed)
            _collect(scheduler, under_way, wait(under_way, timeout=0).done)
            while (decision := scheduler.decide(batch)) is Decision.WAIT:
                _collect(scheduler, under_way, wait(under_way, return_when=FIRST_COMPLETED).done)
            if decision is Decision.STOP:
                scheduler.skip(batch)
                return
            under_way[submit(copy_context().run, self._deliver, batch, scheduler, given_up)] = scheduler.start(batch)
            _collect(scheduler, under_way, wait(under_way, timeout=HEAD_START).done)

    def _look(self, scheduler: BulkScheduler) -> None:
        asked = monotonic()
        found = self._request(
            Call("indices.get", lambda client: client.indices.get(index=self._index, params=dict(UUID_FILTER)))
        )
        if isinstance(found, NeuralSparseError):
            self._guard.on_error(scheduler, found)
        else:
            self._guard.verify(scheduler, found, asked=asked)

    def _deliver(self, batch: Sequence[BulkAction], scheduler: BulkScheduler, given_up: Event) -> BulkReport:
        def perform(step: Step | Ask) -> Answer:
            if isinstance(step, Send):
                return self._answer(step, scheduler)
            if isinstance(step, Ask):
                return self._ask(step)
            given_up.wait(step.seconds)
            return None

        return _drive(scheduler.deliver(batch, self._options), perform)

    def _answer(self, step: Send, scheduler: BulkScheduler) -> Answer:
        if scheduler.stopped is None and self._guard.is_due():
            self._look(scheduler)
        if scheduler.stopped is not None:
            return Skipped(scheduler.stopped)
        if self._new_fields.is_due() and (answer := self._declare(step.actions)) is not None:
            return answer
        parameters = bulk_parameters(self._options)
        call = Call(
            "bulk",
            lambda client: without_retries(client).bulk(body=step.body, index=self._target, params=parameters),
            size=len(step.actions),
        )
        response: Answer = self._request(call)
        return response

    def _ask(self, step: Ask) -> Answer:
        """Return the response to a request beside the bulk requests, or the error; it is sent once."""
        try:
            answer: Answer = self._request(Call(step.name, lambda client: step.request(without_retries(client))))
        except NeuralSparseError as error:
            return error
        return answer

    def _declare(self, batch: Sequence[BulkAction]) -> Answer:
        with self._declaring:
            return _drive(self._new_fields.declare(batch), self._request)

    def _request(self, call: Call) -> Any:
        """Return the response to a request, or the error."""
        client, index = self._client, self._index
        try:
            with observe_request(call.name, index, client, call.size), translated_errors(client, index):
                return readable(call.send(client))
        except (ServerConnectionError, ServerRequestError) as error:
            return error


def _drive(steps: Generator[Wanted, Any, Result], perform: Callable[[Wanted], Any]) -> Result:
    """Perform each step of a generator, and return its result."""
    answer = None
    while True:
        try:
            step = steps.send(answer)
        except StopIteration as finished:
            result: Result = finished.value
            return result
        answer = perform(step)


def after_refresh(report: BulkReport, answer: Mapping[str, Any] | NeuralSparseError, index: str) -> BulkReport:
    """Return the report of a write after the refresh of its index.

    A server that refuses to refresh for us is a warning, since the write is done.

    Args:
        report: The report of the write.
        answer: The response to the refresh, or the error.
        index: Index or alias.
    """
    if not isinstance(answer, NeuralSparseError):
        if "_shards" in answer:
            return report
        answer = unreadable_answer("it lacks '_shards'")
    if not isinstance(answer, ServerRequestError) or answer.status not in REFUSALS:
        return replace(report, stopped=f"All is written, but index {index!r} was not refreshed. {answer}")
    warn_caller(
        LimitedRightsWarning(
            f"The server refused to refresh index {index!r} (status {answer.status}): the written documents are found "
            "later, at the index's own refresh. WriteOptions(refresh=False) requests none."
        )
    )
    return report


def timed(options: WriteOptions | None, client: Any) -> WriteOptions:
    """Return options with the timeout of the client where they have none.

    Args:
        options: How to write.
        client: A client, blocking or asynchronous.
    """
    options = WriteOptions() if options is None else options
    check_type(WriteOptions, options=options)
    if options.request_timeout is not None:
        return options
    return replace(options, request_timeout=client.transport.kwargs.get("timeout") or DEFAULT_TIMEOUT)


def write_target(index: str, state: IndexInfo | None) -> str:
    """Return what requests name: the concrete index, so that an alias that moves in that moment takes none along."""
    return index if state is None or state.write_index is None else state.write_index


def bulk_parameters(options: WriteOptions) -> dict[str, Any]:
    """Return the parameters of a bulk request; only what is read of the answer is asked for."""
    parameters: dict[str, Any] = {"request_timeout": options.request_timeout, "filter_path": BULK_ANSWER}
    if options.pipeline is not None:
        parameters["pipeline"] = options.pipeline
    if options.refresh == "wait_for":
        parameters["refresh"] = "wait_for"
    if options.routing is not None:
        parameters["routing"] = options.routing
    return parameters


def _collect(
    scheduler: BulkScheduler, under_way: dict[Future[BulkReport], int], done: Iterable[Future[BulkReport]]
) -> None:
    for future in done:
        scheduler.finish(under_way.pop(future), future.result())
