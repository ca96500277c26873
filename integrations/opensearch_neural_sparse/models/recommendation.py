"""Model recommendation by requirements and published relevance."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from statistics import mean
from typing import Literal

from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.models.registry import list_models
from opensearch_neural_sparse.models.spec import Mode, ModeLike, ModelSpec

RUNNERS_UP = 2


class Priority(Choice):
    """Ranking of models: by `RELEVANCE` of the results, or by `SPEED` (few parameters, then few FLOPS)."""

    RELEVANCE = "relevance"
    SPEED = "speed"


PriorityLike = Priority | Literal["relevance", "speed"]
"""A `Priority`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A recommended model and the reasons.

    Attributes:
        choice: The model.
        runners_up: What comes next, best first.
        reasons: Sentences that say what speaks for the choice, and what against.
    """

    choice: ModelSpec
    runners_up: tuple[ModelSpec, ...]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        others = ", ".join(spec.name for spec in self.runners_up)
        return "\n".join([self.choice.name, *self.reasons, *([f"Next: {others}."] if others else [])])


def recommend_model(
    *,
    languages: str | Collection[str] = ("en",),
    mode: ModeLike | None = None,
    max_params: int | None = None,
    min_context: int | None = None,
    commercial: bool = True,
    priority: PriorityLike = Priority.RELEVANCE,
) -> Recommendation:
    """Recommend a model with published relevance.

    Args:
        languages: ISO 639-1 codes of the languages of the documents; a model must know them all.
        mode: Doc-only or bi-encoder; None takes either.
        max_params: Largest number of parameters.
        min_context: Length of the longest document in tokens that must fit.
        commercial: Whether the licence must allow commercial use.
        priority: What counts most.

    Raises:
        ValueError: No known model does all that.
    """
    wanted = frozenset([languages] if isinstance(languages, str) else languages)
    known = list_models(
        languages=wanted, mode=mode, max_params=max_params, min_context=min_context, commercial=commercial
    )
    rated = [spec for spec in known if relevance_for(spec, wanted) is not None]
    if not rated:
        raise ValueError(
            f"No known model with published relevance has languages={sorted(wanted)}, mode={mode}, "
            f"max_params={max_params}, min_context={min_context}, commercial={commercial}. Ask for less."
        )
    ranked = sorted(rated, key=_by(Priority(priority), wanted))
    choice, runners_up = ranked[0], tuple(ranked[1 : 1 + RUNNERS_UP])
    return Recommendation(choice=choice, runners_up=runners_up, reasons=_reasons(choice, runners_up, wanted))


def relevance_for(spec: ModelSpec, languages: Collection[str]) -> float | None:
    """Return a model's published NDCG@10 for languages: the BEIR mean for English alone, else the mean over MIRACL."""
    if set(languages) <= {"en"}:
        return spec.relevance.beir_average
    rows = [spec.relevance.miracl.get(language) for language in languages]
    return mean(row for row in rows if row is not None) if None not in rows else None


def _by(priority: Priority, languages: Collection[str]) -> Callable[[ModelSpec], tuple[float, ...]]:
    def key(spec: ModelSpec) -> tuple[float, ...]:
        relevance = -(relevance_for(spec, languages) or 0.0)
        size, flops = spec.parameters or float("inf"), spec.relevance.flops or float("inf")
        return (relevance, flops, size) if priority is Priority.RELEVANCE else (size, flops, relevance)

    return key


def _reasons(choice: ModelSpec, runners_up: tuple[ModelSpec, ...], languages: Collection[str]) -> tuple[str, ...]:
    benchmark = "BEIR" if set(languages) <= {"en"} else f"MIRACL ({', '.join(sorted(languages))})"
    numbers = [f"{spec.name} {relevance_for(spec, languages):.3f}" for spec in (choice, *runners_up)]
    reasons = [f"Published NDCG@10 on {benchmark}: {', '.join(numbers)}."]
    if choice.relevance.in_domain and benchmark == "BEIR":
        reasons.append(_without_check(choice, runners_up))
    if choice.mode is Mode.DOC_ONLY:
        reasons.append("Queries are looked up in a table: microseconds, without a machine-learning library.")
    else:
        reasons.append("Queries run through the transformer, which takes milliseconds and an engine where you search.")
    if choice.relevance.flops:
        reasons.append(
            f"Published FLOPS {choice.relevance.flops}, the products to add up per query and document: few are fast."
        )
    if choice.parameters:
        reasons.append(
            f"{choice.parameters / 1e6:.0f} million parameters encode documents of {choice.max_length} tokens."
        )
    reasons.append(f"Licence: {choice.licence}{'; its repository is gated' if choice.gated else ''}.")
    return tuple(reasons)


def _without_check(choice: ModelSpec, others: tuple[ModelSpec, ...]) -> str:
    seen = choice.relevance.in_domain
    rows = []
    for spec in (choice, *others):
        unseen = [value for collection, value in spec.relevance.beir.items() if collection not in seen]
        if unseen:
            rows.append(f"{spec.name} {mean(unseen):.3f}")
    return (
        f"It was trained on {len(seen)} of these collections ({', '.join(seen)}), so that its mean is not zero-shot. "
        f"On the others alone: {', '.join(rows)}."
    )
