"""Rerankers: what scores texts for a query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Reranker(Protocol):
    """A model that scores texts for a query, such as a cross-encoder."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float]:
        """Return a finite score for each text, in their order; the higher, the better it answers the query.

        Args:
            query: The text of the query.
            texts: The texts.
        """
        ...


ScoreTexts = Callable[[str, Sequence[str]], Sequence[float]]
"""A function that scores texts for a query, as `Reranker.score` does."""
RerankerLike = Reranker | ScoreTexts
"""A `Reranker`, or such a function."""


def scorer_of(reranker: RerankerLike) -> ScoreTexts:
    """Return the function by which a reranker scores.

    Raises:
        TypeError: It is none.
    """
    score: Any = getattr(reranker, "score", reranker)
    if isinstance(reranker, type) or not callable(score):
        raise TypeError(
            "reranker has a method score(query, texts), or is such a function, got "
            f"{'the class ' if isinstance(reranker, type) else ''}{name_of(reranker)}."
        )
    found: ScoreTexts = score
    return found


def name_of(reranker: object) -> str:
    """Return the name of a reranker for messages: that of its class, or its own."""
    return str(getattr(reranker, "__qualname__", type(reranker).__qualname__))
