"""Schedule the batches of a bulk write; no network and no threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from enum import Enum, auto

from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import NOT_SENT, NOT_WRITTEN, BulkReport
from opensearch_neural_sparse.store.bulk.lost_answers.look_up import LookUp
from opensearch_neural_sparse.store.bulk.lost_answers.requests import Ask
from opensearch_neural_sparse.store.bulk.retry import Answer, Step, not_sent, send_with_retries
from opensearch_neural_sparse.store.write_options import WriteOptions

Observe = Callable[[Sequence[str], BulkReport], None]
AHEAD = 1
"""Batches that wait, ready, for one in flight to arrive, so that the server need not wait while one is prepared."""


class Decision(Enum):
    """Whether a batch is sent now, waits for another one, or is not sent."""

    SEND = auto()
    WAIT = auto()
    STOP = auto()


class BulkScheduler:
    """Schedules the batches of a bulk write and collects their reports.

    At most `most` batches are under way: in flight, or next in line. They may arrive in any order, but a batch waits
    for those under way that hold one of its ids, retries included: of several writes of one id the last one stands.
    Once one batch has stopped the write, no other is sent.

    Args:
        most: Most batches under way.
        observe: Called with the ids of a batch and its report, once that is known, and with the reports of actions
            that were not sent.
        look_up: Looks up documents whose answer was lost; by default none is.
    """

    def __init__(self, most: int, observe: Observe | None = None, look_up: LookUp | None = None) -> None:
        self._most, self._observe, self._look_up = most, observe, look_up
        self._under_way: dict[int, list[str]] = {}
        self._reports: list[BulkReport] = []
        self._stopped: str | None = None

    def decide(self, batch: Sequence[BulkAction]) -> Decision:
        """Return the decision on a batch."""
        if self._stopped is not None:
            return Decision.STOP
        if len(self._under_way) >= self._most:
            return Decision.WAIT
        ids = {action.id for action in batch}
        return Decision.SEND if all(map(ids.isdisjoint, self._under_way.values())) else Decision.WAIT

    def start(self, batch: Sequence[BulkAction]) -> int:
        """Register a batch that is sent, and return its number."""
        number = len(self._reports)
        self._under_way[number] = [action.id for action in batch]
        self._reports.append(BulkReport())
        return number

    def deliver(self, batch: Sequence[BulkAction], options: WriteOptions) -> Generator[Step | Ask, Answer, BulkReport]:
        """Send a batch, unless another one has stopped the write."""
        if self._stopped is not None:
            return not_sent(batch, self._stopped)
        look_up = self._look_up
        report = yield from send_with_retries(batch, options) if look_up is None else look_up.deliver(batch)
        self._stopped = self._stopped or report.stopped
        return report

    def finish(self, number: int, report: BulkReport) -> None:
        """Register the report of a batch."""
        ids = self._under_way.pop(number)
        self._reports[number] = report
        self._notify(ids, report)
        self._stopped = self._stopped or report.stopped

    def add(self, report: BulkReport) -> None:
        """Add the report of actions that were never sent."""
        self._reports.append(report)
        if report.failed:
            self._notify([], report)

    @property
    def stopped(self) -> str | None:
        """The reason why nothing else is sent, or None."""
        return self._stopped

    def stop(self, reason: str) -> None:
        """Stop the write; any thread may call it."""
        self._stopped = self._stopped or reason

    def skip(self, batch: Sequence[BulkAction]) -> None:
        """Add a batch that is not sent, because the write has stopped."""
        self.add(not_sent(batch, str(self._stopped)))

    def _notify(self, ids: Sequence[str], report: BulkReport) -> None:
        if self._observe is not None:
            self._observe(ids, report)

    def report(self) -> BulkReport:
        """Return the report of all batches, in their order.

        A write did not end early where its last batch had no answer, and the index shows each outcome.
        """
        whole = BulkReport.total(self._reports)
        stopped = whole.stopped or self._stopped
        left = whole.unknown or any(failure.error_type in (NOT_SENT, NOT_WRITTEN) for failure in whole.failed)
        if self._look_up is not None and stopped in self._look_up.settled and not left:
            stopped = None
        return replace(whole, stopped=stopped)
