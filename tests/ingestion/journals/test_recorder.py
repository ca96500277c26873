from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry
from opensearch_neural_sparse.ingestion.journals.recorder import AHEAD, Recorder


class SlowJournal:
    """Records when it is let, and fails where it is said to."""

    def __init__(self) -> None:
        self.recorded: dict[str, JournalEntry] = {}
        self.read: list[str] = []
        self.open, self.fails = threading.Event(), False

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        return {name: self.recorded[name] for name in ids if name in self.recorded}

    def commit(self, entries: Sequence[JournalEntry]) -> None:
        assert self.open.wait(10)
        if self.fails:
            raise OSError("the disk is full")
        self.recorded |= {entry.id: entry for entry in entries}

    def mark_read(self, ids: Sequence[str]) -> None:
        self.read += ids


@pytest.fixture
def journal() -> SlowJournal:
    return SlowJournal()


@pytest.fixture
def recorder(journal: SlowJournal) -> Iterator[Recorder]:
    recorder = Recorder(journal)  # type: ignore[arg-type]
    yield recorder
    journal.open.set()
    recorder._thread.shutdown()


def entry(name: str, content: bytes = b"x") -> JournalEntry:
    return JournalEntry(name, content, "place", 1)


def test_entries_are_found_before_they_are_recorded_and_after(journal: Any, recorder: Recorder) -> None:
    recorder.commit([entry("a"), entry("b")])
    recorder.commit([entry("a", b"later")])
    assert recorder.entries(["a", "b", "c"]) == {"a": entry("a", b"later"), "b": entry("b")}
    assert journal.recorded == {}
    journal.open.set()
    recorder.wait()
    assert journal.recorded == recorder.entries(["a", "b", "c"]) == {"a": entry("a", b"later"), "b": entry("b")}


def test_order_is_kept_and_empty_groups_are_left_out(journal: Any, recorder: Recorder) -> None:
    recorder.commit([entry("a")])
    recorder.mark_read([])
    recorder.commit([])
    recorder.mark_read(["b"])
    assert len(recorder._waiting) == 2
    assert journal.read == []
    journal.open.set()
    recorder.close()
    assert journal.read == ["b"]


def test_load_waits_where_the_journal_falls_behind(journal: Any, recorder: Recorder) -> None:
    for number in range(AHEAD):
        recorder.commit([entry(str(number))])
    further = threading.Thread(target=recorder.commit, args=[[entry("further")]])
    further.start()
    further.join(0.05)
    assert further.is_alive()
    journal.open.set()
    further.join(10)
    assert not further.is_alive()


def test_error_of_the_journal_is_raised_at_a_later_call(journal: Any, recorder: Recorder) -> None:
    journal.fails = True
    for number in range(AHEAD):
        recorder.commit([entry(str(number))])
    journal.open.set()
    with pytest.raises(OSError, match="the disk is full"):
        recorder.commit([entry("further")])
    with pytest.raises(OSError, match="the disk is full"):
        recorder.close()
