"""A load: rows of a source, where their journal lies, and what happens to rows that fail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.ingestion.journal import Journal
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow

LoadedRow = SourceRow | RefusedRow | SparseDocument | Mapping[str, Any] | str
"""A row with its place, or a document as `write()` takes it, with its number as its place."""
Embed = Callable[[Sequence[SparseDocument]], Sequence[SparseDocument]]


@dataclass(frozen=True, kw_only=True)
class Load:
    """Rows that are loaded into an index.

    With a journal, a load that ended early goes on where it ended, and one that is repeated encodes and writes only
    the rows that changed. A row without an id gets one by its place, so that it has the same one each time.

    Attributes:
        rows: Documents, read once, a batch at a time: `SourceRow`, `RefusedRow`, or what `write()` takes; in a
            framework's layer its documents, too.
        source: Name of the source; a journal belongs to one.
        journal: The file of the journal, or a journal of another kind; None loads every row, each time.
        restart: Whether to drop what the journal holds and load every row.
        sync: Whether documents whose rows are gone from the source are deleted at the end; it needs a journal.
        dead_letters: File for rows that could not be read, encoded or written; None keeps only their count and the
            first reasons.
        keep_rows: Whether dead letters hold the documents.
        max_errors: How many rows may fail before the load ends early; None sets no limit.
        embed: Adds vectors of the caller's own, such as dense ones, to documents that are to be written; returns them
            in their order.
        only: Places of the rows to load, or of whole files; None loads all.

    Raises:
        TypeError: The rows are not iterable, or one document.
        ValueError: `sync` or `restart` without a journal, `sync` with `only`, or a negative limit.
    """

    rows: Iterable[Any] = field(kw_only=False, repr=False)
    source: str = "documents"
    journal: str | Path | Journal | None = None
    restart: bool = False
    sync: bool = False
    dead_letters: str | Path | None = None
    keep_rows: bool = False
    max_errors: int | None = None
    embed: Embed | None = field(default=None, repr=False)
    only: Collection[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.rows, str | Mapping | SparseDocument) or not isinstance(self.rows, Iterable):
            raise TypeError(f"A load takes several documents, got one {type(self.rows).__name__}; put it into a list.")
        for option in ("restart", "sync"):
            if getattr(self, option) and self.journal is None:
                raise ValueError(f"{option}=True needs a journal: journal='articles.journal'.")
        if self.sync and self.only is not None:
            raise ValueError("sync=True needs all rows, but only=... names some. Leave one of them out.")
        if self.max_errors is not None and self.max_errors < 0:
            raise ValueError(f"max_errors is 0 or more, got {self.max_errors}.")

    def includes(self, place: str) -> bool:
        """Return whether the row of a place is to be loaded.

        Args:
            place: Its place.
        """
        return self.only is None or place in self.only or place.rpartition(":")[0] in self.only
