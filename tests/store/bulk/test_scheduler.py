"""Which batches travel together, without a server: batches arrive in any order."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import BulkReport, ServerConnectionError, WriteOptions
from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.store.bulk.retry import Send
from opensearch_neural_sparse.store.bulk.scheduler import BulkScheduler, Decision


def batch(*names: str) -> list[BulkAction]:
    return [BulkAction(id=name, body=name.encode()) for name in names]


def failure(name: str) -> BulkFailure:
    return BulkFailure(id=name, status=400, error_type="x", reason="y")


def test_batches_travel_together_up_to_the_limit() -> None:
    scheduler = BulkScheduler(2)
    first = scheduler.start(batch("a"))
    scheduler.start(batch("b"))
    assert scheduler.decide(batch("c")) is Decision.WAIT
    scheduler.finish(first, BulkReport(written=1))
    assert scheduler.decide(batch("c")) is Decision.SEND


def test_batch_waits_for_the_one_that_holds_one_of_its_ids() -> None:
    scheduler = BulkScheduler(3)
    first = scheduler.start(batch("a", "b"))
    scheduler.start(batch("c"))
    assert scheduler.decide(batch("b", "d")) is Decision.WAIT
    assert scheduler.decide(batch("d")) is Decision.SEND
    scheduler.finish(first, BulkReport(written=2))
    assert scheduler.decide(batch("b", "d")) is Decision.SEND


def test_nothing_sets_out_after_a_delivery_has_stopped() -> None:
    scheduler = BulkScheduler(2)
    first, second = scheduler.start(batch("a")), scheduler.start(batch("b"))
    scheduler.finish(second, BulkReport(unknown=("b",), stopped="gone"))
    assert scheduler.decide(batch("c")) is Decision.STOP
    scheduler.skip(batch("c"))
    scheduler.finish(first, BulkReport(written=1))
    report = scheduler.report()
    assert (report.written, report.unknown, report.stopped) == (1, ("b",), "gone")
    assert [(failed.id, failed.error_type, failed.reason) for failed in report.failed] == [("c", "not_sent", "gone")]


def test_batch_next_in_line_stays_when_the_one_before_it_stops() -> None:
    scheduler, options = BulkScheduler(2), WriteOptions()
    before, following = scheduler.deliver(batch("a"), options), scheduler.deliver(batch("b"), options)
    assert isinstance(next(before), Send)
    with pytest.raises(StopIteration) as stopped:
        before.send(ServerConnectionError("an address", "gone", timed_out=True))
    assert stopped.value.value.unknown == ("a",)
    with pytest.raises(StopIteration) as stayed:
        next(following)
    assert [(failed.id, failed.error_type) for failed in stayed.value.value.failed] == [("b", "not_sent")]


def test_server_that_is_gone_before_a_batch_leaves_nothing_unknown() -> None:
    scheduler = BulkScheduler(2)
    first = scheduler.start(batch("a"))
    scheduler.stop("gone")
    assert scheduler.decide(batch("b")) is Decision.STOP
    scheduler.skip(batch("b"))
    scheduler.finish(first, BulkReport(written=1))
    report = scheduler.report()
    assert (report.written, report.unknown, report.stopped) == (1, (), "gone")
    assert [(failed.id, failed.error_type) for failed in report.failed] == [("b", "not_sent")]


def test_reason_to_stop_is_kept_whatever_else_is_noted() -> None:
    scheduler = BulkScheduler(2)
    scheduler.stop("gone")
    scheduler.finish(scheduler.start(batch("a")), BulkReport(written=1))
    assert (scheduler.stopped, scheduler.report()) == ("gone", BulkReport(written=1, stopped="gone"))


def test_report_is_in_the_order_of_the_batches_whatever_arrives_first() -> None:
    scheduler = BulkScheduler(3)
    scheduler.add(BulkReport(failed=(failure("0"),)))
    numbers = [scheduler.start(batch(name)) for name in "abc"]
    for number, name in reversed(list(zip(numbers, "abc", strict=True))):
        scheduler.finish(number, BulkReport(written=1, failed=(failure(name),), unknown=(name,)))
    report = scheduler.report()
    assert [failed.id for failed in report.failed] == ["0", "a", "b", "c"]
    assert (report.written, report.unknown) == (3, ("a", "b", "c"))


@given(
    st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), max_size=12), st.integers(1, 4), st.randoms()
)
def test_last_write_of_an_id_stands_whatever_arrives_first(
    batches: list[list[str]], in_flight: int, chance: random.Random
) -> None:
    scheduler, stored = BulkScheduler(in_flight), {}
    under_way: dict[int, tuple[int, Sequence[BulkAction]]] = {}

    def arrive() -> None:
        number = chance.choice(list(under_way))
        version, arrived = under_way.pop(number)
        stored.update({action.id: version for action in arrived})
        scheduler.finish(number, BulkReport(written=len(arrived)))

    for version, names in enumerate(batches):
        while scheduler.decide(batch(*names)) is Decision.WAIT:
            arrive()
        under_way[scheduler.start(batch(*names))] = version, batch(*names)
        assert len(under_way) <= in_flight
    while under_way:
        arrive()
    assert stored == {name: version for version, names in enumerate(batches) for name in names}
    assert scheduler.report() == BulkReport(written=sum(map(len, batches)))


def test_no_request_in_flight_is_refused() -> None:
    with pytest.raises(ValueError, match="in_flight is 0; it must be 1 or more"):
        WriteOptions(in_flight=0)
