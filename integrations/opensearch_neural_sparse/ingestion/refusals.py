"""Rows that were refused: their dead letters, the first of them, and whether there are too many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Lock

from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter, DeadLetterFile
from opensearch_neural_sparse.ingestion.report import FIRST_LETTERS


class Refusals:
    """Counts the rows of a load that were refused, and writes their dead letters; threads may share it.

    Args:
        path: The file of dead letters, or None.
        most: How many rows may be refused before the load ends early; None sets no limit.

    Attributes:
        rows: How many rows were refused.
        first: The letters of the first ones, without their documents.
    """

    def __init__(self, path: str | Path | None, most: int | None) -> None:
        self._file = None if path is None else DeadLetterFile(Path(path))
        self._most, self._lock = most, Lock()
        self.rows = 0
        self.first: list[DeadLetter] = []

    @property
    def too_many(self) -> str | None:
        """The reason to end the load early, after too many refused rows; or None."""
        if self._most is None or self.rows <= self._most:
            return None
        return f"More than {self._most} rows failed (max_errors, --max-errors); repeat the load to resume."

    def begin(self) -> None:
        """Delete the file of an earlier run."""
        if self._file is not None:
            self._file.begin()

    def add(self, letter: DeadLetter) -> None:
        """Count a letter and write it.

        Args:
            letter: The letter.
        """
        with self._lock:
            if self._file is not None:
                self._file.write(letter)
            if len(self.first) < FIRST_LETTERS:
                self.first.append(replace(letter, row=None))
            self.rows += letter.rows

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
