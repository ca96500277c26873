"""Entries of a journal as JSON values, by columns: in its log, hundreds are written and read at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry


def to_columns(entries: Sequence[JournalEntry]) -> Sequence[Sequence[Any]]:
    """Return ids, contents in hexadecimal digits, places, runs and routings; nothing for no entries.

    Args:
        entries: The entries.
    """
    if not entries:
        return ()
    ids, contents, places, runs, routings = zip(*entries, strict=True)
    return ids, [content.hex() for content in contents], places, runs, routings


def from_columns(columns: Sequence[Sequence[Any]]) -> Iterator[JournalEntry]:
    """Yield the entries of what `to_columns` returned.

    Args:
        columns: The columns.
    """
    for name, content, place, run, routing in zip(*columns, strict=True):
        yield JournalEntry(name, bytes.fromhex(content), place, run, routing)
