from collections.abc import Callable

import pytest

from opensearch_neural_sparse import IndexNotFoundError, IndexSchema, ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.store.bulk import index_guard
from opensearch_neural_sparse.store.bulk.index_guard import CHECK_INTERVAL, IndexGuard
from opensearch_neural_sparse.store.bulk.scheduler import BulkScheduler

THERE = {"articles": {"settings": {"index": {"uuid": "first"}}}}
ANOTHER = {"articles": {"settings": {"index": {"uuid": "second"}}}}
STATE = IndexInfo(
    schema=IndexSchema(),
    binding=None,
    indices=("articles",),
    shards=1,
    uuids={"articles": "first"},
    write_index="articles",
)


@pytest.fixture(name="wait")
def _wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = 100.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(index_guard, "monotonic", lambda: now)
    return wait


def test_index_is_looked_at_again_when_a_look_is_old(wait: Callable[[float], None]) -> None:
    guard = IndexGuard("articles", STATE)
    assert guard.is_due()
    guard.verify(BulkScheduler(2), THERE, asked=100.0)
    assert not guard.is_due()
    wait(0.9 * CHECK_INTERVAL)
    assert not guard.is_due()
    wait(0.2 * CHECK_INTERVAL)
    assert guard.is_due()


def test_index_is_looked_at_in_the_end_of_every_write_that_sent_something(wait: Callable[[float], None]) -> None:
    guard = IndexGuard("articles", STATE)
    assert not guard.is_due_finally()
    for _ in range(2):
        assert guard.is_due()
        guard.verify(BulkScheduler(2), THERE, asked=index_guard.monotonic())
        assert guard.is_due_finally()
        wait(CHECK_INTERVAL)


def test_another_index_stops_the_write_and_is_not_trusted() -> None:
    guard, scheduler = IndexGuard("articles", STATE), BulkScheduler(2)
    guard.verify(scheduler, ANOTHER, asked=index_guard.monotonic())
    assert "another index" in str(scheduler.report().stopped)
    assert guard.is_due()


def test_without_a_state_the_index_is_the_one_that_was_found_first() -> None:
    guard, scheduler = IndexGuard("articles", None), BulkScheduler(2)
    guard.verify(scheduler, THERE, asked=0.0)
    guard.verify(scheduler, THERE | {"articles-2": ANOTHER["articles"]}, asked=0.0)
    assert scheduler.stopped is None
    guard.verify(scheduler, ANOTHER, asked=0.0)
    assert "another index" in str(scheduler.stopped)


def test_server_without_room_for_a_look_stops_nothing_and_is_asked_again() -> None:
    guard, scheduler = IndexGuard("articles", STATE), BulkScheduler(2)
    guard.on_error(scheduler, ServerRequestError(429, "circuit_breaking_exception", "too large"))
    assert scheduler.stopped is None
    assert guard.is_due()
    assert guard.is_due_finally()
    guard.on_error(scheduler, ServerConnectionError("an address", "gone"))
    assert "gone" in str(scheduler.stopped)


def test_missing_index_is_an_error() -> None:
    with pytest.raises(IndexNotFoundError, match="articles"):
        IndexGuard("articles", None).verify(BulkScheduler(2), {}, asked=0.0)


def test_index_that_may_not_be_looked_at_is_not() -> None:
    guard = IndexGuard("articles", IndexInfo.unchecked("articles", IndexSchema()))
    assert not guard.is_due()
    assert not guard.is_due_finally()
