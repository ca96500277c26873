"""Requirements of a recommendation, and the first one that a model does not meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opensearch_neural_sparse.arguments import check_count, check_flag, check_number
from opensearch_neural_sparse.models.catalog.benchmarks import BM25_RELEVANCE
from opensearch_neural_sparse.models.spec import Mode, ModelSpec

DIGITS = 3
"""Digits of published figures; means are compared after rounding to them."""


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """Requirements of a recommended model.

    Attributes:
        languages: ISO 639-1 codes that it must all know.
        mode: Doc-only or bi-encoder; None takes either.
        max_params: Largest number of parameters.
        min_context: Tokens of a document that must fit.
        commercial: Whether the licence must allow commercial use.
        min_relevance: Least published NDCG@10 for the languages; None is more than that of BM25.
    """

    languages: frozenset[str]
    mode: Mode | None = None
    max_params: int | None = None
    min_context: int | None = None
    commercial: bool = True
    min_relevance: float | None = None

    def __post_init__(self) -> None:
        check_count(optional=True, max_params=self.max_params, min_context=self.min_context)
        check_flag(commercial=self.commercial)
        check_number(optional=True, min_relevance=self.min_relevance)

    def first_unmet(self, spec: ModelSpec, *, relevance: bool = True) -> str | None:
        """Return the first requirement that a model does not meet, in words, or None.

        Args:
            spec: The model.
            relevance: Whether its relevance must be published and high enough, too.
        """
        checks = (*self._facts, self._relevance) if relevance else self._facts
        return next((reason for check in checks if (reason := check(spec))), None)

    @property
    def bm25(self) -> float | None:
        """Published NDCG@10 of BM25 for the languages, or None."""
        return BM25_RELEVANCE.mean_for(self.languages)

    @property
    def _facts(self) -> tuple[Callable[[ModelSpec], str | None], ...]:
        return (self._language, self._mode, self._size, self._length, self._licence)

    def _language(self, spec: ModelSpec) -> str | None:
        missing = sorted(self.languages - set(spec.languages))
        return f"not made for {', '.join(missing)}" if missing else None

    def _mode(self, spec: ModelSpec) -> str | None:
        return None if self.mode in (None, spec.mode) else f"not {self.mode}"

    def _size(self, spec: ModelSpec) -> str | None:
        if self.max_params is None or (spec.parameters or float("inf")) <= self.max_params:
            return None
        return f"more than {self.max_params / 1e6:.0f} million parameters, or an unknown number"

    def _length(self, spec: ModelSpec) -> str | None:
        if self.min_context is None or spec.max_length >= self.min_context:
            return None
        return f"documents of fewer than {self.min_context} tokens only"

    def _licence(self, spec: ModelSpec) -> str | None:
        return "not licensed for commercial use" if self.commercial and not spec.commercial else None

    def _relevance(self, spec: ModelSpec) -> str | None:
        published = spec.relevance.mean_for(self.languages)
        if published is None:
            return "no published NDCG@10 to compare"
        if self.min_relevance is not None:
            return f"below {self.min_relevance:.3f}" if round(published, DIGITS) < self.min_relevance else None
        if self.bm25 is not None and round(published, DIGITS) <= round(self.bm25, DIGITS):
            return f"not above BM25 ({self.bm25:.3f})"
        return None
