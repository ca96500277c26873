"""A search of a request, as it travels; pure."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.search.results.search_profile import ProfiledSearch, Purpose


@dataclass(frozen=True, kw_only=True)
class SentSearch:
    """A search of a request, as it travels.

    Attributes:
        body: Its body.
        params: Its parameters: those of the URL, or of its header in a `_msearch`.
        indices: The indices of its group; empty where the name of the request stands for them.
        place: Place of the query that it is for; None where it is for every query.
        purpose: What it is for.
        legs: Names of the legs that it searches.
    """

    body: Mapping[str, Any] = field(repr=False)
    params: Mapping[str, Any] = field(default_factory=dict)
    indices: tuple[str, ...] = ()
    place: int | None = None
    purpose: Purpose = "hits"
    legs: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Its header and its body in a `_msearch`."""
        where = {"index": list(self.indices)} if self.indices else {}
        return {**self.params, **where}, self.body

    def profiled(self, name: str, answer: Mapping[str, Any]) -> ProfiledSearch:
        """Return what a profile keeps of it: a copy, which later changes of the caller's values leave as it is.

        Args:
            name: The name that is searched.
            answer: Its part of the response; empty where there was none.
        """
        return ProfiledSearch(
            purpose=self.purpose,
            legs=self.legs,
            index=",".join(self.indices) or name,
            params=dict(self.params),
            body=deepcopy(dict(self.body)),
            took_ms=answer.get("took"),
        )
