"""Journals of loads: which rows of a source an index holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from opensearch_neural_sparse.errors import JournalMismatchError


class JournalEntry(NamedTuple):
    """A row that the server has taken, or may have.

    Attributes:
        id: The document's id.
        content: Hash of what was written; empty where a write went without an answer.
        place: Its place in the source.
        run: Number of the run that read it last.
        routing: What its shard was chosen by, in place of the id; or None.
    """

    id: str
    content: bytes
    place: str
    run: int
    routing: str | None = None


class Gone(NamedTuple):
    """A document of a row that is gone.

    Attributes:
        id: The document's id.
        routing: What its shard was chosen by, in place of the id; or None.
        place: The place that its row had in the source.
    """

    id: str
    routing: str | None
    place: str


@dataclass(frozen=True, kw_only=True)
class LoadTarget:
    """Source, index and model stamp that a journal belongs to.

    Attributes:
        source: Name of the source.
        index: Name of the index.
        uuid: UUID of the concrete index, which differs from that of a later index of the same name.
        model: Stamp of the index as JSON: model, revision, pruning, lengths, chunking; empty where it carries none.
    """

    source: str
    index: str
    uuid: str
    model: str

    def ensure_same(self, recorded: Mapping[str, str], journal: str) -> None:
        """Check what an earlier run recorded.

        Args:
            recorded: Attribute -> its value then.
            journal: Name of the journal.

        Raises:
            JournalMismatchError: Source, index or model is another one.
        """
        for name, now in vars(self).items():
            if (before := recorded.get(name, now)) != now:
                raise JournalMismatchError(journal=journal, part=name, before=before, now=now, index=self.index)


@dataclass(frozen=True, kw_only=True)
class JournalStatus:
    """Target and counts of a journal.

    Attributes:
        target: What it belongs to; None before the first run.
        rows: How many rows the index holds by it.
        runs: How many runs there were.
        finished: Whether the last run read its source to the end.
        last: How many rows the last run read and found unchanged, or wrote.
    """

    target: LoadTarget | None
    rows: int
    runs: int
    finished: bool
    last: int


class Journal(Protocol):
    """A record of the rows that an index holds; one program at a time writes it."""

    @property
    def name(self) -> str:
        """Its name in messages."""

    def begin(self, target: LoadTarget, *, restart: bool) -> int:
        """Open the journal for a run, and return the run's number.

        Args:
            target: What is loaded, and where to.
            restart: Whether to drop what is recorded.

        Raises:
            JournalError: It cannot be used, or another program uses it.
            JournalMismatchError: It belongs to another source, index or model.
        """

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id."""

    def commit(self, entries: Sequence[JournalEntry]) -> None:
        """Record rows that the server has taken, or that this run has read and found there; at `flush` at the latest.

        Raises:
            JournalError: These, or earlier ones, cannot be recorded.
        """

    def flush(self) -> None:
        """Wait until everything is recorded.

        Raises:
            JournalError: Something cannot be recorded.
        """

    def gone(self) -> Iterator[list[Gone]]:
        """Yield, in batches, the documents of rows that this run has not read."""

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the entries of documents that are deleted."""

    def finish(self) -> None:
        """Record that this run has read its source to the end."""

    def close(self) -> None:
        """Record what waits, and close it; what is committed stays."""
