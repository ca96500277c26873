"""Reports of loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from opensearch_neural_sparse.error_reasons import first_of
from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter

FIRST_LETTERS = 20
"""Number of dead letters that a report holds; the file has them all."""


@dataclass(frozen=True, kw_only=True)
class LoadProgress:
    """Progress of a load.

    Attributes:
        read: Rows read.
        unchanged: Of these, the ones that the index holds as they are.
        written: Documents that the server has taken.
        refused: Rows that could not be read, encoded or written.
        seconds: Seconds since its start.
    """

    read: int = 0
    unchanged: int = 0
    written: int = 0
    refused: int = 0
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Number of rows that are written, unchanged or refused."""
        return self.written + self.unchanged + self.refused

    @property
    def under_way(self) -> int:
        """Number of rows that were read and are being encoded or sent."""
        return self.read - self.done

    @property
    def written_per_second(self) -> float:
        """Documents written per second since the start."""
        return self.written / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, kw_only=True)
class LoadReport(LoadProgress):
    """Report of a load.

    Attributes:
        deleted: Documents that were deleted, since their rows are gone.
        left: Rows that were read but neither written nor refused, as the load ended early.
        letters: The first rows that were refused.
        stopped: Why the load ended early, or None.
        not_deleted: Why documents of rows that are gone were not deleted, or None.
        unknown: Ids that were sent without an answer: written or not. They count as left.
        without_vector: Vector field -> ids of documents that were written without a vector in it.
    """

    deleted: int = 0
    left: int = 0
    letters: tuple[DeadLetter, ...] = ()
    stopped: str | None = None
    not_deleted: str | None = None
    unknown: tuple[str, ...] = ()
    without_vector: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every row is in the index."""
        return not (self.refused or self.left or self.stopped or self.not_deleted)

    def __str__(self) -> str:
        counts = f"{self.written} written, {self.unchanged} unchanged, {self.refused} refused, {self.left} left"
        text = f"{counts}, {self.deleted} deleted."
        if self.letters:
            text += f" Refused: {first_of((f'{each.place}: {each.reason}' for each in self.letters), 5, '; ')}."
        for reason in (self.not_deleted, self.stopped):
            text += f" {reason}" if reason else ""
        return text
