"""Summarise runs as plain values, for `results.json`, the tables and the plot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import Any

from opensearch_neural_sparse.evaluate.experiments.evaluation import SPARSE_EXACT
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import SPARSE
from opensearch_neural_sparse.evaluate.experiments.runs import Run, Setting
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10
from opensearch_neural_sparse.evaluate.metrics.significance import paired_p_value
from opensearch_neural_sparse.evaluate.reporting.published_scores import compare_published
from opensearch_neural_sparse.models.registry import get_model

LARGEST_GAP = 0.002
"""Largest difference in NDCG@10 between a server and exact scoring that rounding explains."""


def summarise(runs: Sequence[Run], settings: Iterable[Setting]) -> dict[str, Any]:
    """Summarise runs: metrics, averages over collections, the check against exact scoring, published scores.

    Args:
        runs: The runs.
        settings: Their settings.
    """
    return {
        "runs": [_row(run, _baseline(run, runs)) for run in runs],
        "averages": _averages(runs),
        "exact": _gaps(runs),
        "published": [row for setting in settings for row in _published(runs, setting)],
    }


def query_rows(
    runs: Iterable[Run], judgements: Mapping[str, Mapping[str, Mapping[str, int]]]
) -> Iterable[dict[str, Any]]:
    """Yield the hits and the ranks of the relevant documents of each query in each run, lowest NDCG@10 first.

    Args:
        runs: The runs.
        judgements: Collection -> its judgements.
    """
    for run in runs:
        for query, metrics in sorted(run.per_query.items(), key=lambda entry: entry[1][NDCG_AT_10]):
            found = list(run.rankings.get(query, {}))
            relevant = [key for key, value in judgements[run.collection][query].items() if value > 0]
            yield {
                "collection": run.collection,
                "way": run.way,
                "setting": run.setting,
                "query": query,
                "metrics": dict(metrics),
                "first": found[:10],
                "ranks": {key: found.index(key) + 1 if key in found else None for key in relevant},
            }


def _row(run: Run, baseline: Run | None) -> dict[str, Any]:
    p_value = None if baseline is None else paired_p_value(_ndcg(run), _ndcg(baseline))
    return {
        "collection": run.collection,
        "way": run.way,
        "setting": run.setting,
        "queries": len(run.per_query),
        "metrics": dict(run.metrics),
        "p_value": p_value,
        "cost": asdict(run.cost),
    }


def _baseline(run: Run, runs: Sequence[Run]) -> Run | None:
    """Return the first run of the same collection, the baseline of the significance test; None for itself."""
    first = next(other for other in runs if other.collection == run.collection)
    return None if first is run else first


def _ndcg(run: Run) -> dict[str, float]:
    return {query: metrics[NDCG_AT_10] for query, metrics in run.per_query.items()}


def _averages(runs: Sequence[Run]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.way, run.setting), []).append(run)
    return [
        {
            "way": way,
            "setting": setting,
            "collections": [run.collection for run in group],
            "metrics": {name: fmean(run.metrics[name] for run in group) for name in group[0].metrics},
            "flops": _mean(run.cost.flops for run in group),
            "p50_ms": _mean(run.cost.p50_ms for run in group),
        }
        for (way, setting), group in groups.items()
    ]


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the known values, or None where there are none."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _gaps(runs: Sequence[Run]) -> list[dict[str, Any]]:
    exact = {(run.collection, run.setting): run for run in runs if run.way == SPARSE_EXACT}
    pairs = [(run, exact.get((run.collection, run.setting))) for run in runs if run.way == SPARSE]
    return [
        {
            "collection": run.collection,
            "setting": run.setting,
            "gap": (gap := run.metrics[NDCG_AT_10] - other.metrics[NDCG_AT_10]),
            "agrees": abs(gap) <= LARGEST_GAP,
        }
        for run, other in pairs
        if other is not None
    ]


def _published(runs: Sequence[Run], setting: Setting) -> list[dict[str, Any]]:
    measured = {
        run.collection: run.metrics[NDCG_AT_10] for run in runs if run.way == SPARSE and run.setting == setting.label
    }
    rows = compare_published(get_model(setting.model), measured, prune=setting.prune, max_length=setting.max_length)
    return [asdict(row) | {"setting": setting.label} for row in rows]
