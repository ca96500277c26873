"""Relevance metrics of rankings, computed by ir-measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, TypeVar

from opensearch_neural_sparse.errors import MissingDependencyError

NDCG_AT_10 = "nDCG@10"
METRICS = (NDCG_AT_10, "R@100", "RR@10", "AP@100")
"""What an evaluation measures, of a hundred hits: the last two are MRR and MAP when averaged."""
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
    found = query_metrics(judgements, rankings, metrics)
    return {name: fmean(row[name] for row in found.values()) for name in metrics}


def query_metrics(
    judgements: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Mapping[str, float]],
    metrics: Sequence[str] = METRICS,
) -> dict[str, dict[str, float]]:
    """Return each judged query's metrics, with the arguments and errors of `mean_metrics`."""
    ir_measures = _load_library()
    measures = {ir_measures.parse_measure(name): name for name in metrics}
    found = {query: dict.fromkeys(metrics, 0.0) for query in judgements}
    for row in ir_measures.iter_calc(list(measures), _nested(judgements), _nested(rankings)):
        found[row.query_id][measures[row.measure]] = float(row.value)
    return found


def _load_library() -> Any:
    try:
        import ir_measures
    except ImportError:
        raise MissingDependencyError("ir_measures", "evaluate", "Computing relevance metrics") from None
    return ir_measures


def _nested(rows: Mapping[str, Mapping[str, _Number]]) -> dict[str, dict[str, _Number]]:
    return {query: dict(entries) for query, entries in rows.items()}
