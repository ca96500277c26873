from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.ingest.documents import Columns, check_paths, document_of, read_documents
from opensearch_neural_sparse.ingest.rows import RefusedRow

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
    with pytest.raises(IndexSchemaError, match=r"the text, column 'text', has none; its columns: body, id"):
        document_of({"id": "1", "body": "x"}, Columns())
    with pytest.raises(IndexSchemaError, match=r"the text, column 'text', is of type int"):
        document_of({"text": 1}, Columns())


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
