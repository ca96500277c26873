"""Published relevance of a model, by benchmark and pruning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from statistics import mean
from types import MappingProxyType
from typing import Any, Literal

from opensearch_neural_sparse.short_repr import short_repr

Benchmark = Literal["BEIR", "MIRACL"]


class _ReadOnlyTables:
    """Base of records with read-only tables, which a mapping proxy alone would keep from being copied and pickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[type, Mapping[str, Any]]]:
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in vars(self).items()}
        return _restore, (type(self), plain)


def _restore(record: type, plain: Mapping[str, Any]) -> object:
    """Restore a pickled record with read-only tables."""
    return record(**{name: MappingProxyType(v) if isinstance(v, dict) else v for name, v in plain.items()})


def _empty() -> Mapping[str, float]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class PublishedScores(_ReadOnlyTables):
    """Published NDCG@10 of one benchmark in one setting.

    Attributes:
        benchmark: `BEIR` or `MIRACL`.
        prune: Pruning of the documents, such as `max_ratio:0.1`; None keeps all tokens.
        scores: NDCG@10 per collection of BEIR, or per language code of MIRACL.
        average: Their published mean, or None.
    """

    benchmark: Benchmark
    prune: str | None = None
    scores: Mapping[str, float] = field(default_factory=_empty)
    average: float | None = None

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class Relevance(_ReadOnlyTables):
    """Published relevance of a model, as its authors state it.

    Attributes:
        beir: NDCG@10 per BEIR collection, documents unpruned.
        beir_average: Their published mean, or None.
        flops: Published average FLOPS of the ranking over BEIR, or None.
        miracl: NDCG@10 per language code of MIRACL, documents unpruned.
        miracl_average: Their published mean, or None.
        in_domain: Collections whose training split the model has seen, so that its number there is not zero-shot.
        msmarco: Published MRR@10 on the development queries of MS MARCO, the training collection of most models.
        document_tokens: Published mean number of tokens in a document's vector, on MS MARCO, or None.
        query_tokens: Published mean number of tokens in a query's vector, on MS MARCO, or None.
        pruned: Scores with pruned documents, a setting each.
    """

    beir: Mapping[str, float] = field(default_factory=_empty)
    beir_average: float | None = None
    flops: float | None = None
    miracl: Mapping[str, float] = field(default_factory=_empty)
    miracl_average: float | None = None
    in_domain: tuple[str, ...] = ()
    msmarco: float | None = None
    document_tokens: float | None = None
    query_tokens: float | None = None
    pruned: tuple[PublishedScores, ...] = ()

    __repr__ = short_repr

    @property
    def settings(self) -> tuple[PublishedScores, ...]:
        """All published settings: BEIR and MIRACL unpruned where published, then those with pruning."""
        unpruned = (
            PublishedScores(benchmark="BEIR", scores=self.beir, average=self.beir_average),
            PublishedScores(benchmark="MIRACL", scores=self.miracl, average=self.miracl_average),
        )
        return (*(table for table in unpruned if table.scores or table.average is not None), *self.pruned)

    def mean_for(self, languages: Collection[str]) -> float | None:
        """Return the published NDCG@10 for languages, documents unpruned.

        For English alone it is the BEIR mean, else the mean over the languages' rows of MIRACL; None where one is
        missing, because means over different rows cannot be compared.

        Args:
            languages: ISO 639-1 codes.
        """
        if set(languages) <= {"en"}:
            return self.beir_average
        rows = [self.miracl[language] for language in languages if language in self.miracl]
        return mean(rows) if len(rows) == len(languages) else None
