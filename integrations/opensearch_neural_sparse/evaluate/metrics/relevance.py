"""Compute relevance metrics of rankings with ir-measures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError

NDCG_AT_10 = "nDCG@10"
METRICS = (NDCG_AT_10, "R@100", "RR@10", "AP@100")
"""Metrics of an evaluation, over a hundred hits: the means of the last two are MRR and MAP."""


def mean_metrics(
    judgements: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Collection[str]],
    metrics: Sequence[str] = (NDCG_AT_10,),
) -> dict[str, float]:
    """Compute the mean of each metric over the judged queries; a query without a ranking counts as zero.

    Args:
        judgements: Query id -> document id -> relevance.
        rankings: Query id -> document ids, best first. Only their order counts, so equal scores keep the order in which
            they were returned; of a mapping of ids to scores, the order of its keys.
        metrics: Names as ir-measures spells them, without parameters: `nDCG@10`, `R@100`, `RR@10`, `AP`.

    Raises:
        MissingDependencyError: ir-measures is not installed.
        ValueError: A metric that ir-measures does not have.
    """
    found = query_metrics(judgements, rankings, metrics)
    return {name: fmean(row[name] for row in found.values()) for name in metrics}


def query_metrics(
    judgements: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Collection[str]],
    metrics: Sequence[str] = METRICS,
) -> dict[str, dict[str, float]]:
    """Compute the metrics of each judged query, with the arguments and errors of `mean_metrics`."""
    ir_measures = _load_library()
    measures = {_measure(ir_measures, name): name for name in metrics}
    judged = {query: dict(relevances) for query, relevances in judgements.items()}
    ranked = {query: _by_rank(documents) for query, documents in rankings.items()}
    found = {query: dict.fromkeys(metrics, 0.0) for query in judgements}
    for row in ir_measures.iter_calc(list(measures), judged, ranked):
        found[row.query_id][measures[row.measure]] = float(row.value)
    return found


def _load_library() -> Any:
    try:
        import ir_measures
    except ImportError:
        raise MissingDependencyError("ir_measures", "evaluate", "Computing relevance metrics") from None
    return ir_measures


def _measure(ir_measures: Any, name: str) -> Any:
    """Return a metric by its name; ir-measures' own parser needs a part of Python that 3.14 no longer has."""
    family, _, cutoff = name.partition("@")
    measure = getattr(ir_measures, family, None)
    if measure is None or not (cutoff or "1").isdecimal():
        raise ValueError(f"Unknown metric {name!r}. ir-measures spells them nDCG@10, R@100, RR@10, AP.")
    return measure @ int(cutoff) if cutoff else measure


def _by_rank(documents: Collection[str]) -> dict[str, float]:
    """Return scores that decrease by rank, because ir-measures sorts equal scores by descending id."""
    return {document: float(-rank) for rank, document in enumerate(documents)}
