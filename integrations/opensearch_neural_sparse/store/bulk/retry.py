"""Split, retry and report a batch of bulk actions; no network and no clock.

`send_with_retries` is a generator: it yields steps and receives their responses, so that the blocking and the
asynchronous sender share every decision.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opensearch_neural_sparse.errors import NeuralSparseError, ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.bulk.actions import BulkAction, read_items
from opensearch_neural_sparse.index.bulk.report import NOT_SENT, BulkFailure, BulkReport
from opensearch_neural_sparse.store.write_options import WriteOptions

TOO_LARGE = 413
RETRIED_REFUSALS = frozenset({429, 502, 503, 504})
"""Statuses of a whole request after which it is sent again: every action names its id, so twice is as once."""
UNKNOWN_AFTER = frozenset({502, 504})
"""Of these, the ones a proxy gives when it does not know either."""

Refused = list[tuple[BulkAction, BulkFailure]]


@dataclass(frozen=True)
class Send:
    """Send these actions; answer with the response, or with the error."""

    actions: Sequence[BulkAction]

    @property
    def body(self) -> bytes:
        """The newline-delimited request."""
        return b"".join(action.body for action in self.actions)


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds; answer None."""

    seconds: float


@dataclass(frozen=True)
class Skipped:
    """A batch that was not sent."""

    reason: str


@dataclass(frozen=True)
class Misfit:
    """A batch that was not sent, because some of its actions do not fit the index; the others are sent again.

    Attributes:
        failed: Why, for each of these actions.
        fitting: The others.
    """

    failed: tuple[BulkFailure, ...]
    fitting: tuple[BulkAction, ...]


Step = Send | Pause
Answer = Mapping[str, Any] | NeuralSparseError | Skipped | Misfit | None


def split_batches(
    actions: Iterable[BulkAction | BulkFailure], options: WriteOptions
) -> Iterator[tuple[list[BulkAction], BulkReport]]:
    """Yield batches within the options' count and bytes, each with the failures met on the way to it."""
    batch: list[BulkAction] = []
    failed: list[BulkFailure] = []
    size = 0
    for action in actions:
        if isinstance(action, BulkFailure):
            failed.append(action)
            continue
        if batch and size + len(action.body) > options.batch_bytes:
            yield batch, BulkReport(failed=tuple(failed))
            batch, failed, size = [], [], 0
        batch.append(action)
        size += len(action.body)
        if len(batch) == options.batch_size:
            yield batch, BulkReport(failed=tuple(failed))
            batch, failed, size = [], [], 0
    if batch or failed:
        yield batch, BulkReport(failed=tuple(failed))


def send_with_retries(actions: Sequence[BulkAction], options: WriteOptions) -> Generator[Step, Answer, BulkReport]:
    """Send a batch, with retries; the generator returns the report of every action.

    Items refused with 429 or 503 are sent again alone, after pauses that double and before anything further is sent, so
    that writes of one id keep their order; a request that is too large is halved; a request without an answer is not
    sent again, its ids are of unknown outcome and the delivery stops. It stops as well where something is withheld.
    """
    report = BulkReport()
    waiting = deque([(tuple(actions), 0)] if actions else [])
    while waiting:
        batch, attempt = waiting.popleft()
        answer = yield Send(batch)
        outcome, refused, halves = _classify(batch, answer)
        report += outcome
        waiting.extendleft((half, attempt) for half in reversed(halves))
        if report.stopped:
            return report + not_sent([action for rest, _ in waiting for action in rest], report.stopped)
        refused = _without_superseded(refused, batch)
        if refused and attempt >= options.max_retries:
            report += _given_up(refused)
        elif refused:
            yield Pause(options.backoff(attempt) * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, not a secret)
            waiting.appendleft((tuple(action for action, _ in refused), attempt + 1))
    return report


def _classify(
    batch: tuple[BulkAction, ...], answer: Answer
) -> tuple[BulkReport, Refused, tuple[tuple[BulkAction, ...], ...]]:
    if isinstance(answer, Skipped):
        return replace(not_sent(batch, answer.reason), stopped=answer.reason), [], ()
    if isinstance(answer, Misfit):
        return BulkReport(failed=answer.failed), [], (answer.fitting,) if answer.fitting else ()
    if isinstance(answer, ServerConnectionError):
        return BulkReport(unknown=_ids(batch), stopped=str(answer)), [], ()
    if isinstance(answer, ServerRequestError):
        if answer.status == TOO_LARGE and len(batch) > 1:
            middle = len(batch) // 2
            return BulkReport(), [], (batch[:middle], batch[middle:])
        refused = [(action, _failure(action, answer)) for action in batch]
        if answer.status in RETRIED_REFUSALS:
            return BulkReport(), refused, ()
        stopped = None if answer.status == TOO_LARGE else str(answer)
        return BulkReport(failed=tuple(failure for _, failure in refused), stopped=stopped), [], ()
    if not isinstance(answer, Mapping):
        raise answer or TypeError("The answer to a batch is the server's response or an error.")
    report, crowded_out = read_items(batch, answer)
    return report, crowded_out, ()


def _given_up(refused: Refused) -> BulkReport:
    unknown = [action.id for action, failure in refused if failure.status in UNKNOWN_AFTER]
    failed = [failure for _, failure in refused if failure.status not in UNKNOWN_AFTER]
    return BulkReport(failed=tuple(failed), unknown=tuple(unknown))


def _without_superseded(refused: Refused, batch: tuple[BulkAction, ...]) -> Refused:
    # Of two actions on one id in a batch the later one stands; a retry of the earlier must not undo it.
    last = {action.id: action for action in batch} if refused else {}
    return [(action, failure) for action, failure in refused if last[action.id] is action]


def not_sent(actions: Sequence[BulkAction], reason: str) -> BulkReport:
    """Return the report of actions that were kept back, and why."""
    failed = [BulkFailure(id=action.id, status=None, error_type=NOT_SENT, reason=reason) for action in actions]
    return BulkReport(failed=tuple(failed))


def _failure(action: BulkAction, error: ServerRequestError) -> BulkFailure:
    return BulkFailure(id=action.id, status=error.status, error_type=error.error_type, reason=error.reason)


def _ids(actions: Iterable[BulkAction]) -> tuple[str, ...]:
    return tuple(action.id for action in actions)
