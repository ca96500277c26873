"""Model recommendation by requirements and published relevance."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from opensearch_neural_sparse.arguments import check_list, check_texts, check_type
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.models.criteria import Priority, PriorityLike, rank
from opensearch_neural_sparse.models.reasons import reasons
from opensearch_neural_sparse.models.registry import list_models
from opensearch_neural_sparse.models.requirements import Requirements
from opensearch_neural_sparse.models.spec import Mode, ModeLike, ModelSpec, languages_of

RUNNERS_UP = 2


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A recommended model and the reasons.

    Attributes:
        choice: The model.
        runners_up: What comes next, best first.
        reasons: Sentences that say what was weighed, what speaks for the choice and against, and what was left out.
        left_out: Requirement that is not met -> names of the models that do not meet it; each model is under the first
            of its unmet requirements alone.
    """

    choice: ModelSpec
    runners_up: tuple[ModelSpec, ...]
    reasons: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_type(ModelSpec, choice=self.choice)
        check_list(ModelSpec, runners_up=self.runners_up)
        check_texts(reasons=self.reasons)

    def __repr__(self) -> str:
        others = [spec.name for spec in self.runners_up]
        return f"<Recommendation: {self.choice.name!r}, next {others}; print() shows {len(self.reasons)} reasons>"

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
    min_relevance: float | None = None,
) -> Recommendation:
    """Recommend a model with published relevance.

    A model must meet every requirement: languages, mode, parameters, length of documents, licence, and a published
    NDCG@10 above that of BM25, which needs no model. Those that do are ranked by the criteria of `Priority`, one after
    the other: each decides between models that are equal in all before it.

    NDCG@10 is the mean over BEIR for English alone, else the mean over the languages' rows of MIRACL. Where no model
    has a row for each of the languages, a multilingual model that knows them is recommended by its mean over all of
    MIRACL, and the reasons say so.

    Args:
        languages: ISO 639-1 codes of the languages of the documents; a model must know them all.
        mode: Doc-only or bi-encoder; None takes either.
        max_params: Largest number of parameters.
        min_context: Length of the longest document in tokens that must fit.
        commercial: Whether the licence must allow commercial use.
        priority: What counts most.
        min_relevance: Least published NDCG@10; None is more than BM25's, 0 takes models below BM25, too.

    Raises:
        ValueError: No known model does all that.
    """
    wanted = Requirements(
        languages=frozenset(languages_of(languages)),
        mode=None if mode is None else Mode(mode),
        max_params=max_params,
        min_context=min_context,
        commercial=commercial,
        min_relevance=min_relevance,
    )
    known = list_models()
    suitable = _suitable(known, wanted)
    if not suitable:
        asked = shown_value(sorted(wanted.languages))
        raise ValueError(
            f"No known model with published relevance has languages={asked}, mode={mode}, "
            f"max_params={max_params}, min_context={min_context}, commercial={commercial}, "
            f"min_relevance={min_relevance}. Relax a requirement."
        )
    ranked = rank(suitable, Priority(priority), wanted.languages)[: 1 + RUNNERS_UP]
    left_out = _left_out(known, suitable, wanted)
    return Recommendation(
        choice=ranked[0],
        runners_up=tuple(ranked[1:]),
        reasons=reasons(ranked, wanted, Priority(priority), left_out),
        left_out=left_out,
    )


def _suitable(known: Sequence[ModelSpec], wanted: Requirements) -> list[ModelSpec]:
    """Return models that meet all requirements, else multilingual ones that lack only a row for each language."""
    suitable = [spec for spec in known if wanted.first_unmet(spec) is None]
    if suitable or wanted.min_relevance or wanted.languages <= {"en"}:
        return suitable
    return [
        spec
        for spec in known
        if wanted.first_unmet(spec, relevance=False) is None
        and spec.relevance.miracl_average is not None
        and spec.relevance.mean_for(wanted.languages) is None
    ]


def _left_out(
    known: Sequence[ModelSpec], suitable: Sequence[ModelSpec], wanted: Requirements
) -> dict[str, tuple[str, ...]]:
    names: dict[str, list[str]] = {}
    for spec in known:
        if spec not in suitable and (unmet := wanted.first_unmet(spec)):
            names.setdefault(unmet, []).append(spec.name)
    return {unmet: tuple(found) for unmet, found in names.items()}
