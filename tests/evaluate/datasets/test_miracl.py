import gzip
import json
from pathlib import Path

import pytest

from opensearch_neural_sparse.evaluate.datasets.miracl import read_miracl


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "topics").mkdir()
    (tmp_path / "qrels").mkdir()
    name = "miracl-v1.0-sw-dev.tsv"
    (tmp_path / "topics" / f"topics.{name}").write_text('0\tMto "mrefu\n1\tHaijahukumiwa\n', encoding="utf-8")
    (tmp_path / "qrels" / f"qrels.{name}").write_text("0\tQ0\t2#0\t1\n0\tQ0\t2#1\t0\n", encoding="utf-8")
    for number in range(2):
        rows = [{"docid": f"2#{number}", "title": "Nile", "text": f"Sehemu {number}."}]
        with gzip.open(tmp_path / f"docs-{number}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return tmp_path


def test_a_language_is_read(folder: Path) -> None:
    collection = read_miracl(folder)
    assert collection.name == "miracl-sw"
    assert collection.documents == {"2#0": "Nile Sehemu 0.", "2#1": "Nile Sehemu 1."}
    assert collection.queries == {"0": 'Mto "mrefu'}
    assert collection.judgements == {"0": {"2#0": 1, "2#1": 0}}


@pytest.mark.parametrize("pattern", ["topics/*", "qrels/*", "docs-*"])
def test_what_is_missing_is_named(folder: Path, pattern: str) -> None:
    for path in folder.glob(pattern):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=pattern.strip("/*")):
        read_miracl(folder)


def test_a_broken_line_is_named(folder: Path) -> None:
    (folder / "qrels" / "qrels.miracl-v1.0-sw-dev.tsv").write_text("0 Q0 2#0 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"dev\.tsv:1: it needs 4 columns, and has 1"):
        read_miracl(folder)


def test_judged_queries_need_a_text(folder: Path) -> None:
    (folder / "qrels" / "qrels.miracl-v1.0-sw-dev.tsv").write_text("9\tQ0\t2#0\t1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="judged queries without a text: 9"):
        read_miracl(folder)
