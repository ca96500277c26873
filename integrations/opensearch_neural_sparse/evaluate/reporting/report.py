"""Write the report of an evaluation: JSON, a Markdown page, a plot and one line for each query."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError
from opensearch_neural_sparse.evaluate.metrics.relevance import METRICS, NDCG_AT_10

COLUMNS = ("NDCG@10", "recall@100", "MRR@10", "MAP@100")
"""Headings of `METRICS` in tables."""


def write_report(
    folder: Path, summary: Mapping[str, Any], queries: Iterable[Mapping[str, Any]], *, plot: bool = True
) -> None:
    """Write `results.json`, `results.md`, `queries.jsonl` and `relevance.png` to a folder.

    Args:
        folder: The folder; created if it is missing.
        summary: Result of `summarise`.
        queries: Results of `query_rows`.
        plot: Whether to draw the plot.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (folder / "results.md").write_text(as_markdown(summary), encoding="utf-8")
    with (folder / "queries.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in queries)
    if plot:
        draw(summary, folder / "relevance.png")


def as_markdown(summary: Mapping[str, Any]) -> str:
    """Render a summary as Markdown tables."""
    parts = [
        "## Runs\n\n" + _table(_RUN_COLUMNS, map(_run_cells, summary["runs"])),
        "p is that of a paired randomisation test of NDCG@10 against the first row of the collection.\n",
        "## Averages\n\n"
        + _table(
            ("way", "setting", "collections", *COLUMNS, "FLOPS", "p50 ms"), map(_average_cells, summary["averages"])
        ),
    ]
    if summary["exact"]:
        parts.append(
            "## Server and exact scoring\n\n"
            + _table(("collection", "setting", "difference", ""), map(_gap_cells, summary["exact"]))
        )
    if summary["published"]:
        parts.append(
            "## Published NDCG@10\n\n" + _table(_PUBLISHED_COLUMNS, map(_published_cells, summary["published"]))
        )
    return "\n".join(parts)


def draw(summary: Mapping[str, Any], path: Path) -> None:
    """Plot average relevance against average FLOPS and against latency.

    A method without FLOPS (BM25) or without latency (exact scoring) is a horizontal line.

    Raises:
        MissingDependencyError: Matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError("matplotlib", "evaluate", "Drawing a plot") from None
    figure = Figure(figsize=(12, 5), layout="constrained")
    FigureCanvasAgg(figure)
    labels = {"flops": "average FLOPS", "p50_ms": "median of a query in ms"}
    panels = figure.subplots(1, len(labels), sharey=True)
    for axes, (key, label) in zip(panels, labels.items(), strict=True):
        axes.set_xlabel(label)
        _draw_averages(axes, summary["averages"], key)
    panels[0].set_ylabel("average NDCG@10")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, fontsize="small", loc="outside right upper")
    figure.savefig(path, dpi=120)


def _draw_averages(axes: Any, averages: Iterable[Mapping[str, Any]], key: str) -> None:
    for number, row in enumerate(averages):
        relevance, name = row["metrics"][NDCG_AT_10], f"{row['way']} {row['setting']}".strip()
        colour = f"C{number % 10}"
        if row[key] is None:
            axes.axhline(relevance, label=name, color=colour, linestyle="--")
        else:
            marker = "os^Dv"[number // 10 % 5]
            axes.scatter([row[key]], [relevance], label=name, color=colour, marker=marker)


_COST_COLUMNS = ("FLOPS", "dims", "p50 ms", "p99 ms", "encoded", "seconds", "index MB")
_RUN_COLUMNS = ("collection", "way", "setting", *COLUMNS, "p", *_COST_COLUMNS)
_PUBLISHED_COLUMNS = ("setting", "collection", "published", "measured", "verdict")


def _run_cells(row: Mapping[str, Any]) -> Sequence[str]:
    cost = row["cost"]
    size = cost["index_bytes"]
    return (
        row["collection"],
        row["way"],
        row["setting"],
        *_metric_cells(row["metrics"]),
        _number(row["p_value"], 4),
        _number(cost["flops"], 2),
        _number(cost["document_tokens"], 1),
        _number(cost["p50_ms"], 1),
        _number(cost["p99_ms"], 1),
        _number(cost["encoded"], 0),
        _number(cost["encode_seconds"], 1),
        _number(None if size is None else size / 1e6, 1),
    )


def _average_cells(row: Mapping[str, Any]) -> Sequence[str]:
    collections = ", ".join(row["collections"])
    costs = (_number(row["flops"], 2), _number(row["p50_ms"], 1))
    return (row["way"], row["setting"], collections, *_metric_cells(row["metrics"]), *costs)


def _gap_cells(row: Mapping[str, Any]) -> Sequence[str]:
    return (row["collection"], row["setting"], f"{row['gap']:+.4f}", "agrees" if row["agrees"] else "**differs**")


def _published_cells(row: Mapping[str, Any]) -> Sequence[str]:
    name = row["collection"] + (" (in domain)" if row["in_domain"] else "")
    return (row["setting"], name, _number(row["published"], 3), _number(row["measured"], 4), str(row["verdict"]))


def _metric_cells(metrics: Mapping[str, float]) -> list[str]:
    return [_number(metrics[name], 4) for name in METRICS]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
