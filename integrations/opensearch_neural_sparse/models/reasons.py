"""Reasons of a recommendation as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean

from opensearch_neural_sparse.models.criteria import ORDERS, Priority
from opensearch_neural_sparse.models.requirements import Requirements
from opensearch_neural_sparse.models.spec import Family, Mode, ModelSpec

_LARGEST_TOKEN_ID = 32_767
"""Largest token id of a `sparse_vector` field."""
_NAMED = 3
"""Models that a sentence names before it counts the others."""


def reasons(
    ranked: Sequence[ModelSpec], wanted: Requirements, priority: Priority, left_out: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the reasons for the first of ranked models.

    Args:
        ranked: The choice, then the runners-up.
        wanted: What they meet.
        priority: What they are ranked by.
        left_out: Unmet requirement -> names of models.
    """
    choice = ranked[0]
    return (
        *_relevance(ranked, wanted),
        *_in_domain(ranked, wanted),
        _query_cost(choice),
        *_flops(choice),
        *_size(choice),
        *_field_type(choice),
        *_pruning(choice),
        f"Licence: {choice.licence}{'; its repository is gated' if choice.gated else ''}.",
        f"Weighed in this order: {', '.join(criterion.name for criterion in ORDERS[priority])}.",
        *_left_out(left_out),
    )


def _relevance(ranked: Sequence[ModelSpec], wanted: Requirements) -> Iterator[str]:
    means = {spec.name: spec.relevance.mean_for(wanted.languages) for spec in ranked}
    languages = ", ".join(sorted(wanted.languages))
    known = [f"{name} {value:.3f}" for name, value in means.items() if value is not None]
    if not known:
        yield f"No NDCG@10 is published for all of: {languages}. Judge some queries of yours and compare with BM25."
        return
    benchmark = "BEIR" if wanted.languages <= {"en"} else f"MIRACL ({languages})"
    yield f"Published NDCG@10 on {benchmark}: {', '.join(known)}."
    if wanted.bm25 is None:
        yield f"For BM25 no NDCG@10 on {benchmark} is published to compare with."
    else:
        yield f"BM25 there: {wanted.bm25:.3f}."


def _in_domain(ranked: Sequence[ModelSpec], wanted: Requirements) -> Iterator[str]:
    seen = ranked[0].relevance.in_domain
    if not seen or not wanted.languages <= {"en"}:
        return
    unseen = {spec.name: [v for name, v in spec.relevance.beir.items() if name not in seen] for spec in ranked}
    rows = [f"{name} {mean(values):.3f}" for name, values in unseen.items() if values]
    yield (
        f"It was trained on {len(seen)} of these collections ({', '.join(seen)}), so that its mean is not zero-shot. "
        f"On the others alone: {', '.join(rows)}."
    )


def _query_cost(choice: ModelSpec) -> str:
    if choice.mode is Mode.DOC_ONLY:
        return "Queries are looked up in a table: microseconds, without a machine-learning library."
    return "Queries run through the transformer, which takes milliseconds and an engine where you search."


def _flops(choice: ModelSpec) -> Iterator[str]:
    if flops := choice.relevance.flops:
        yield f"Published FLOPS {flops}, the products to add up per query and document: few are fast."
    else:
        yield "No FLOPS are published for it."


def _size(choice: ModelSpec) -> Iterator[str]:
    if choice.parameters:
        yield f"{choice.parameters / 1e6:.0f} million parameters encode documents of {choice.max_length} tokens."


def _field_type(choice: ModelSpec) -> Iterator[str]:
    if choice.family is Family.DEEP_IMPACT:
        yield "Its keys are words: a field of type rank_features holds them, sparse_vector does not."
    elif choice.vocabulary_size - 1 > _LARGEST_TOKEN_ID:
        yield (
            f"Its {choice.vocabulary_size:,} token ids exceed the {_LARGEST_TOKEN_ID:,} of a sparse_vector field: "
            "it takes rank_features."
        )


def _pruning(choice: ModelSpec) -> Iterator[str]:
    if choice.recommended_prune:
        yield f"Its publisher prunes documents by {choice.recommended_prune}."


def _left_out(left_out: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for reason, names in left_out.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"Left out, {reason}: {', '.join(names[:_NAMED])}{more}."
