from collections.abc import Callable

import pytest

from opensearch_neural_sparse import IndexNotFoundError, IndexSchema, ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.index_info import IndexState
from opensearch_neural_sparse.store.bulk import index_guard
from opensearch_neural_sparse.store.bulk.index_guard import TRUSTED_FOR, Lookout
from opensearch_neural_sparse.store.bulk.scheduler import Flow

THERE = {"articles": {"settings": {"index": {"uuid": "first"}}}}
ANOTHER = {"articles": {"settings": {"index": {"uuid": "second"}}}}
STATE = IndexState(
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
    watching = Lookout("articles", STATE)
    assert watching.is_due()
    watching.judge(Flow(2), THERE, asked=100.0)
    assert not watching.is_due()
    wait(0.9 * TRUSTED_FOR)
    assert not watching.is_due()
    wait(0.2 * TRUSTED_FOR)
    assert watching.is_due()


def test_index_is_looked_at_in_the_end_where_a_batch_relied_on_an_earlier_look(wait: Callable[[float], None]) -> None:
    watching = Lookout("articles", STATE)
    for _ in range(3):
        assert watching.is_due()
        watching.judge(Flow(2), THERE, asked=index_guard.monotonic())
        wait(TRUSTED_FOR)
    assert not watching.is_due_at_the_end()
    watching.judge(Flow(2), THERE, asked=index_guard.monotonic())
    assert not watching.is_due()
    wait(TRUSTED_FOR)
    assert watching.is_due()
    assert watching.is_due_at_the_end()


def test_another_index_stops_the_write_and_is_not_trusted() -> None:
    watching, flow = Lookout("articles", STATE), Flow(2)
    watching.judge(flow, ANOTHER, asked=index_guard.monotonic())
    assert "another index" in str(flow.report().stopped)
    assert watching.is_due()


def test_without_a_state_the_index_is_the_one_that_was_found_first() -> None:
    watching, flow = Lookout("articles", None), Flow(2)
    watching.judge(flow, THERE, asked=0.0)
    watching.judge(flow, THERE | {"articles-2": ANOTHER["articles"]}, asked=0.0)
    assert flow.stopped is None
    watching.judge(flow, ANOTHER, asked=0.0)
    assert "another index" in str(flow.stopped)


def test_server_without_room_for_a_look_stops_nothing_and_is_asked_again() -> None:
    watching, flow = Lookout("articles", STATE), Flow(2)
    watching.pass_over(flow, ServerRequestError(429, "circuit_breaking_exception", "too large"))
    assert flow.stopped is None
    assert watching.is_due()
    assert watching.is_due_at_the_end()
    watching.pass_over(flow, ServerConnectionError("an address", "gone"))
    assert "gone" in str(flow.stopped)


def test_missing_index_is_an_error() -> None:
    with pytest.raises(IndexNotFoundError, match="articles"):
        Lookout("articles", None).judge(Flow(2), {}, asked=0.0)


def test_index_that_may_not_be_looked_at_is_not() -> None:
    watching = Lookout("articles", IndexState.unchecked("articles", IndexSchema()))
    assert not watching.is_due()
    assert not watching.is_due_at_the_end()
