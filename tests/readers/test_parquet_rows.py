"""Rows of Parquet files: their types, and files that hold far more than their own size."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers import parquet_rows as room
from opensearch_neural_sparse.readers.formats import read_rows
from opensearch_neural_sparse.readers.parquet_rows import batch_rows
from opensearch_neural_sparse.readers.row import Row

MEGABYTE = 1024 * 1024


def _write(path: Path, table: pa.Table, **options: Any) -> Path:
    parquet.write_table(table, path, compression="zstd", **options)
    return path


def test_a_parquet_file_is_read_with_its_types(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": list(range(500)), "tags": [["a", "b"]] * 500}), path)
    rows = [row.values for row in read_rows(path) if isinstance(row, Row)]
    assert len(rows) == 500
    assert rows[-1] == {"id": 499, "tags": ["a", "b"]}


def test_parquet_file_of_huge_rows_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"text": ["x" * 100_000]}), path, use_dictionary=False)
    assert path.stat().st_size < 20_000
    (refused,) = read_rows(path, longest=50_000)
    assert isinstance(refused, RefusedRow)
    assert "a row has some 100," in refused.reason


@pytest.mark.parametrize("typed", [True, False], ids=["dictionary type", "dictionary pages"])
def test_rows_that_share_a_huge_value_are_unpacked_one_by_one(tmp_path: Path, typed: bool) -> None:
    text = "a" * (5 * MEGABYTE)
    plain = pa.array([text] * 50 + ["b"])
    path = _write(tmp_path / "a.parquet", pa.table({"text": plain.dictionary_encode() if typed else plain}))
    del plain
    assert path.stat().st_size < 20_000
    tracemalloc.start()
    try:
        lengths = [len(row.values["text"]) for row in read_rows(path) if isinstance(row, Row)]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lengths == [len(text)] * 50 + [1]
    assert most < 4 * len(text)


def test_a_row_whose_value_is_longer_than_the_average_says_is_refused_alone(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.parquet", pa.table({"text": ["short"] * 99 + ["a" * MEGABYTE]}))
    *rows, last = read_rows(path, longest=MEGABYTE // 2)
    assert len(rows) == 99
    assert all(isinstance(row, Row) for row in rows)
    assert isinstance(last, RefusedRow)
    assert last.place == f"{path}:100"
    assert "--max-row-bytes" in last.reason


@given(
    st.lists(
        st.fixed_dictionaries({"text": st.sampled_from(["red", "blue", None]), "n": st.integers(0, 9)}), min_size=1
    )
)
def test_rows_are_the_same_whichever_way_they_are_unpacked(rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows, schema=pa.schema({"text": pa.string(), "n": pa.int64()}))
    encoded = table.set_column(0, "text", table.column("text").dictionary_encode())
    assert list(batch_rows(table)) == list(batch_rows(encoded)) == rows
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "MOST_BYTES", 0)
        assert list(batch_rows(table)) == rows
