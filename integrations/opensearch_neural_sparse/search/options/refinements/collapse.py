"""Collapse of hits by the values of a field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.short_repr import short_repr

MOST_OF_A_GROUP = 100
"""`index.max_inner_result_window`: maximum hits of a value."""
GROUP = "_group_hits"
"""Name of a value's hits in a response."""


@dataclass(frozen=True)
class Collapse:
    """Collapse of hits: each value of a field is found once, with its best documents.

    Attributes:
        field: A keyword or number field, with one value a document; documents without the field count as one value.
        size: How many of the best documents of each value come with it, in `SearchHit.group_hits`: 1 to 100. With 1,
            the best one alone is found.

    Raises:
        ValueError: No field, or a size that the server does not take.
    """

    field: str
    size: int = 1

    __repr__ = short_repr

    def __post_init__(self) -> None:
        if not isinstance(self.field, str) or not self.field:
            raise ValueError(f"collapse names a field, got {shown_value(self.field)}.")
        if isinstance(self.size, bool) or not isinstance(self.size, int) or not 1 <= self.size <= MOST_OF_A_GROUP:
            raise ValueError(f"A collapse has a size between 1 and {MOST_OF_A_GROUP}, got {shown_value(self.size)}.")

    @property
    def groups(self) -> bool:
        """Whether values come with several documents."""
        return self.size > 1

    def clause(self, source: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the collapse of a search body.

        Args:
            source: `_source` filter of the documents of a value.
        """
        if not self.groups:
            return {"field": self.field}
        fetched: dict[str, Any] = {"name": GROUP, "size": self.size}
        return {"field": self.field, "inner_hits": fetched if source is None else {**fetched, "_source": source}}


def collapse_of(collapse: str | Collapse | None) -> Collapse | None:
    """Return the collapse that an option names: a field's name stands for one of a single document a value."""
    return Collapse(collapse) if isinstance(collapse, str) else collapse
