from __future__ import annotations

import os
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.documents import Columns, check_paths, document_of, read_documents, skipped_files
from opensearch_neural_sparse.readers.row_counts import row_count

NOTHING = BytesIO()


def _ids(*paths: Path, columns: Columns | None = None) -> list[str | None]:
    found = read_documents(paths, columns or Columns(), NOTHING)
    return [row.place if isinstance(row, RefusedRow) else row.id for row in found]


def test_other_columns_are_metadata() -> None:
    values = {"_id": 7, "body": "a text", "year": 2026, "seen": date(2026, 1, 2), "gone": None}
    document = document_of({**values, "metadata": {"lang": "en"}}, Columns(id="_id", text="body"))
    assert (document.id, document.text) == ("7", "a text")
    assert document.metadata == {"year": 2026, "seen": "2026-01-02", "lang": "en"}


def test_a_row_without_an_id_is_a_document_without_one() -> None:
    assert document_of({"text": "x"}, Columns()).id is None


@pytest.mark.parametrize("name", [True, 1.5, "", "x" * 513, ["a"]])
def test_an_id_that_no_index_takes_is_refused(name: object) -> None:
    with pytest.raises(IndexSchemaError):
        document_of({"id": name, "text": "x"}, Columns())


def test_a_missing_text_is_refused_with_the_columns_there_are() -> None:
    with pytest.raises(IndexSchemaError, match=r"no column 'txt' among text, id, year; --text-field names it"):
        document_of({"id": "1", "text": "x", "year": 1}, Columns(text="txt"))
    with pytest.raises(IndexSchemaError, match=r"the text, column 'text', is of type int"):
        document_of({"text": 1}, Columns())


def test_a_file_without_the_column_of_the_text_is_one_refusal_however_many_rows_it_has(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key,bodytext\n" + "1,x\n" * 1234, encoding="utf-8")
    (refused,) = read_documents([path], Columns(text="text"), NOTHING)
    assert isinstance(refused, RefusedRow)
    reason = "none of its 1,234 rows has a text: no column 'text' among bodytext, key; --text-field names it"
    assert refused == RefusedRow(place=str(path), reason=reason, rows=1234)
    lines = b'{"id": "1"}\n{"id": "2", "text": "x"}\nno json\n{"id": "3"}\n'
    found = list(read_documents([Path("-")], Columns(), BytesIO(lines)))
    places = [row.place for row in found if isinstance(row, RefusedRow)]
    assert places == [f"standard input:{line}" for line in (1, 3, 4)]


TYPED = {"year": "integer", "price": "number", "sold": "boolean", "on": "date"}


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        *(("year", "2020", 2020), ("year", " -7 ", -7), ("year", "007", 7), ("year", 3.5, 3.5)),
        *(("price", "4.70", 4.7), ("price", "1e3", 1000.0), ("price", "5", 5.0)),
        *(("sold", "True", True), ("sold", "no", False), ("sold", "0", False), ("sold", None, None)),
        *(("on", "2024-02-29", "2024-02-29"), ("on", "2025-02-03T12:45:46Z", "2025-02-03T12:45:46+00:00")),
        *(("on", "20240229", "2024-02-29"), ("other", "7", "7")),
    ],
)
def test_a_column_that_has_a_type_holds_values_of_it(column: str, cell: object, value: object) -> None:
    found = document_of({"text": "x", column: cell}, Columns(types=TYPED)).metadata.get(column)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *(("year", "1.5"), ("year", "1_000"), ("year", "one"), ("price", "nan"), ("price", "1e999"), ("price", "1,5")),
        *(("sold", "maybe"), ("on", "2023-02-29"), ("on", "3 May"), ("on", "2024")),
    ],
)
def test_a_cell_that_is_not_of_its_columns_type_is_refused_without_its_value(
    column: str, cell: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.tsv"
    path.write_text(f"text\t{column}\nx\t{cell}\nx\t\n", encoding="utf-8")
    refused, document = read_documents([path], Columns(types=TYPED), NOTHING)
    assert isinstance(refused, RefusedRow)
    assert refused.reason == f"the value of column {column!r} is not of type {TYPED[column]}, as --type says"
    assert not isinstance(document, RefusedRow)
    assert document.metadata == {}


def test_a_type_is_known_and_neither_the_ids_nor_the_texts() -> None:
    with pytest.raises(ValueError, match="of type integer, number, boolean, date; got 'int'"):
        Columns(types={"year": "int"})
    with pytest.raises(ValueError, match="Column 'key' is the id, which stays a text"):
        Columns(id="key", types={"key": "integer"})
    with pytest.raises(ValueError, match="Column 'text' is the text, which stays a text"):
        Columns(types={"text": "integer"})


def test_files_of_other_formats_in_folders_are_counted(tmp_path: Path) -> None:
    for name in ("a.txt", "b.pdf", "c/d.png", "c/.e.png", ".f/g.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert skipped_files([tmp_path, Path("-"), tmp_path / "a.txt"]) == 2


def test_a_folder_gives_its_files_in_the_order_of_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("f/b.txt", "f/a/z.md", "f/.hidden/x.txt", "f/.x.txt", "f/image.png"):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    Path("f/c.jsonl").write_text('{"id": "c", "text": "x"}', encoding="utf-8")
    assert _ids(Path("f")) == ["f/b.txt", "c", "f/a/z.md"]


def test_the_id_of_a_text_file_is_its_path_whatever_the_columns_are_called(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    assert _ids(tmp_path / "a.txt", columns=Columns(id="_id", text="body")) == [(tmp_path / "a.txt").as_posix()]


def test_a_folder_without_a_readable_file_is_refused(tmp_path: Path) -> None:
    assert _ids(tmp_path) == [str(tmp_path)]


def test_a_dash_is_standard_input() -> None:
    (document,) = read_documents([Path("-")], Columns(), BytesIO(b'{"id": "1", "text": "x"}\n'))
    assert not isinstance(document, RefusedRow)
    assert document.id == "1"


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.parquet.gz", "a.gz"])
def test_an_unknown_ending_is_refused_before_anything_is_read(name: str, tmp_path: Path) -> None:
    for path in (tmp_path / name, tmp_path / "b.CSV", tmp_path / "c.txt.gz"):
        path.touch()
    check_paths([Path("-"), tmp_path, tmp_path / "b.CSV", tmp_path / "c.txt.gz"])
    with pytest.raises(ValueError, match=r"no known format; names end in \.jsonl, "):
        check_paths([tmp_path / name])


def test_a_path_that_leads_nowhere_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no\.jsonl' does not exist"):
        check_paths([tmp_path / "no.jsonl"])


def test_pipes_and_dangling_links_in_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    os.mkfifo(tmp_path / "b.jsonl")
    (tmp_path / "c.csv").symlink_to(tmp_path / "nothing")
    document, *refused = read_documents([tmp_path], Columns(), NOTHING)
    assert isinstance(document, SparseDocument)
    assert [Path(row.place).name for row in refused if isinstance(row, RefusedRow)] == ["b.jsonl", "c.csv"]
    assert row_count([tmp_path]) is None
