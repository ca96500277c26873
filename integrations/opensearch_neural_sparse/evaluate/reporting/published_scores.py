"""Compare measured scores with those that a model's authors published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from opensearch_neural_sparse.encode.pruning import Prune, PruneType
from opensearch_neural_sparse.models.relevance import PublishedScores
from opensearch_neural_sparse.models.spec import ModelSpec

TOLERANCE = 0.005
"""Largest difference in NDCG@10 that reproduces a score: half a point, the spread of implementations of one model."""
_OTHER_NAMES = {"webistouche2020": "touche", "touche2020": "touche", "dbpediaentity": "dbpedia"}
"""Name of a collection in BEIR -> its name in the published tables."""


class Verdict(StrEnum):
    """Result of a comparison.

    `REPRODUCES` within the tolerance, `DRIFTS` beyond it, `LACKS` if not measured, `UNPUBLISHED` if measured in a
    setting for which nothing is published.
    """

    REPRODUCES = "reproduces"
    DRIFTS = "drifts"
    LACKS = "lacks"
    UNPUBLISHED = "unpublished"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A published score and the measured one.

    Attributes:
        model: Name of the model.
        collection: The collection, as the authors call it; `miracl-<language>` for a language of MIRACL.
        published: NDCG@10 published for the setting, or None.
        measured: Measured NDCG@10, or None.
        in_domain: Whether the model was trained on the collection's training split, so that neither is zero-shot.
        verdict: Result of the comparison.
    """

    model: str
    collection: str
    published: float | None
    measured: float | None
    in_domain: bool
    verdict: Verdict


def compare_published(
    spec: ModelSpec,
    measured: Mapping[str, float],
    *,
    prune: Prune | None = None,
    max_length: int | None = None,
    tolerance: float = TOLERANCE,
) -> list[Comparison]:
    """Compare measured scores with every published one of a model in the same setting.

    A measured collection of which only another setting is published is `UNPUBLISHED`: a pruned run is not held against
    the unpruned score.

    Args:
        spec: The model.
        measured: Collection -> NDCG@10; names are compared without case and punctuation: `scifact` is `SciFact`, and
            `webis-touche2020` is `Touche`.
        prune: Pruning of the measured documents.
        max_length: Longest measured document in tokens; None is the model's own, which the published scores have.
        tolerance: Largest difference that reproduces a score.
    """
    numbers = {_plain(name): value for name, value in measured.items()}
    whole = max_length in (None, spec.max_length)
    same = [table for table in spec.relevance.settings if whole and Prune.parse(table.prune) == _pruning(prune)]
    published = _scores(same)
    others = {
        name: None for name in _scores(spec.relevance.settings) if name not in published and _plain(name) in numbers
    }
    return [
        Comparison(
            model=spec.name,
            collection=name,
            published=value,
            measured=numbers.get(_plain(name)),
            in_domain=name in spec.relevance.in_domain,
            verdict=_judge(value, numbers.get(_plain(name)), tolerance),
        )
        for name, value in (published | others).items()
    ]


def _pruning(prune: Prune | None) -> Prune | None:
    """Return a pruning rule, or None for the one that keeps all tokens."""
    return None if prune is not None and prune.type is PruneType.NONE else prune


def _scores(tables: Iterable[PublishedScores]) -> dict[str, float | None]:
    """Return published scores by collection."""
    return {
        f"miracl-{name}" if table.benchmark == "MIRACL" else name: value
        for table in tables
        for name, value in table.scores.items()
    }


def _judge(published: float | None, measured: float | None, tolerance: float) -> Verdict:
    if measured is None:
        return Verdict.LACKS
    if published is None:
        return Verdict.UNPUBLISHED
    # Published numbers have three digits, and floats are inexact: a difference of the tolerance itself is within it.
    return Verdict.REPRODUCES if abs(measured - published) <= tolerance + 1e-9 else Verdict.DRIFTS


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return _OTHER_NAMES.get(plain, plain)
