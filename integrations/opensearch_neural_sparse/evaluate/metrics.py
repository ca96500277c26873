"""Relevance metrics of rankings, computed by ir-measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from opensearch_neural_sparse.errors import MissingDependencyError

NDCG_AT_10 = "nDCG@10"
_Number = TypeVar("_Number", int, float)


def mean_metrics(
    judgements: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Mapping[str, float]],
    metrics: Sequence[str] = (NDCG_AT_10,),
) -> dict[str, float]:
    """Return each metric's mean over the judged queries; a query without a ranking counts as zero.

    Args:
        judgements: Query id -> document id -> relevance.
        rankings: Query id -> document id -> score.
        metrics: Names as ir-measures spells them: `nDCG@10`, `R@100`, `RR@10`, `AP`.

    Raises:
        MissingDependencyError: ir-measures is not installed.
    """
    try:
        import ir_measures
    except ImportError:
        raise MissingDependencyError("ir_measures", "evaluate", "Computing relevance metrics") from None
    measures = [ir_measures.parse_measure(name) for name in metrics]
    found = ir_measures.calc_aggregate(measures, _nested(judgements), _nested(rankings))
    return {name: float(found[measure]) for name, measure in zip(metrics, measures, strict=True)}


def _nested(rows: Mapping[str, Mapping[str, _Number]]) -> dict[str, dict[str, _Number]]:
    return {query: dict(entries) for query, entries in rows.items()}
