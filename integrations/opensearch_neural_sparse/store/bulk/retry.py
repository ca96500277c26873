"""Split, retry and report a batch of bulk actions; no network.

`send_with_retries` is a generator: it yields steps and receives their responses, so that the blocking and the
asynchronous sender share every decision.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from opensearch_neural_sparse.encode.engines.batching import HeldError
from opensearch_neural_sparse.errors import (
    SECURITY_EXCEPTION,
    UNREADABLE_ANSWER,
    NeuralSparseError,
    ServerConnectionError,
    ServerRequestError,
    unreadable_answer,
)
from opensearch_neural_sparse.index.bulk.actions import BulkAction, read_items
from opensearch_neural_sparse.index.bulk.report import NOT_SENT, BulkFailure, BulkReport
from opensearch_neural_sparse.store.write_options import WriteOptions

TOO_LARGE = 413
RETRIED_REFUSALS = frozenset({429, 502, 503, 504})
"""Statuses of a whole request after which it is sent again: every action names its id, so twice is as once."""
_REQUEST_TIMEOUT, _SERVER_ERROR, _UNAVAILABLE = 408, 500, 503

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
    """Yield batches within the options' count and bytes, each with the failures met on the way to it.

    An error of the source is raised after a batch of the actions before it.
    """
    batch: list[BulkAction] = []
    failed: list[BulkFailure] = []
    held, size = HeldError(actions), 0
    for action in held:
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
    held.release()


def send_with_retries(
    actions: Sequence[BulkAction], options: WriteOptions, clock: Callable[[], float] = monotonic
) -> Generator[Step, Answer, BulkReport]:
    """Send a batch, with retries; the generator returns the report of every action.

    Items refused with 429 or 503 are sent again alone, after pauses that double and before anything further is sent, so
    that writes of one id keep their order. A request that is refused by 429, 502, 503 or 504, whose connection broke or
    whose answer cannot be read is sent again whole; one that is too large is halved; one that timed out is not sent
    again. No retry begins once `WriteOptions.retry_seconds` are over. The delivery stops after a request that had no
    answer to the end, or where something is withheld. An action is of unknown outcome where the server may have carried
    out one of its attempts.
    """
    report, uncertain, ends_at = BulkReport(), set[str](), clock() + options.retry_seconds
    waiting = deque([(tuple(actions), 0)] if actions else [])
    while waiting:
        batch, attempt = waiting.popleft()
        answer = checked(batch, (yield Send(batch)))
        if may_be_written(answer):
            uncertain.update(action.id for action in batch)
        outcome, refused, halves = _classify(batch, answer)
        report += outcome if isinstance(answer, Mapping) else _with_unknown(outcome, uncertain)
        waiting.extendleft((half, attempt) for half in reversed(halves))
        refused = _without_superseded(refused, batch)
        if refused and (attempt >= options.max_retries or clock() >= ends_at):
            stopped = None if isinstance(answer, Mapping) else str(answer)
            report += _with_unknown(BulkReport(failed=tuple(failure for _, failure in refused)), uncertain)
            report = replace(report, stopped=report.stopped or stopped)
        elif refused:
            yield Pause(options.backoff(attempt) * random.uniform(0.5, 1.0))  # noqa: S311 (jitter, not a secret)
            waiting.appendleft((tuple(action for action, _ in refused), attempt + 1))
        if report.stopped:
            rest = [action for later, _ in waiting for action in later]
            return report + _with_unknown(not_sent(rest, report.stopped), uncertain)
    return report


def checked(batch: tuple[BulkAction, ...], answer: Answer) -> Answer:
    """Return the answer, or the error of one without an outcome of each action."""
    if isinstance(answer, NeuralSparseError | Skipped | Misfit):
        return answer
    items = answer.get("items") if isinstance(answer, Mapping) else None
    if isinstance(items, list) and len(items) == len(batch) and all(map(_is_item, items)):
        return answer
    return unreadable_answer(f"it lacks the outcomes of {len(batch)} documents")


def _is_item(item: object) -> bool:
    if not (isinstance(item, Mapping) and len(item) == 1):
        return False
    result = next(iter(item.values()))
    return isinstance(result, Mapping) and isinstance(result.get("status"), int)


def may_be_written(answer: Answer) -> bool:
    """Return whether the server may have carried out a request without saying so."""
    if isinstance(answer, ServerRequestError):
        if answer.error_type == SECURITY_EXCEPTION:  # of any status, raised before anything is done
            return False
        status = answer.status
        refused = 300 <= status < _SERVER_ERROR and status != _REQUEST_TIMEOUT
        return not refused and status != _UNAVAILABLE
    return isinstance(answer, ServerConnectionError)


def _classify(
    batch: tuple[BulkAction, ...], answer: Answer
) -> tuple[BulkReport, Refused, tuple[tuple[BulkAction, ...], ...]]:
    if isinstance(answer, Mapping):
        report, crowded_out = read_items(batch, answer)
        return report, crowded_out, ()
    if isinstance(answer, Skipped):
        return replace(not_sent(batch, answer.reason), stopped=answer.reason), [], ()
    if isinstance(answer, Misfit):
        return BulkReport(failed=answer.failed), [], (answer.fitting,) if answer.fitting else ()
    if not isinstance(answer, ServerConnectionError | ServerRequestError):
        raise answer or TypeError("The answer to a batch is the server's response or an error.")
    refused = [(action, _failure(action, answer)) for action in batch]
    if _is_retried(answer):
        return BulkReport(), refused, ()
    too_large = isinstance(answer, ServerRequestError) and answer.status == TOO_LARGE
    if too_large and len(batch) > 1:
        middle = len(batch) // 2
        return BulkReport(), [], (batch[:middle], batch[middle:])
    failed = tuple(failure for _, failure in refused)
    return BulkReport(failed=failed, stopped=None if too_large else str(answer)), [], ()


def _is_retried(error: ServerConnectionError | ServerRequestError) -> bool:
    if isinstance(error, ServerConnectionError):
        return not error.timed_out
    return error.status in RETRIED_REFUSALS or error.error_type == UNREADABLE_ANSWER


def _with_unknown(report: BulkReport, uncertain: Collection[str]) -> BulkReport:
    """Return a report in which failures of actions that may be carried out are unknown outcomes."""
    unknown = tuple(failure.id for failure in report.failed if failure.id in uncertain)
    failed = tuple(failure for failure in report.failed if failure.id not in uncertain)
    return replace(report, failed=failed, unknown=report.unknown + unknown)


def _without_superseded(refused: Refused, batch: tuple[BulkAction, ...]) -> Refused:
    # Of two actions on one id in a batch the later one stands; a retry of the earlier must not undo it.
    last = {action.id: action for action in batch} if refused else {}
    return [(action, failure) for action, failure in refused if last[action.id] is action]


def not_sent(actions: Sequence[BulkAction], reason: str) -> BulkReport:
    """Return the report of actions that were kept back, and why."""
    failed = [BulkFailure(id=action.id, status=None, error_type=NOT_SENT, reason=reason) for action in actions]
    return BulkReport(failed=tuple(failed))


def _failure(action: BulkAction, error: ServerConnectionError | ServerRequestError) -> BulkFailure:
    if isinstance(error, ServerConnectionError):
        return BulkFailure(id=action.id, status=None, error_type=type(error).__name__, reason=str(error))
    reason = f"the whole request was refused with status {error.status}: {error.reason}"
    return BulkFailure(id=action.id, status=error.status, error_type=error.error_type, reason=reason)
