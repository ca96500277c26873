"""A row of a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a file.

    Attributes:
        place: The file, and the line or number of the row in it.
        values: Its columns by name.
    """

    place: str
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RowWithoutText(RefusedRow):
    """A row without the text column.

    Attributes:
        columns: Those that it has.
    """

    columns: tuple[str, ...]


def too_long(longest: int) -> str:
    """Return the reason for which a row that is too long is refused.

    Args:
        longest: Most bytes of a row.
    """
    return f"it is longer than {longest:,} bytes, which --max-row-bytes raises"


def twice(names: Iterable[str]) -> str | None:
    """Return the first name that occurs a second time; None where all differ."""
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
