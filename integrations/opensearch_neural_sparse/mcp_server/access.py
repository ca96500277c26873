"""Access of agents: which indices, which of their documents, and how many at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError
from opensearch_neural_sparse.mcp_server.agent_filters import agent_filter
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW

DEFAULT_SIZE_LIMIT = 50
_NAME = re.compile(r"[^-_+.,*?<>:/\\|\"#\s\[\]][^,*?<>:/\\|\"#\s\[\]]*")
"""The name of one index or alias: no list, no pattern, no date math, no other cluster, not hidden."""
_PATTERN = re.compile(r"[^-_+.,<>:/\\|\"#\s?\[\]][^,<>:/\\|\"#\s?\[\]]*")


@dataclass(frozen=True, kw_only=True)
class Access:
    """Limits that hold for every call of an agent.

    Attributes:
        indices: Names of indices and aliases, and patterns with `*`, which stand for indices alone.
        fence: A query clause that every document satisfies that an agent sees, or a list of such.
        size_limit: Most documents of a call, 1 to 10,000.

    Raises:
        ValueError: No index, a name or pattern that is none, or a limit out of range.
        FilterSyntaxError: A fence that is no filter.
    """

    indices: Sequence[str]
    fence: Filter | None = field(default=None, repr=False)
    size_limit: int = DEFAULT_SIZE_LIMIT

    def __post_init__(self) -> None:
        if not self.indices:
            raise ValueError("No index is named. Name the indices that may be searched, or a pattern such as 'docs-*'.")
        for name in self.indices:
            if _PATTERN.fullmatch(name) is None:
                raise ValueError(f"{name!r} is neither the name of one index or alias nor a pattern such as 'docs-*'.")
        if not 1 <= self.size_limit <= LARGEST_WINDOW:
            raise ValueError(f"The limit of documents is {self.size_limit}, not 1 to {LARGEST_WINDOW}.")
        filter_clauses(self.fence)

    @property
    def names(self) -> list[str]:
        """Indices and aliases that are named one by one."""
        return [name for name in dict.fromkeys(self.indices) if "*" not in name]

    @property
    def patterns(self) -> list[str]:
        """Patterns of indices."""
        return [name for name in dict.fromkeys(self.indices) if "*" in name]

    def check_name(self, index: str) -> None:
        """Check that a name may be asked for at all, before the server is.

        Args:
            index: The name.

        Raises:
            IndexNotFoundError: It may not; the message is that of an index that does not exist.
        """
        if _NAME.fullmatch(index) is None or not (index in self.names or self.matches(index)):
            raise not_searchable(index)

    def check_found(self, index: str, found: Collection[str]) -> None:
        """Check the indices behind a name: an alias may be searched where it is named itself, not by a pattern.

        Args:
            index: The name.
            found: The indices behind it.

        Raises:
            IndexNotFoundError: It is an alias that only a pattern fits.
        """
        if index not in self.names and set(found) != {index}:
            raise not_searchable(index)

    def matches(self, index: str) -> bool:
        """Return whether a pattern stands for an index.

        Args:
            index: Its name.
        """
        return any(fnmatchcase(index, pattern) for pattern in self.patterns)

    def fenced(self, given: Filter | None = None) -> list[dict[str, Any]]:
        """Return the clauses of the fence and of an agent's filter, all of which documents satisfy.

        Args:
            given: The agent's filter, or None.

        Raises:
            FilterSyntaxError: The agent's filter is none, or has a clause that agents may not use.
        """
        return [*filter_clauses(self.fence), *agent_filter(given)]

    def check_size(self, size: int, what: str = "size") -> None:
        """Check how many documents a call asks for.

        Args:
            size: How many.
            what: What is counted.

        Raises:
            ValueError: None, or more than the limit.
        """
        if not 1 <= size <= self.size_limit:
            raise ValueError(f"{what} is {size}; this server allows 1 to {self.size_limit}.")


def not_searchable(index: str) -> IndexNotFoundError:
    """Return the error of an index that an agent may not search, which says no more than of one that does not exist.

    Args:
        index: The name that was asked for.
    """
    return IndexNotFoundError(index, "list_indices names those that can be searched.")
