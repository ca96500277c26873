import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from opensearch_neural_sparse import MissingDependencyError, Prune
from opensearch_neural_sparse.evaluate.experiments.runs import Cost, Run, Setting
from opensearch_neural_sparse.evaluate.reporting.report import as_markdown, draw, write_report
from opensearch_neural_sparse.evaluate.reporting.summary import query_rows, summarise
from tests.evaluate.collections import SENTENCES

SETTING = Setting(model="doc-v3-distill", prune=Prune.parse("max_ratio:0.1"))
RIGHT = {query: {next(iter(row)): 2.0, "x": 1.0} for query, row in SENTENCES.judgements.items()}
WRONG = {**RIGHT, "q2": {"x": 2.0, "stone": 1.0}}


@pytest.fixture
def runs() -> list[Run]:
    cost = Cost(flops=1.5, document_tokens=120, index_bytes=2_000_000)
    return [
        Run.of(SENTENCES, "bm25", WRONG, cost=Cost(p50_ms=2.0)),
        Run.of(SENTENCES, "sparse", RIGHT, setting=SETTING.label, cost=replace(cost, p50_ms=3.0)),
        Run.of(SENTENCES, "sparse exact", WRONG, setting=SETTING.label, cost=cost),
    ]


def test_a_server_that_ranks_otherwise_than_exact_scoring_is_flagged(runs: list[Run]) -> None:
    (gap,) = summarise(runs, [SETTING])["exact"]
    assert gap["gap"] == pytest.approx(runs[1].metrics["nDCG@10"] - runs[2].metrics["nDCG@10"])
    assert gap["agrees"] is False
    assert "**differs**" in as_markdown(summarise(runs, [SETTING]))


def test_the_first_run_is_what_the_others_are_tested_against(runs: list[Run]) -> None:
    rows = summarise(runs, [SETTING])["runs"]
    assert [row["p_value"] for row in rows] == [None, 1.0, 1.0]  # one query of six proves nothing


def test_averages_are_over_collections(runs: list[Run]) -> None:
    other = Run.of(SENTENCES, "bm25", {})
    averages = summarise([*runs, other], [SETTING])["averages"]
    assert averages[0]["metrics"]["nDCG@10"] == pytest.approx(runs[0].metrics["nDCG@10"] / 2)
    assert averages[0]["flops"] is None
    assert averages[1]["flops"] == 1.5
    assert [row["p50_ms"] for row in averages] == [2.0, 3.0, None]


def test_relevance_is_drawn_against_flops_and_against_latency(
    runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **_: drawn.append(figure))
    draw(summarise(runs, [SETTING]), tmp_path / "plot.png")
    panels = drawn[0].axes
    assert [axes.get_xlabel() for axes in panels] == ["average FLOPS", "median of a query in ms"]
    points = [[float(group.get_offsets()[0][0]) for group in axes.collections] for axes in panels]
    assert points == [[1.5, 1.5], [2.0, 3.0]]
    assert [len(axes.lines) for axes in panels] == [1, 1]  # BM25 has no FLOPS, exact scoring no latency


def test_published_numbers_stand_beside_measured_ones(runs: list[Run]) -> None:
    summary = summarise(runs, [replace(SETTING, prune=None)])
    assert {row["verdict"] for row in summary["published"]} == {"lacks"}
    assert "| FEVER (in domain) | 0.845 |  | lacks |" in as_markdown(summary)


def test_pruned_run_is_not_held_against_the_unpruned_score(runs: list[Run]) -> None:
    pruned = replace(runs[1], collection="scifact")
    (row,) = summarise([pruned], [SETTING])["published"]
    assert (row["published"], row["verdict"]) == (None, "unpublished")
    assert "| SciFact (in domain) |  | 0.9600 | unpublished |" in as_markdown(summarise([pruned], [SETTING]))


def test_everything_is_written(runs: list[Run], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    summary = summarise(runs, [SETTING])
    write_report(folder, summary, query_rows(runs, {"sentences": SENTENCES.judgements}))
    assert json.loads((folder / "results.json").read_text()) == json.loads(json.dumps(summary))
    assert (folder / "relevance.png").read_bytes().startswith(b"\x89PNG")
    table = (folder / "results.md").read_text()
    assert "| sentences | sparse | doc-v3-distill, max_ratio 0.1 |" in table
    rows = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    assert len(rows) == 3 * len(SENTENCES.queries)
    worst = rows[0]
    assert (worst["way"], worst["query"], worst["first"]) == ("bm25", "q2", ["x", "stone"])
    assert worst["ranks"] == {"river": None}
    assert not any(text in (folder / "queries.jsonl").read_text() for text in SENTENCES.queries.values())


def test_a_missing_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"\[evaluate\]"):
        draw({"averages": []}, tmp_path / "plot.png")
