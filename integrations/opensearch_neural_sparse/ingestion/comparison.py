"""Comparison of rows with what is known of their ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from opensearch_neural_sparse.ingestion.content_hash import content_hash
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry
from opensearch_neural_sparse.ingestion.source_rows import SourceRow


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Rows by what is to be done with them.

    Attributes:
        changed: Rows to be written, each with its entry for the journal.
        unchanged: Ids of rows that the index holds as they are.
        conflicts: Rows that cannot be written beside what is known of their ids, and why.
    """

    changed: Sequence[tuple[SourceRow, JournalEntry]]
    unchanged: Sequence[str]
    conflicts: Sequence[tuple[SourceRow, str]]


def compare(
    rows: Sequence[SourceRow],
    known: Mapping[str, JournalEntry],
    entry_of: Callable[[SourceRow, bytes | None], JournalEntry],
) -> Comparison:
    """Compare rows, which have ids, with what is known of them.

    Args:
        rows: The rows, in their order.
        known: Id -> what is under way or recorded.
        entry_of: Makes the entry of a row and the hash of its content.
    """
    known = dict(known)
    changed, unchanged, conflicts = [], [], []
    for row in rows:
        content = content_hash(row.document)
        entry = entry_of(row, content)
        before = known.get(entry.id)
        if before is not None and (reason := _conflict(entry, before)) is not None:
            conflicts.append((row, reason))
        elif before is not None and before.content == content:
            unchanged.append(entry.id)
            known[entry.id] = before._replace(run=entry.run)
        else:
            known[entry.id] = entry
            changed.append((row, entry))
    return Comparison(changed=changed, unchanged=unchanged, conflicts=conflicts)


def _conflict(entry: JournalEntry, before: JournalEntry) -> str | None:
    """Return why a row cannot be written beside what is known of its id, or None."""
    if before.run == entry.run and (before.content != entry.content or not entry.content):
        return f"its id {before.id!r} is that of {before.place}, too; ids are unique in a load"
    if before.routing != entry.routing:
        return (
            f"its routing was {before.routing!r} when it was written, and is {entry.routing!r} now: the index would "
            "hold it twice. Delete the former document, or give this one another id"
        )
    return None
