from __future__ import annotations

import gzip
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.formats import read_lines, read_rows
from opensearch_neural_sparse.readers.row import Row


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
    lines = BytesIO(b'{"a": 1}\n' * 1000)
    next(read_lines(lines, "lines"))
    assert lines.tell() == len(b'{"a": 1}\n')


def test_a_reason_quotes_nothing_of_the_line() -> None:
    (row,) = read_lines(BytesIO(b'{"text": "secret words'), "x")
    assert isinstance(row, RefusedRow)
    assert "secret" not in row.reason + repr(row)
    (row,) = read_lines(BytesIO(b'{"text": "secret words"}'), "x")
    assert "secret" not in repr(row)


@pytest.mark.parametrize("line", ['{"text": "a", "text": "b"}', '{"id": 1, "meta": {"text": 1, "text": 2}}'])
def test_key_that_occurs_twice_loses_no_value(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{line}\n{{"a": 2}}\n')
    assert _values(path) == [("a.jsonl:1", "it is not JSON: the key 'text' occurs twice"), {"a": 2}]


def test_column_that_occurs_twice_loses_no_value(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text,text\n1,a,b\n")
    assert _values(tmp_path / "a.csv") == [("a.csv:1", "the first line names the column 'text' twice; rename one")]
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]), path)
    assert _values(path) == [("a.parquet", "it has two columns 'text'; rename one")]


def test_columns_without_a_name_may_be_empty_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text,,\n1,a,,\n2,b,,c\n")
    refused = ("a.csv:3", "it has a cell in a column without a name; name it in the first line")
    assert _values(tmp_path / "a.csv") == [{"id": "1", "text": "a"}, refused]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('2,"b\n3,c\n', "a quote is not closed to the end of the file"),
        ('2,"b\n3,c\n4,"d"\n5,e\n', "it is no CSV: ',' expected after '\"'; a quote within a cell is doubled"),
    ],
)
def test_quote_that_is_not_closed_ends_the_file_at_its_row(broken: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,a\n" + broken)
    first, (place, found) = _values(tmp_path / "a.csv")
    assert first == {"id": "1", "text": "a"}
    assert place == "a.csv:3"
    assert found.startswith(reason)
    assert found.endswith("it and what follows are not read")


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz", "a.txt", "a.txt.gz"])
def test_row_that_is_too_long_unpacked_is_refused(name: str, tmp_path: Path) -> None:
    forms = {"jsonl": ('{"a": 1}\n', '{"a": "%s"}'), "csv": ("a\n1\n", "%s"), "txt": ("", "%s")}
    before, long = forms[name.split(".")[1]]
    content = (before + long % ("x" * 5000)).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    *rows, last = read_rows(tmp_path / name, longest=1000)
    assert len(rows) == (0 if before == "" else 1)
    assert isinstance(last, RefusedRow)
    assert "--max-row-bytes" in last.reason
    assert isinstance([*read_rows(tmp_path / name, longest=6000)][-1], Row)


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
