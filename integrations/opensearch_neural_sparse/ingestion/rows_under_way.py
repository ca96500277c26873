"""Rows that are about to be written, by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry


class RowUnderWay(NamedTuple):
    """A row that is about to be written.

    Attributes:
        entry: Its entry for the journal.
        document: Its document, where that is kept.
        former: The entry before.
    """

    entry: JournalEntry
    document: SparseDocument | None
    former: JournalEntry | None


class RowsUnderWay:
    """Rows between their reading and the answer of the server; of an id, several may wait."""

    def __init__(self) -> None:
        self._rows: dict[str, list[RowUnderWay]] = {}

    def add(self, row: RowUnderWay) -> None:
        """Add a row.

        Args:
            row: The row.
        """
        self._rows.setdefault(row.entry.id, []).append(row)

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id.

        Args:
            ids: The ids.
        """
        return {name: self._rows[name][0].entry for name in ids if name in self._rows}

    def take(self, name: str) -> RowUnderWay | None:
        """Take out the next row of an id; None where there is none.

        Args:
            name: The id.
        """
        if name not in self._rows:
            return None
        first, *rest = self._rows.pop(name)
        if rest:
            self._rows[name] = rest
        return first

    def clear(self) -> int:
        """Drop all rows, and return how many there were."""
        count = sum(map(len, self._rows.values()))
        self._rows.clear()
        return count
