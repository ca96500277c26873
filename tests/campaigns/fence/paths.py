"""A path: one way to search, through which a filter of a call passes beside a fence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.campaigns.fence.site import Site

Draw = Callable[[str], Any]
"""Kind (`body`, `aggregations`) -> a hostile one of it, by chance."""


@dataclass(frozen=True)
class Call:
    """One call on a path.

    Attributes:
        site: The indices.
        name: The name that is searched.
        fence: The fence in the syntax of the layer, or None where the server alone has one.
        hostile: The filter of the call.
        draw: Draws what else is hostile.
    """

    site: Site
    name: str
    fence: Any
    hostile: Any
    draw: Draw

    @property
    def joined(self) -> Any:
        """Fence and filter as one list of clauses, for methods that have no fence of their own."""
        if self.fence is None:
            return self.hostile
        fence = self.fence if isinstance(self.fence, list) else [self.fence]
        return [*fence, *(self.hostile if isinstance(self.hostile, list | tuple) else [self.hostile])]


@dataclass(frozen=True)
class Path:
    """A way to search.

    Attributes:
        name: What it is, for examples.
        covers: Methods that it goes through, as `Class.method`.
        fences: Fences in the syntax that it takes.
        search: Searches; a coroutine is awaited on the site's loop.
    """

    name: str
    covers: tuple[str, ...]
    fences: tuple[Any, ...]
    search: Callable[[Call], Any]

    @property
    def syntax(self) -> str:
        """The syntax of filters that its layer takes."""
        return next((layer for layer in ("langchain", "haystack") if layer in self.name.lower()), "opensearch")
