from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import MODEL, Run
from tests.evaluate.collections import write_collection
from tests.toy import IDF, write_json, write_tokenizer

pytestmark = pytest.mark.newest_server


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(write_collection(tmp_path / "sentences"))


def test_a_collection_is_evaluated_and_the_results_are_written(cli: Run, folder: str, tmp_path: Path) -> None:
    output = tmp_path / "results"
    done = cli("evaluate", folder, "--model", MODEL, "--hybrid", "rrf", "--output", str(output), "--json")
    assert (done.status, done.err) == (0, "")
    assert [row["way"] for row in done.json["runs"]] == ["bm25 english", "sparse", "hybrid rrf", "sparse exact"]
    assert [row["agrees"] for row in done.json["exact"]] == [True]
    assert json.loads((output / "results.json").read_text()) == done.json
    names = {"results.json", "results.md", "queries.jsonl", "relevance.png", "vectors.sqlite"}
    assert names <= {path.name for path in output.iterdir()}


def test_bm25_has_a_row_for_each_analyzer(cli: Run, folder: str, tmp_path: Path) -> None:
    analyzers = ("--analyzer", "standard", "--analyzer", "english", "--analyzer", "standard")
    done = cli("evaluate", folder, "--model", MODEL, *analyzers, "--output", str(tmp_path / "results"))
    assert (done.status, done.err) == (0, "")
    ways = [line.split("  ")[1].strip() for line in done.out.splitlines()[1:4]]
    assert ways == ["bm25 standard", "bm25 english", "sparse"]


def test_an_analyzer_that_the_server_lacks_is_named_in_a_line(cli: Run, folder: str, tmp_path: Path) -> None:
    options = ("--model", MODEL, "--analyzer", "klingon", "--output", str(tmp_path / "results"))
    done = cli("evaluate", folder, *options)
    assert (done.status, done.out, len(done.err.splitlines())) == (1, "", 1)
    assert "The server has no analyzer 'klingon'." in done.err


def test_the_baseline_needs_no_server_and_no_model(run: Run, folder: str, tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "table")
    write_json(tmp_path / "table" / "idf.json", IDF)
    done = run("evaluate", folder, "--lexical", str(tmp_path / "table"), "--output", str(tmp_path / "results"))
    assert done.status == 0
    assert "idf lexical  table" in done.out


def test_a_setting_is_tuned_and_written_as_code(cli: Run, folder: str, tmp_path: Path) -> None:
    options = ("--model", MODEL, "--tune", "--legs", "2", "--output", str(tmp_path / "results"))
    done = cli("evaluate", folder, *options, "--write", str(tmp_path / "code"), "--json")
    assert (done.status, done.err) == (0, "")
    (found,) = done.json["tunings"]
    assert found["queries"] == {"chosen_on": 3, "reported_on": 3}
    assert found["recommended"] == "default"
    names = {"tuned_search.py", "langchain_search.py", "haystack_search.yaml", "haystack_indexing.yaml"}
    assert {Path(file).name for file in done.json["files"]} == {path.name for path in (tmp_path / "code").iterdir()}
    assert {Path(file).name for file in done.json["files"]} == names
    printed = cli("evaluate", folder, *options)
    assert (printed.status, printed.err) == (0, "")
    assert "default: bm25 english + sparse, rrf" in printed.out
    assert all(f"--- {name}" in printed.out for name in names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give a --model or a --lexical folder."),
        (("--model", MODEL, "--hybrid", "rff"), "Invalid value for --hybrid"),
        (("--model", MODEL, "--prune", "most"), "Invalid value for --prune"),
        (("--model", MODEL, "--split", "train"), "train.tsv"),
        (("--model", MODEL, "--max-length", "100000"), "small-en takes texts of 3 to 512 tokens"),
        (("--model", MODEL, "--hybrid", "bm25+dense:rrf"), "A hybrid with dense search needs --dense MODEL."),
        (("--dense", "minilm"), "Give a --model: --analyzer, --dense and --hybrid are measured beside it."),
        (("--tune",), "Give a --model to tune."),
        (("--model", MODEL, "--seed", "3"), "--seed needs --tune; leave it out."),
        (("--model", MODEL, "--tune", "--hybrid", "rrf"), "--hybrid cannot be used with --tune; leave it out."),
        (("--model", MODEL, "--tune", "--legs", "6"), "Invalid value for --legs"),
        (("nowhere", "--model", MODEL), "nowhere is no existing folder or file, and no hub id"),
    ],
)
def test_wrong_calls_are_told(run: Run, folder: str, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run("evaluate", "--output", str(tmp_path / "results"), folder, *arguments)
    assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert message in done.err.replace("'", "")
