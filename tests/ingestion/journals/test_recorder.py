from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest

from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry
from opensearch_neural_sparse.ingestion.journals.recorder import AHEAD, Recorder


class SlowLog:
    """Records when it is let, and fails where it is said to."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.open, self.begun, self.fails = threading.Event(), threading.Event(), False

    def record(self, entries: Sequence[JournalEntry]) -> None:
        self.begun.set()
        assert self.open.wait(10)
        if self.fails:
            raise OSError("the disk is full")
        self.groups.append([entry.id for entry in entries])


@pytest.fixture
def log() -> SlowLog:
    return SlowLog()


@pytest.fixture
def recorder(log: SlowLog) -> Iterator[Recorder]:
    recorder = Recorder(log.record)
    yield recorder
    log.open.set()
    recorder._thread.shutdown()


def group(*names: str) -> list[JournalEntry]:
    return [JournalEntry(name, b"x", "place", 1) for name in names]


def test_groups_that_wait_are_recorded_together_in_their_order(log: SlowLog, recorder: Recorder) -> None:
    recorder.add(group("a", "b"))
    assert log.begun.wait(10)
    for names in (["c"], ["a", "d"]):
        recorder.add(group(*names))
    log.open.set()
    recorder.wait()
    assert log.groups == [["a", "b"], ["c", "a", "d"]]
    recorder.add(group("e"))
    recorder.close()
    assert log.groups[2:] == [["e"]]


def test_load_waits_where_the_journal_falls_behind(log: SlowLog, recorder: Recorder) -> None:
    recorder.add(group("first"))
    assert log.begun.wait(10)
    for number in range(AHEAD - 1):
        recorder.add(group(str(number)))
    further = threading.Thread(target=recorder.add, args=[group("further")])
    further.start()
    further.join(0.05)
    assert further.is_alive()
    log.open.set()
    further.join(10)
    assert not further.is_alive()


def test_error_of_the_journal_is_raised_at_a_later_call(log: SlowLog, recorder: Recorder) -> None:
    log.fails = True
    recorder.add(group("first"))
    assert log.begun.wait(10)
    recorder.add(group("second"))
    log.open.set()
    with pytest.raises(OSError, match="the disk is full"):
        recorder.wait()
    with pytest.raises(OSError, match="the disk is full"):
        recorder.close()
    recorder.wait()


def test_error_is_raised_where_no_group_waits(log: SlowLog, recorder: Recorder) -> None:
    log.fails = True
    log.open.set()
    recorder.add(group("first"))
    recorder._under_way[0].exception(10)
    with pytest.raises(OSError, match="the disk is full"):
        recorder.add(group("second"))
