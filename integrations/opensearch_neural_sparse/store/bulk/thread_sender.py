"""Bulk actions over a blocking client: several batches under way, in bounded memory."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from opensearch_neural_sparse.errors import (
    LimitedRightsWarning,
    NeuralSparseError,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.read_index import UUID_FILTER
from opensearch_neural_sparse.search.options.query_text import check_options
from opensearch_neural_sparse.store.bulk.index_guard import IndexGuard
from opensearch_neural_sparse.store.bulk.new_fields import NewFields
from opensearch_neural_sparse.store.bulk.retry import Answer, Send, Skipped, Step, split_batches
from opensearch_neural_sparse.store.bulk.scheduler import AHEAD, BulkScheduler, Decision, Observe
from opensearch_neural_sparse.store.write_options import WriteOptions
from opensearch_neural_sparse.transport.errors import REFUSALS, translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

Wanted = TypeVar("Wanted")
Result = TypeVar("Result")
BULK_ANSWER = "items.*.status,items.*.error"
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
        self._client, self._index, self._options = client, index, options or WriteOptions()
        check_options(self._options, WriteOptions)
        self._observe = observe
        self._guard, self._target = IndexGuard(index, state), write_target(index, state)
        self._new_fields, self._declaring = NewFields(index, self._target, state), Lock()

    def send(self, actions: Iterable[BulkAction | BulkFailure]) -> BulkReport:
        """Send actions, consuming them once, and return the report of each.

        Args:
            actions: Bulk actions as opensearch-py takes them, from any iterable.

        Raises:
            IndexNotFoundError: The index does not exist; it is not made.
        """
        scheduler, given_up = BulkScheduler(self._options.in_flight + AHEAD, self._observe), Event()
        with ThreadPoolExecutor(self._options.in_flight, "bulk") as pool:
            self._send(actions, scheduler, pool, given_up)
        if self._guard.is_due_finally() and scheduler.stopped is None:
            self._look(scheduler)
        report = scheduler.report()
        if self._options.refresh is True and report.written and not report.stopped:
            with unless_refresh_refused(self._index):
                self.refresh()
        return report

    def refresh(self) -> None:
        """Make what was written searchable."""
        with translated_errors(self._client, self._index):
            self._client.indices.refresh(index=self._index)

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
            under_way[submit(self._deliver, batch, scheduler, given_up)] = scheduler.start(batch)
            _collect(scheduler, under_way, wait(under_way, timeout=HEAD_START).done)

    def _look(self, scheduler: BulkScheduler) -> None:
        asked = monotonic()
        found = self._request(lambda client: client.indices.get(index=self._index, params=dict(UUID_FILTER)))
        if isinstance(found, NeuralSparseError):
            self._guard.on_error(scheduler, found)
        else:
            self._guard.verify(scheduler, found, asked=asked)

    def _deliver(self, batch: Sequence[BulkAction], scheduler: BulkScheduler, given_up: Event) -> BulkReport:
        def perform(step: Step) -> Answer:
            if isinstance(step, Send):
                return self._answer(step, scheduler)
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
        response: Answer = self._request(
            lambda client: client.bulk(body=step.body, index=self._target, params=parameters)
        )
        return response

    def _declare(self, batch: Sequence[BulkAction]) -> Answer:
        with self._declaring:
            return _drive(self._new_fields.declare(batch), self._request)

    def _request(self, request: Callable[[OpenSearch], Any]) -> Any:
        """Return the response to a request, or the error."""
        try:
            with translated_errors(self._client, self._index):
                return request(self._client)
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


@contextmanager
def unless_refresh_refused(index: str) -> Iterator[None]:
    """Warn, rather than fail a write that is done, where the server does not refresh for us."""
    try:
        yield
    except ServerRequestError as error:
        if error.status not in REFUSALS:
            raise
        warnings.warn(
            f"The server refused to refresh index {index!r} (status {error.status}): what was written is found later, "
            "at its own refresh. WriteOptions(refresh=False) does not ask for one.",
            LimitedRightsWarning,
            stacklevel=3,
        )


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
