from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.formats import Row, read_lines, read_rows


def _values(path: Path) -> list[object]:
    return [
        row.values if isinstance(row, Row) else (row.place.rsplit("/", 1)[-1], row.reason) for row in read_rows(path)
    ]


def test_json_lines_come_one_by_one_and_bad_ones_are_named_by_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n{"a": \n[1]\n{"a": "\xff"}\n' + b"[" * 100_000 + b'\n{"a": 2}')
    first, torn, array, encoding, deep, last = _values(path)
    assert (first, last) == ({"a": 1}, {"a": 2})
    assert torn == ("a.jsonl:3", "it is not JSON: Expecting value: line 2 column 1 (char 7)")
    assert array == ("a.jsonl:4", "it is a JSON list, not an object")
    assert encoding[0] == "a.jsonl:5"
    assert "codec can't decode" in encoding[1]
    assert deep[0] == "a.jsonl:6"


def test_lines_are_read_when_they_are_asked_for() -> None:
    read: list[int] = []

    def lines():
        for number in range(1000):
            read.append(number)
            yield b'{"a": 1}'

    next(read_lines(lines(), "lines"))
    assert read == [0]


def test_a_reason_quotes_nothing_of_the_line() -> None:
    (row,) = read_lines([b'{"text": "secret words'], "x")
    assert isinstance(row, RefusedRow)
    assert "secret" not in row.reason + repr(row)
    (row,) = read_lines([b'{"text": "secret words"}'], "x")
    assert "secret" not in repr(row)


def test_cells_are_strings_and_empty_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('\ufeffid,text,lang\n1,"two\nlines",en\n2,b,\n3,c,de,more\n', encoding="utf-8")
    assert _values(path) == [
        {"id": "1", "text": "two\nlines", "lang": "en"},
        {"id": "2", "text": "b"},
        ("a.csv:5", "it has more cells than the first line has names"),
    ]


def test_cells_may_be_long_and_separated_by_tabs(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("id\ttext\n1\t" + "x" * 200_000, encoding="utf-8")
    assert _values(path) == [{"id": "1", "text": "x" * 200_000}]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.csv.gz", "a.txt.gz"])
def test_a_compressed_file_is_read_as_it_was(name: str, tmp_path: Path) -> None:
    content = {"a.jsonl.gz": b'{"text": "x"}', "a.csv.gz": b"text\nx", "a.txt.gz": b"x"}[name]
    (tmp_path / name).write_bytes(gzip.compress(content))
    (values,) = _values(tmp_path / name)
    assert isinstance(values, dict)
    assert values["text"] == "x"


def test_a_torn_archive_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 50_000)[:-20])
    *rows, last = read_rows(path)
    assert len(rows) > 1000
    assert isinstance(last, RefusedRow)
    assert last.reason.startswith("it cannot be read, or not to its end: ")


def test_a_parquet_file_is_read_with_its_types(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": list(range(500)), "tags": [["a", "b"]] * 500}), path)
    rows = _values(path)
    assert len(rows) == 500
    assert rows[-1] == {"id": 499, "tags": ["a", "b"]}


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 no")
    ((place, reason),) = _values(path)
    assert place == "a.parquet"
    assert reason.startswith("it cannot be read, or not to its end: ")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None; from pathlib import Path\n"
        "from opensearch_neural_sparse.readers.formats import read_rows\n"
        "list(read_rows(Path('a.parquet')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingDependencyError: Reading 'a.parquet' needs the module 'pyarrow'" in done.stderr
    assert "pip install 'opensearch-neural-sparse[parquet]'" in done.stderr


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert _values(tmp_path / "no.jsonl") == [
        ("no.jsonl", "it cannot be read, or not to its end: No such file or directory")
    ]
