"""Dead letters: documents that could not be read, encoded or written, as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from opensearch_neural_sparse.errors import IndexSchemaError, JournalError
from opensearch_neural_sparse.ingestion.kept_rows import document_of_row
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow

Stage = Literal["read", "prepare", "encode", "write"]
"""Stage at which a document failed: its row, its fields, its vector, or the server."""


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A row that was not loaded.

    Attributes:
        id: The document's id; None where the row has none.
        place: Its place in the source.
        stage: Where it failed.
        reason: What was wrong.
        row: The document as JSON values, with the keys of `SparseDocument`; None where it was not to be kept, could not
            be read, or holds a value that JSON has no type for.
        rows: How many rows it stands for, where all of a file are wrong alike.
    """

    id: str | None
    place: str
    stage: Stage
    reason: str
    row: Mapping[str, Any] | None = None
    rows: int = 1


class DeadLetterFile:
    """A file of dead letters, one JSON object a line; a file that exists is replaced at the first letter.

    Args:
        path: The file; without a letter it is not made, and one of an earlier run is deleted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def begin(self) -> None:
        """Delete the file of an earlier run."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, letter: DeadLetter) -> None:
        """Append a letter; it is in the file when this returns."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8")
        content = {name: value for name, value in vars(letter).items() if name != "row" or value is not None}
        self._file.write(json.dumps(content, ensure_ascii=True) + "\n")
        self._file.flush()


def row_of(letter: DeadLetter) -> SourceRow | RefusedRow:
    """Return the document that a dead letter holds, or why there is none."""
    if letter.row is None:
        return RefusedRow(
            place=letter.place, reason="its document was not kept; load it from its source", rows=letter.rows
        )
    try:
        return SourceRow(place=letter.place, document=document_of_row(letter.row))
    except (IndexSchemaError, TypeError) as error:
        return RefusedRow(place=letter.place, reason=str(error))


def read_dead_letters(path: Path) -> Iterator[DeadLetter]:
    """Read a file of dead letters.

    Raises:
        JournalError: A line is no dead letter.
    """
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield DeadLetter(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise JournalError(
                    f"{path}:{number} is not a dead letter ({error}). Name a file of dead letters."
                ) from None
