"""Compare measured scores with those that a model's authors published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from opensearch_neural_sparse.models.spec import ModelSpec

TOLERANCE = 0.005
"""Largest difference in NDCG@10 that reproduces a score: half a point, the spread of implementations of one model."""
_OTHER_NAMES = {"webistouche2020": "touche", "touche2020": "touche", "dbpediaentity": "dbpedia"}
"""Name of a collection in BEIR -> its name in the published tables."""


class Verdict(StrEnum):
    """Result of a comparison: `REPRODUCES` within the tolerance, `DRIFTS` beyond it, `LACKS` if not measured."""

    REPRODUCES = "reproduces"
    DRIFTS = "drifts"
    LACKS = "lacks"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A published score and the measured one.

    Attributes:
        model: Name of the model.
        collection: The collection, as the authors call it; `miracl-<language>` for a language of MIRACL.
        published: Published NDCG@10.
        measured: Measured NDCG@10, or None.
        in_domain: Whether the model was trained on the collection's training split, so that neither is zero-shot.
        verdict: Result of the comparison.
    """

    model: str
    collection: str
    published: float
    measured: float | None
    in_domain: bool
    verdict: Verdict


def compare_published(
    spec: ModelSpec, measured: Mapping[str, float], *, tolerance: float = TOLERANCE
) -> list[Comparison]:
    """Compare measured scores with every published one of a model.

    Args:
        spec: The model.
        measured: Collection -> NDCG@10; names are compared without case and punctuation: `scifact` is `SciFact`, and
            `webis-touche2020` is `Touche`.
        tolerance: Largest difference that reproduces a score.
    """
    numbers = {_plain(name): value for name, value in measured.items()}
    published = {
        **spec.relevance.beir,
        **{f"miracl-{language}": value for language, value in spec.relevance.miracl.items()},
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
        for name, value in published.items()
    ]


def _judge(published: float, measured: float | None, tolerance: float) -> Verdict:
    if measured is None:
        return Verdict.LACKS
    # Published numbers have three digits, and floats are inexact: a difference of the tolerance itself is within it.
    return Verdict.REPRODUCES if abs(measured - published) <= tolerance + 1e-9 else Verdict.DRIFTS


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return _OTHER_NAMES.get(plain, plain)
