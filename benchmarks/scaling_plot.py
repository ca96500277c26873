"""Draw what `search_scaling` measured: latency by number of documents, and recall against latency.

python -m benchmarks.scaling_plot RESULTS.jsonl [--to docs/images/search_scaling.svg]    needs matplotlib
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

IMAGE = Path(__file__).resolve().parents[1] / "docs" / "images" / "search_scaling.svg"
COLOURS = {"exact": "#1f4e79", "two_phase": "#2e8b57", "seismic": "#c0504d"}
LABELS = {"exact": "exact", "two_phase": "two-phase", "seismic": "SEISMIC (defaults)"}


def sizes_of(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return what was measured of each number of documents, the fewest first; a later line goes before an earlier."""
    sizes = {size["documents"]: size for line in lines if line.strip() for size in json.loads(line)["sizes"]}
    return [sizes[count] for count in sorted(sizes)]


def draw(sizes: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the picture."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.use("svg")
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "search_scaling", "font.size": 9}
    figure, (by_size, by_recall) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    draw_sizes(by_size, sizes)
    draw_recall(by_recall, max((size for size in sizes if "seismic" in size), key=lambda size: size["documents"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def draw_sizes(axes: Any, sizes: Sequence[Mapping[str, Any]]) -> None:
    """Draw latency by number of documents."""
    for way, label in LABELS.items():
        measured = [size for size in sizes if way in size["searched"]["all"]["latency"]]
        counts = [size["documents"] for size in measured]
        for quantile, style in (("p50", "-o"), ("p10", ":o")):
            points = [size["searched"]["all"]["latency"][way][f"{quantile}_ms"] for size in measured]
            axes.plot(counts, points, style, color=COLOURS[way], label=f"{label}, {quantile}", markersize=3)
    axes.set(xscale="log", ylim=(0, None), xlabel="documents", ylabel="milliseconds")
    axes.legend(fontsize=7)


def draw_recall(axes: Any, size: Mapping[str, Any]) -> None:
    """Draw recall against latency, for the most documents that have an approximate index."""
    found = size["searched"]["all"]
    for (way, recall), marker in zip(found["recall_at_10"].items(), itertools.cycle("osvD^<>P"), strict=False):
        colour = COLOURS.get(way, COLOURS["seismic"])
        axes.plot(found["latency"][way]["p50_ms"], recall, marker, color=colour, label=way, markersize=5, ls="")
    axes.set(
        xlim=(0, None),
        xlabel=f"milliseconds at the median, {size['documents']:,} documents",
        ylabel="recall@10 of exact search",
    )
    axes.legend(fontsize=7, loc="lower left")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--to", type=Path, default=IMAGE)
    arguments = parser.parse_args()
    draw(sizes_of(arguments.results.read_text().splitlines()), arguments.to)


if __name__ == "__main__":
    main()
