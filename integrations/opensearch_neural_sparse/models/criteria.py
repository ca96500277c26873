"""Criteria by which models that meet all requirements are ranked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.models.requirements import DIGITS
from opensearch_neural_sparse.models.spec import Mode, ModelSpec

_UNKNOWN = float("inf")


class Priority(Choice):
    """Ranking of models: by `RELEVANCE` of the results, or by `SPEED` of a search.

    `RELEVANCE` compares published NDCG@10, then what breaks ties: cost of encoding a query, FLOPS, parameters. `SPEED`
    compares the cost of encoding a query, FLOPS, parameters, and NDCG@10 last.
    """

    RELEVANCE = "relevance"
    SPEED = "speed"


PriorityLike = Priority | Literal["relevance", "speed"]
"""A `Priority`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A named figure of a model for some languages; less is better.

    Attributes:
        name: Its name in reasons.
        cost: Model, languages -> the figure.
    """

    name: str
    cost: Callable[[ModelSpec, Collection[str]], float]


def _loss(spec: ModelSpec, languages: Collection[str]) -> float:
    published = spec.relevance.mean_for(languages)
    if published is None:  # no row for one of the languages: the mean over all of MIRACL stands in
        published = spec.relevance.miracl_average or 0.0
    return -round(published, DIGITS)


def _query_cost(spec: ModelSpec, _: Collection[str]) -> float:
    """Return the parameters that a query runs through: none where it is looked up in a table."""
    return 0.0 if spec.mode is Mode.DOC_ONLY else spec.parameters or _UNKNOWN


RELEVANCE = Criterion(name="published NDCG@10", cost=_loss)
QUERY_COST = Criterion(name="cost of encoding a query", cost=_query_cost)
FLOPS = Criterion(name="FLOPS", cost=lambda spec, _: spec.relevance.flops or _UNKNOWN)
SIZE = Criterion(name="parameters", cost=lambda spec, _: spec.parameters or _UNKNOWN)

ORDERS: Mapping[Priority, tuple[Criterion, ...]] = {
    Priority.RELEVANCE: (RELEVANCE, QUERY_COST, FLOPS, SIZE),
    Priority.SPEED: (QUERY_COST, FLOPS, SIZE, RELEVANCE),
}
"""Priority -> criteria; each decides only between models that are equal in all before it."""


def rank(specs: Collection[ModelSpec], priority: Priority, languages: Collection[str]) -> list[ModelSpec]:
    """Return models, best first."""
    return sorted(specs, key=lambda spec: [criterion.cost(spec, languages) for criterion in ORDERS[priority]])
