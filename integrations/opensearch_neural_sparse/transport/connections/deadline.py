"""The time of one request, its retries by the client included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Self

from opensearchpy.exceptions import ConnectionError as NoConnection
from opensearchpy.exceptions import ConnectionTimeout, TransportError


class RequestTimedOut(ConnectionTimeout):
    """The error of a request that has used up its time.

    Attributes:
        seconds: How long it was.
        attempts: How often the request was sent.
        failure: The error of the last attempt that was answered; of the first one where none was.
    """

    def __init__(self, seconds: float, attempts: int, failure: TransportError | None) -> None:
        super().__init__("TIMEOUT", f"no whole answer within {seconds:g} s", failure)
        self.seconds, self.attempts, self.failure = seconds, attempts, failure

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.seconds, self.attempts, self.failure)


class RequestDeadline(float):
    """Seconds of an attempt that know when the whole request ends; to a connection that does not ask, just seconds.

    Args:
        seconds: Longest time of an attempt.
        timed_attempts: How many attempts may take that long.
    """

    _total: float
    _ends_at: float
    _attempts: int
    _failure: TransportError | None

    def __new__(cls, seconds: float, timed_attempts: int = 1) -> Self:
        """Begin now."""
        deadline = super().__new__(cls, seconds)
        deadline._total = seconds * timed_attempts
        deadline._ends_at = monotonic() + deadline._total
        deadline._attempts, deadline._failure = 0, None
        return deadline

    @contextmanager
    def attempt(self) -> Iterator[float]:
        """Give the seconds that an attempt has.

        Raises:
            RequestTimedOut: None are left, or they are over without an answer.
        """
        left = self._ends_at - monotonic()
        if left <= 0:
            raise RequestTimedOut(self._total, self._attempts, self._failure)
        self._attempts += 1
        try:
            yield min(float(self), left)
        except TransportError as error:
            if self._failure is None or isinstance(error.status_code, int):
                self._failure = error
            if isinstance(error, ConnectionTimeout) or (isinstance(error, NoConnection) and self._is_over):
                raise RequestTimedOut(self._total, self._attempts, self._failure) from error
            raise

    @property
    def _is_over(self) -> bool:
        return monotonic() >= self._ends_at


@contextmanager
def attempt(timeout: Any, usual: Any) -> Iterator[Any]:
    """Give the seconds that an attempt of a request has; None where there is no limit.

    Args:
        timeout: The deadline of the request, or plain seconds of this attempt, or None.
        usual: Seconds of an attempt that has no timeout of its own.

    Raises:
        RequestTimedOut: The time is over.
    """
    seconds = timeout or usual
    deadline = seconds if isinstance(seconds, RequestDeadline) else deadline_of(seconds)
    if isinstance(deadline, RequestDeadline):
        with deadline.attempt() as left:
            yield left
    else:
        yield seconds


def deadline_of(seconds: Any, timed_attempts: int = 1) -> Any:
    """Return a deadline that begins now, or what was given where that is no time.

    Args:
        seconds: Longest time of an attempt, or None.
        timed_attempts: How many attempts may take that long.
    """
    is_time = isinstance(seconds, int | float) and seconds > 0
    return RequestDeadline(seconds, timed_attempts) if is_time else seconds
