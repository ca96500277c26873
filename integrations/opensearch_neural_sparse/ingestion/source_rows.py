"""Rows of a source: documents with their places, and rows that are no document."""

from __future__ import annotations

from dataclasses import dataclass, field

from opensearch_neural_sparse.index.documents.document import SparseDocument


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """A document and its place in the source.

    Attributes:
        place: The file, and the line or number of the row in it; or the number of the row.
        document: The document.
    """

    place: str
    document: SparseDocument = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RefusedRow:
    """A refused row, or a whole refused file.

    Attributes:
        place: The file, and the line or number of the row in it.
        reason: What is wrong with it.
        rows: How many rows it stands for, where all of a file are wrong alike.
    """

    place: str
    reason: str
    rows: int = 1
