"""The time of a request and its attempts."""

from __future__ import annotations

import pickle

import pytest
from opensearchpy.exceptions import ConnectionError as NoConnection
from opensearchpy.exceptions import ConnectionTimeout, TransportError

from opensearch_neural_sparse.transport.connection_failures import timed_out
from opensearch_neural_sparse.transport.connections import deadline as module
from opensearch_neural_sparse.transport.connections.deadline import (
    RequestDeadline,
    RequestTimedOut,
    attempt,
    deadline_of,
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock)
    return clock


def refused(deadline: RequestDeadline, clock: Clock, error: TransportError, *, after: float, left: float = 5.0) -> None:
    """Make an attempt that has so many seconds left, and fails after some of them."""
    with deadline.attempt() as seconds:
        assert seconds == left
        clock.now += after
        raise error


def test_deadline_is_the_seconds_of_an_attempt_to_whoever_knows_of_none() -> None:
    assert (RequestDeadline(2.5), RequestDeadline(2.5, 4)) == (2.5, 2.5)


def test_attempts_share_the_time(clock: Clock) -> None:
    deadline = RequestDeadline(5.0)
    busy = TransportError(503, "busy", {})
    for left in (5.0, 3.0, 1.0):
        with pytest.raises(TransportError) as error:
            refused(deadline, clock, busy, after=2.0, left=left)
        assert error.value is busy
    with pytest.raises(RequestTimedOut) as over, deadline.attempt():
        pytest.fail("no time is left")
    assert (over.value.seconds, over.value.attempts, over.value.failure) == (5.0, 3, busy)


def test_error_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(RequestTimedOut(2.0, 3, TransportError(503, "busy", {}))))
    assert (error.seconds, error.attempts, error.failure.status_code) == (2.0, 3, 503)
    assert "no whole answer within 2 s" in error.error


def test_attempts_that_may_be_repeated_have_the_time_each(clock: Clock) -> None:
    deadline = RequestDeadline(5.0, 2)
    for attempts in (1, 2):
        with pytest.raises(RequestTimedOut) as error:
            refused(deadline, clock, ConnectionTimeout("TIMEOUT", "slow"), after=5.0)
        assert (error.value.seconds, error.value.attempts) == (10.0, attempts)


def test_broken_connection_at_the_end_of_the_time_has_timed_out(clock: Clock) -> None:
    with pytest.raises(NoConnection) as early:
        refused(RequestDeadline(5.0), clock, NoConnection("N/A", "reset"), after=1.0)
    assert not isinstance(early.value, RequestTimedOut)
    with pytest.raises(RequestTimedOut):
        refused(RequestDeadline(5.0), clock, NoConnection("N/A", "read timed out"), after=5.0)


def test_refusal_at_the_end_of_the_time_is_what_it_is(clock: Clock) -> None:
    refusal = TransportError(400, "wrong", {})
    with pytest.raises(TransportError) as error:
        refused(RequestDeadline(5.0), clock, refusal, after=6.0)
    assert error.value is refusal


@pytest.mark.parametrize(
    ("timeout", "usual", "seconds"), [(None, 7, 7), (3, 7, 3), (None, None, None), ("5s", 7, "5s")]
)
def test_attempt_without_a_deadline_has_its_own_time(timeout: object, usual: object, seconds: object) -> None:
    with attempt(timeout, usual) as given:
        assert given == pytest.approx(seconds, abs=0.1) if isinstance(seconds, int) else given == seconds


@pytest.mark.parametrize("given", [None, "5s", 0])
def test_what_is_no_time_stays(given: object) -> None:
    assert deadline_of(given) is given


@pytest.mark.parametrize("last", [ConnectionTimeout("TIMEOUT", "slow"), NoConnection("N/A", "reset")])
def test_answer_before_an_attempt_without_one_is_kept(clock: Clock, last: TransportError) -> None:
    deadline = RequestDeadline(5.0)
    with pytest.raises(TransportError):
        refused(deadline, clock, TransportError(504, "late", {}), after=1.0)
    with pytest.raises(RequestTimedOut) as error:
        refused(deadline, clock, last, after=4.0, left=4.0)
    assert error.value.failure.status_code == 504
    assert timed_out(error.value).endswith("in which it was sent 2 times; the last answer had status 504")


def test_timeout_without_any_answer_has_no_status(clock: Clock) -> None:
    with pytest.raises(RequestTimedOut) as error:
        refused(RequestDeadline(5.0), clock, ConnectionTimeout("TIMEOUT", "slow"), after=5.0)
    assert timed_out(error.value) == "the request timed out after 5 s"
