from __future__ import annotations

from pathlib import Path

import pytest

from opensearch_neural_sparse.readers.documents import STANDARD_INPUT
from opensearch_neural_sparse.readers.row_counts import row_count


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    parquet.write_table(arrow.table({"text": ["a", "b", "c"]}), tmp_path / "c.parquet")
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n\n{"text": "b"}', encoding="utf-8")
    (tmp_path / "b.md").write_text("# A\n\nB\n", encoding="utf-8")
    (tmp_path / "skipped.pdf").touch()
    return tmp_path


def test_rows_are_counted_where_files_say_how_many_there_are(folder: Path) -> None:
    assert row_count([folder]) == 6
    assert row_count([folder / "a.jsonl", folder / "c.parquet"]) == 5
    assert row_count([]) == 0


@pytest.mark.parametrize("name", ["d.csv", "d.jsonl.gz", "d.parquet"])
def test_rows_of_other_files_are_not_known(folder: Path, name: str) -> None:
    (folder / name).write_text('id,text\n1,"a\nb"\n', encoding="utf-8")
    assert row_count([folder]) is None


def test_rows_of_standard_input_are_not_known(folder: Path) -> None:
    assert row_count([folder, STANDARD_INPUT]) is None
