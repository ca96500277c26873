"""Work of many requests, written once for the blocking and the asynchronous store.

Such work is a generator that yields what is to be asked and is told the answer. `advance` takes it one step on: the
blocking store asks and goes on, the asynchronous one awaits, and lets what lies between the requests run in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.store.write_options import WriteOptions

Result = TypeVar("Result")
Call = Callable[[Any], Any]
"""A client, blocking or asynchronous -> the response, or what awaits it."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Actions to be sent to an index; the answer is a `BulkReport`."""

    index: str
    actions: Sequence[BulkAction | BulkFailure]
    options: WriteOptions


Step = Call | Delivery
Steps = Generator[Step, Any, Result]


@dataclass(frozen=True)
class Done(Generic[Result]):
    """The end of the work, and what came of it."""

    result: Result


def advance(work: Steps[Result], answer: Any) -> Step | Done[Result]:
    """Go on with the work until it asks again or is done."""
    try:
        return work.send(answer)
    except StopIteration as end:
        return Done(end.value)
