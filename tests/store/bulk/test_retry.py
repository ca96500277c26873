"""What is retried, cut and given up, without a server: `send_with_retries` is told answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import BulkReport, ServerConnectionError, ServerRequestError, WriteOptions
from opensearch_neural_sparse.errors import unreadable_answer
from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.store.bulk.retry import (
    Answer,
    Misfit,
    Pause,
    Send,
    Skipped,
    send_with_retries,
    split_batches,
)

OPTIONS = WriteOptions(max_retries=3, initial_backoff=1.0, max_backoff=3.0)
FULL = {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "queue is full"}}
BAD = {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "wrong type"}}
DONE = {"status": 201}
BROKEN = ServerConnectionError("http://localhost:1", "Connection reset by peer")
HUNG = ServerConnectionError("http://localhost:1", "the request timed out", timed_out=True)
BUSY = ServerRequestError(429, "busy", "busy")


def actions(*names: str, size: int = 10) -> list[BulkAction]:
    return [BulkAction(id=name, body=name.encode().ljust(size, b".")) for name in names]


def items(*results: Mapping[str, Any]) -> dict[str, Any]:
    return {"items": [{"index": result} for result in results]}


class Conversation:
    """Drives a delivery: answers each batch with the next of the given answers, or by a function."""

    def __init__(self, answers: Sequence[Answer] | Callable[[Sequence[BulkAction]], Answer]) -> None:
        self.answers = answers
        self.sent: list[list[str]] = []
        self.pauses: list[float] = []

    def run(
        self, batch: Sequence[BulkAction], options: WriteOptions = OPTIONS, clock: Callable[[], float] = lambda: 0.0
    ) -> BulkReport:
        steps = send_with_retries(batch, options, clock)
        answer: Answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as finished:
                report: BulkReport = finished.value
                return report
            answer = self.answer(step)

    def answer(self, step: Send | Pause) -> Answer:
        if isinstance(step, Pause):
            self.pauses.append(step.seconds)
            return None
        self.sent.append([action.id for action in step.actions])
        return self.answers(step.actions) if callable(self.answers) else self.answers[len(self.sent) - 1]


def test_what_is_withheld_in_the_midst_of_retries_was_not_sent() -> None:
    conversation = Conversation([items(DONE, FULL), Skipped("gone")])
    report = conversation.run(actions("a", "b"))
    assert conversation.sent == [["a", "b"], ["b"]]
    assert (report.written, report.unknown, report.stopped) == (1, (), "gone")
    assert [(failure.id, failure.error_type) for failure in report.failed] == [("b", "not_sent")]


def test_actions_that_do_not_fit_are_left_out_and_the_others_sent() -> None:
    batch = actions("a", "b", "c")
    refused = BulkFailure(id="b", status=None, error_type="IndexSchemaError", reason="of another kind")
    conversation = Conversation([Misfit((refused,), (batch[0], batch[2])), items(DONE, DONE)])
    assert conversation.run(batch) == BulkReport(written=2, failed=(refused,))
    assert conversation.sent == [["a", "b", "c"], ["a", "c"]]
    assert Conversation([Misfit((refused,), ())]).run(batch[1:2]) == BulkReport(failed=(refused,))


def test_items_that_were_crowded_out_are_sent_again_alone() -> None:
    conversation = Conversation([items(DONE, FULL, DONE, FULL), items(FULL, DONE), items(DONE)])
    assert conversation.run(actions("a", "b", "c", "d")) == BulkReport(written=4)
    assert conversation.sent == [["a", "b", "c", "d"], ["b", "d"], ["b"]]


def test_pauses_double_with_jitter_up_to_a_limit() -> None:
    conversation = Conversation([items(FULL)] * 4)
    report = conversation.run(actions("a"))
    assert (report.written, [failure.status for failure in report.failed]) == (0, [429])
    assert len(conversation.sent) == 4
    for pause, longest in zip(conversation.pauses, [1.0, 2.0, 3.0], strict=True):
        assert longest / 2 <= pause <= longest


def test_no_retry_begins_once_the_time_of_a_batch_is_over() -> None:
    options = WriteOptions(max_retries=3, initial_backoff=1.0, max_backoff=3.0, request_timeout=60.0)
    assert options.retry_seconds == 60.0 + 1.0 + 2.0 + 3.0
    times = iter([0.0, 50.0, 66.0])
    slow = Conversation([ServerRequestError(504, "slow", "slow")] * 4)
    report = slow.run(actions("a"), options, lambda: next(times))
    assert slow.sent == [["a"], ["a"]]
    assert "504" in str(report.stopped)


def test_item_that_is_wrong_is_not_sent_again() -> None:
    conversation = Conversation([items(DONE, BAD, DONE)])
    report = conversation.run(actions("a", "b", "c"))
    assert report.written == 2
    assert report.failed == (
        BulkFailure(id="b", status=400, error_type="mapper_parsing_exception", reason="wrong type"),
    )


def test_request_that_is_too_large_is_halved() -> None:
    def at_most_two(batch: Sequence[BulkAction]) -> Answer:
        return items(*[DONE] * len(batch)) if len(batch) <= 2 else ServerRequestError(413, "too_large", "too large")

    conversation = Conversation(at_most_two)
    assert conversation.run(actions(*"abcdefg")) == BulkReport(written=7)
    assert [name for batch in conversation.sent if len(batch) <= 2 for name in batch] == list("abcdefg")


def test_document_that_is_too_large_alone_fails_and_the_others_pass() -> None:
    def without_b(batch: Sequence[BulkAction]) -> Answer:
        names = [action.id for action in batch]
        return ServerRequestError(413, "too_large", "too large") if "b" in names else items(*[DONE] * len(names))

    report = Conversation(without_b).run(actions("a", "b", "c"))
    assert report.written == 2
    assert [(failure.id, failure.status) for failure in report.failed] == [("b", 413)]
    assert report.stopped is None


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_refused_request_is_sent_again_whole(status: int) -> None:
    conversation = Conversation([ServerRequestError(status, "busy", "busy"), items(DONE, DONE)])
    assert conversation.run(actions("a", "b")) == BulkReport(written=2)
    assert conversation.sent == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize(("status", "unknown"), [(429, ()), (503, ()), (502, ("a",)), (504, ("a",))])
def test_request_refused_to_the_end_fails_or_is_of_unknown_outcome(status: int, unknown: tuple[str, ...]) -> None:
    report = Conversation([ServerRequestError(status, "busy", "busy")] * 4).run(actions("a"))
    assert report.unknown == unknown
    assert [failure.id for failure in report.failed] == ([] if unknown else ["a"])


@pytest.mark.parametrize("error", [BUSY, BROKEN])
def test_request_refused_to_the_end_stops_the_write(error: Answer) -> None:
    report = Conversation([ServerRequestError(413, "too_large", "too large"), *[error] * 4]).run(actions(*"ab"))
    assert report.stopped == str(error)
    assert [(failure.id, failure.error_type) for failure in report.failed][-1] == ("b", "not_sent")


def test_item_refused_to_the_end_does_not_stop_the_write() -> None:
    assert Conversation([items(FULL)] * 4).run(actions("a")).stopped is None


def test_request_whose_connection_broke_is_sent_again() -> None:
    conversation = Conversation([BROKEN, items(DONE, DONE)])
    assert conversation.run(actions("a", "b")) == BulkReport(written=2)
    assert len(conversation.pauses) == 1


@pytest.mark.parametrize(
    "answer", [{}, {"items": []}, {"items": "b"}, items(DONE, DONE), items({}), {"items": [{}]}, None, ["a"], 7]
)
def test_answer_without_outcomes_is_no_success(answer: Any) -> None:
    assert Conversation([answer, items(DONE)]).run(actions("a")) == BulkReport(written=1)
    report = Conversation([answer] * 4).run(actions("a"))
    assert (report.written, report.failed, report.unknown) == (0, (), ("a",))
    assert "unreadable_answer" in str(report.stopped)


@pytest.mark.parametrize("first", [BROKEN, ServerRequestError(502, "http_error", "x"), {"items": []}])
@pytest.mark.parametrize(
    "last", [[BUSY] * 3, [items(FULL)] * 3, [Skipped("gone")], [HUNG], [unreadable_answer("x")] * 3]
)
def test_what_an_earlier_attempt_may_have_written_is_of_unknown_outcome(first: Answer, last: list[Answer]) -> None:
    report = Conversation([first, *last]).run(actions("a"))
    assert (report.written, report.failed, report.unknown) == (0, (), ("a",))


def test_item_that_the_server_refuses_after_all_is_a_failure() -> None:
    report = Conversation([BROKEN, items(BAD)]).run(actions("a"))
    assert ([failure.status for failure in report.failed], report.unknown) == ([400], ())


@pytest.mark.parametrize(("status", "unknown"), [(500, ("a",)), (408, ("a",)), (520, ("a",)), (403, ()), (501, ("a",))])
def test_refusal_that_says_nothing_of_the_write_leaves_it_unknown(status: int, unknown: tuple[str, ...]) -> None:
    report = Conversation([ServerRequestError(status, "http_error", "x")]).run(actions("a"))
    assert report.unknown == unknown
    assert [failure.status for failure in report.failed] == ([] if unknown else [status])
    assert f"status {status}" in str(report.stopped)


def test_request_that_timed_out_leaves_its_ids_unknown_and_stops() -> None:
    conversation = Conversation([ServerRequestError(413, "too_large", "too large"), items(DONE, DONE), HUNG])
    report = conversation.run(actions("a", "b", "c", "d"))
    assert (report.written, report.unknown) == (2, ("c", "d"))
    assert report.stopped == str(HUNG)
    conversation = Conversation([ServerRequestError(413, "too_large", "too large"), HUNG])
    report = conversation.run(actions("a", "b", "c", "d"))
    assert report.unknown == ("a", "b")
    assert [(failure.id, failure.error_type) for failure in report.failed] == [("c", "not_sent"), ("d", "not_sent")]


def test_request_that_may_not_be_made_fails_and_stops() -> None:
    report = Conversation([ServerRequestError(403, "security_exception", "no permissions")]).run(actions("a", "b"))
    assert [(failure.id, failure.status) for failure in report.failed] == [("a", 403), ("b", 403)]
    assert "no permissions" in str(report.stopped)


def test_earlier_version_of_a_document_is_not_written_over_the_later_one() -> None:
    first, second = BulkAction(id="a", body=b"1"), BulkAction(id="a", body=b"2")
    conversation = Conversation([items(FULL, DONE), items()])
    assert conversation.run([first, second]).written == 1
    assert conversation.sent == [["a", "a"]]


def test_later_version_in_the_other_half_is_written_after_the_retry_of_the_earlier() -> None:
    rows = [BulkAction(id=name, body=body) for name, body in (("a", b"1"), ("b", b"1"), ("a", b"2"), ("c", b"1"))]
    conversation = Conversation(
        [ServerRequestError(413, "too_large", "too large"), items(FULL, DONE), items(DONE), items(DONE, DONE)]
    )
    assert conversation.run(rows).written == 4
    assert conversation.sent[1:] == [["a", "b"], ["a"], ["a", "c"]]


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 7), st.integers(1, 100))
def test_batches_keep_order_and_stay_within_their_limits(sizes: list[int], count: int, limit: int) -> None:
    rows = [BulkAction(id=f"{n}", body=b"x" * size) for n, size in enumerate(sizes)]
    batches = [batch for batch, _ in split_batches(iter(rows), WriteOptions(batch_size=count, batch_bytes=limit))]
    assert [action for batch in batches for action in batch] == rows
    for batch in batches:
        assert 1 <= len(batch) <= count
        assert len(batch) == 1 or sum(len(action.body) for action in batch) <= limit


def test_actions_before_an_error_of_the_source_are_a_batch() -> None:
    failure = BulkFailure(id="x", status=None, error_type="x", reason="y")
    a, b = actions("a", "b")

    def source() -> Iterator[BulkAction | BulkFailure]:
        yield a
        yield failure
        yield b
        raise OSError("unreadable")

    batches = split_batches(source(), WriteOptions(batch_size=10))
    batch, report = next(batches)
    assert (batch, report.failed) == ([a, b], (failure,))
    with pytest.raises(OSError, match="unreadable"):
        next(batches)


def test_failures_on_the_way_travel_with_the_batches() -> None:
    failures = [BulkFailure(id=name, status=None, error_type="x", reason="y") for name in "xyz"]
    a, b = actions("a", "b")
    batches = list(split_batches([failures[0], a, failures[1], b, failures[2]], WriteOptions(batch_size=1)))
    assert [batch for batch, _ in batches] == [[a], [b], []]
    assert [failure for _, report in batches for failure in report.failed] == failures
    assert [report.failed for _, report in split_batches(failures, OPTIONS)] == [tuple(failures)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"batch_bytes": 0},
        {"refresh": "later"},
        {"operation": "update"},
        {"request_timeout": 0},
        {"request_timeout": float("inf")},
    ],
)
def test_write_options_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"batch|refresh|update|request_timeout"):
        WriteOptions(**wrong)
