"""Steps of an operation, written once for the blocking and the asynchronous store.

An operation is a generator of steps. A driver performs each step and sends the result back, or throws the error into
the generator, so that an operation handles it where it arises.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.store.bulk.scheduler import Observe
from opensearch_neural_sparse.store.write_options import WriteOptions
from opensearch_neural_sparse.telemetry.conventions import Attributes

Result = TypeVar("Result")


@dataclass(frozen=True)
class Request:
    """A request to the server; the result is the response.

    Attributes:
        name: Its name in opensearch-py, such as `indices.get`.
        send: Client, blocking or asynchronous -> the response, or an awaitable of it.
        confirmed_by: A key of the response to a change that is not read otherwise; without it, it is no success.
        expected: An HTTP status that is a normal outcome, sent with `ignore` so that the client logs no warning; it is
            an error for the operation all the same.
        size: How many searches it holds.
    """

    name: str
    send: Callable[[Any], Any]
    confirmed_by: str | None = None
    expected: int | None = None
    size: int = 1


@dataclass(frozen=True)
class WithClient:
    """A function of the client that sends nothing; the result is what it returns."""

    function: Callable[[Any], Any]


@dataclass(frozen=True)
class Compute:
    """A function that computes or reads files; the result is what it returns.

    Attributes:
        function: The function.
        cheap: Whether it takes microseconds, so that an event loop calls it in place rather than in a thread.
        name: Its name in traces and logs, where it is worth one.
    """

    function: Callable[[], Any]
    cheap: bool = False
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class BulkWrite:
    """Bulk actions sent to an index; the result is a `BulkReport`.

    Attributes:
        index: Index or alias that is written to.
        actions: The actions, consumed once.
        options: How to write.
        info: The index when its documents were encoded; nothing is sent once the name has another target.
        observe: Called with the ids of a bulk request and its report, and with those of actions that were not sent.
    """

    index: str
    actions: Iterable[BulkAction | BulkFailure]
    options: WriteOptions
    info: IndexInfo | None = None
    observe: Observe | None = None


@dataclass(frozen=True)
class Exclusive:
    """An operation that only one thread or task at a time runs for a store; the result is its own."""

    operation: Callable[[], Steps[Any]]


@dataclass(frozen=True)
class Observed:
    """An operation that traces, metrics and logs show as a whole; the result is its own.

    Attributes:
        name: Its name there.
        operation: The operation.
        describe: Result -> attributes; called only where something reads them.
    """

    name: str
    operation: Callable[[], Steps[Any]]
    describe: Callable[[Any], Attributes]


@dataclass(frozen=True)
class EmbedLegs:
    """Legs with asynchronous embedders; the result is the legs with their vectors.

    Attributes:
        legs: The legs of a hybrid search.
        text: The text of the query.
    """

    legs: Sequence[Leg]
    text: str


@dataclass(frozen=True)
class Emit:
    """Documents for the caller of an operation that yields documents; there is no result."""

    documents: Sequence[SparseDocument]


Step = Request | WithClient | Compute | BulkWrite | Exclusive | Observed | EmbedLegs | Emit
Steps = Generator[Step, Any, Result]


def resume(steps: Steps[Any], result: Any, error: BaseException | None) -> Step:
    """Return the next step after the result, or the error, of the last one.

    Raises:
        StopIteration: The operation is done; its `value` is the operation's result.
    """
    return steps.send(result) if error is None else steps.throw(error)
