"""A load: rows of a source, where their journal lies, and what happens to rows that fail."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.arguments import check_count, check_flag, check_path, check_text, check_texts
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.ingestion.journals.journal import Journal
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow

LoadedRow = SourceRow | RefusedRow | SparseDocument | Mapping[str, Any] | str
"""A row with its place, or a document as `write()` takes it, with its number as its place."""
Embed = Callable[[Sequence[Any]], Sequence[Any]]


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
        sync: Whether documents whose rows are gone from the source are deleted at the end; it needs a journal. Places
            of rows, or of whole files, delete those alone.
        dead_letters: File for rows that could not be read, encoded or written; None keeps only their count and the
            first reasons.
        keep_rows: Whether dead letters hold the documents, as far as JSON can.
        max_errors: How many rows may fail before the load ends early; None sets no limit.
        embed: Adds vectors of the caller's own, such as dense ones, to documents that are to be written; returns them
            in their order. It takes the core's documents, and by Haystack's document store Haystack's.
        only: Places of the rows to load, or of whole files; None loads all.

    Raises:
        TypeError: The rows are not iterable, or one document.
        ValueError: `sync` or `restart` without a journal, `sync` with `only`, or a negative limit.
    """

    rows: Iterable[Any] = field(kw_only=False, repr=False)
    source: str = "documents"
    journal: str | Path | Journal | None = None
    restart: bool = False
    sync: bool | Collection[str] = False
    dead_letters: str | Path | None = None
    keep_rows: bool = False
    max_errors: int | None = None
    embed: Embed | None = field(default=None, repr=False)
    only: Collection[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.rows, str | Mapping | SparseDocument) or not isinstance(self.rows, Iterable):
            raise TypeError(f"A load takes several documents, got one {type(self.rows).__name__}; put it into a list.")
        check_text(source=self.source)
        check_flag(restart=self.restart, keep_rows=self.keep_rows)
        check_path(optional=True, dead_letters=self.dead_letters)
        check_count(0, optional=True, max_errors=self.max_errors)
        check_texts(optional=True, only=self.only)
        if not isinstance(self.sync, bool):
            check_texts(sync=self.sync)
            object.__setattr__(self, "sync", frozenset(self.sync))
        for option in ("restart", "sync"):
            if getattr(self, option) and self.journal is None:
                raise ValueError(f"{option}=True needs a journal: journal='articles.journal'.")
        if self.sync and self.only is not None:
            raise ValueError("sync=True needs all rows, but only=... names some. Leave one of them out.")

    def includes(self, place: str) -> bool:
        """Return whether the row of a place is to be loaded.

        Args:
            place: Its place.
        """
        return self.only is None or _names(self.only, place)

    def deletes(self, place: str) -> bool:
        """Return whether a document is deleted when the row of its place is gone.

        Args:
            place: Its place.
        """
        return self.sync if isinstance(self.sync, bool) else _names(self.sync, place)


def _names(places: Collection[str], place: str) -> bool:
    """Return whether a place, or its file, is one of several."""
    return place in places or place.rpartition(":")[0] in places
