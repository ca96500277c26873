from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.cli.commands.ingest import SHOWN_REFUSALS
from tests.cli.conftest import MODEL, Run

pytestmark = pytest.mark.newest_server

OUTCOME = {"index", "read", "written", "refused", "skipped", "unknown", "stopped", "without_vector"}


@pytest.fixture
def index(cli: Run, index_name: str) -> str:
    assert cli("index", "create", index_name, "--model", MODEL, "--replicas", "0").status == 0
    return index_name


def test_files_of_all_formats_are_ingested(cli: Run, client: Any, index: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"key": 7, "body": "A heart.", "year": 2026}', encoding="utf-8")
    (tmp_path / "b.csv").write_text("key,body,lang\n8,A stone.,en\n", encoding="utf-8")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "c.md").write_text("# A river", encoding="utf-8")
    paths = [str(tmp_path / name) for name in ("a.jsonl", "b.csv", "texts")]
    columns = ("--id-field", "key", "--text-field", "body")
    done = cli("ingest", index, *paths, *columns, "--model", MODEL, "--batch-size", "2")
    assert (done.status, done.err) == (0, "")
    hits = client.search(index=index, body={"_source": ["content", "year", "lang"]})["hits"]["hits"]
    assert {hit["_id"]: hit["_source"] for hit in hits} == {
        "7": {"content": "A heart.", "year": 2026},
        "8": {"content": "A stone.", "lang": "en"},
        (tmp_path / "texts" / "c.md").as_posix(): {"content": "# A river"},
    }


@pytest.mark.filterwarnings("always::opensearch_neural_sparse.TruncationWarning")
def test_long_documents_are_named(cli: Run, index: str) -> None:
    rows = b"\n".join(b'{"id": "%d", "text": "%s"}' % (number, b"river " * 600) for number in range(3))
    done = cli("ingest", index, "-", "--model", MODEL, "--batch-size", "1", stdin=rows)
    assert done.status == 0
    assert done.err.startswith("Warning: 3 documents have more than 512 tokens ('0', '1', '2'); what follows")


def test_refused_documents_are_named_and_the_others_written(cli: Run, client: Any, index: str) -> None:
    rows = [b'{"id": "1", "text": "A heart."}', b"no json", b'{"id": "2"}', b'{"id": "3", "text": "x", "a..b": 1}']
    done = cli("ingest", index, "-", "--model", MODEL, "--json", stdin=b"\n".join(rows))
    assert (done.status, done.err) == (1, "")
    assert set(done.json) == OUTCOME
    assert (done.json["read"], done.json["written"]) == (4, 1)
    assert [row["where"] for row in done.json["refused"]] == [f"standard input:{line}" for line in (2, 3, 4)]
    assert client.count(index=index)["count"] == 1


def test_a_document_that_is_refused_is_named_by_its_id(cli: Run, index: str) -> None:
    assert cli("ingest", index, "-", "--model", MODEL, stdin=b'{"id": "1", "text": "a", "year": 1}').status == 0
    done = cli("ingest", index, "-", "--model", MODEL, stdin=b'{"id": "2", "text": "a", "year": "long ago"}')
    assert done.status == 1
    assert done.err.startswith("Refused 2: IndexSchemaError: ")
    assert "long ago" not in done.err
    assert done.out == f"0 of 1 documents written to {index}.\n"


def test_few_of_many_refusals_are_shown(cli: Run, index: str) -> None:
    done = cli("ingest", index, "-", "--model", MODEL, stdin=b"no json\n" * (SHOWN_REFUSALS + 5))
    lines = done.err.splitlines()
    assert len(lines) == SHOWN_REFUSALS + 1
    assert lines[-1] == "... and 5 more; --json names them all."


def test_another_model_than_the_indexs_is_refused(cli: Run, index: str) -> None:
    done = cli("ingest", index, "-", "--model", "v2-distill", stdin=b'{"text": "x"}')
    assert (done.status, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1


def test_wrong_paths_are_wrong_calls(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").touch()
    missing, unknown = run("ingest", "x", str(tmp_path / "no.csv")), run("ingest", "x", str(tmp_path / "a.pdf"))
    assert (missing.status, unknown.status) == (2, 2)
    assert "does not exist" in missing.words
    assert "of no known format" in unknown.words


def test_documents_travel_while_later_ones_are_not_read_yet(
    cli: Run, client: Any, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opensearch_neural_sparse.cli.commands import ingest

    seen: list[int] = []
    plain = ingest.Sorting.documents

    def watched(self: ingest.Sorting, rows: Any) -> Any:
        for document in plain(self, rows):
            if self.read == 30:
                client.indices.refresh(index=index)
                seen.append(client.count(index=index)["count"])
            yield document

    monkeypatch.setattr(ingest.Sorting, "documents", watched)
    rows = "\n".join(json.dumps({"id": str(number), "text": "A heart."}) for number in range(30)).encode()
    assert cli("ingest", index, "-", "--model", MODEL, "--batch-size", "2", stdin=rows).status == 0
    assert seen[0] > 0


def test_a_wrong_text_column_is_said_once_with_the_columns_that_are_there(cli: Run, index: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key,body,lang\n" + "8,A stone.,en\n" * 30, encoding="utf-8")
    done = cli("ingest", index, str(path), "--text-field", "bodies", "--model", MODEL)
    reason = "none of its 30 rows has a text: no column 'bodies' among body, key, lang; --text-field names it"
    assert (done.status, done.err) == (1, f"Refused {path}: {reason}\n")
    assert done.out == f"0 of 30 documents written to {index}.\n"
    told = cli("ingest", index, str(path), "--text-field", "bodies", "--model", MODEL, "--json").json
    assert (told["read"], told["refused"]) == (30, [{"where": str(path), "reason": reason, "rows": 30}])


def test_csv_columns_are_of_the_type_that_is_given(cli: Run, client: Any, index: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = ["1,A heart.,2020,4.5,yes,2024-01-31,007", "2,A stone.,,,,,", "3,A river.,soon,1,no,2024-01-31,x"]
    path.write_text("\n".join(["id,text,year,price,sold,on,code", *rows]), encoding="utf-8")
    types = ("--type", "year=integer", "--type", "price=number", "--type", "sold=boolean", "--type", "on=date")
    done = cli("ingest", index, str(path), *types, "--model", MODEL)
    assert done.status == 1
    assert done.err == f"Refused {path}:4: the value of column 'year' is not of type integer, as --type says\n"
    assert done.out == f"2 of 3 documents written to {index}.\n"
    found = client.get(index=index, id="1", _source_excludes=["sparse_vector*"])["_source"]
    values = {"year": 2020, "price": 4.5, "sold": True, "on": "2024-01-31", "code": "007"}
    assert {name: found[name] for name in values} == values
    assert set(client.get(index=index, id="2", _source_excludes=["sparse_vector*"])["_source"]) == {"id", "content"}
    newer = '{"range": {"year": {"gt": 2019}}}'
    assert len(cli("search", index, "heart", "--filter", newer, "--model", MODEL, "--json").json["hits"]) == 1


@pytest.mark.parametrize("wrong", ["year", "year=int", "text=integer", "id=integer"])
def test_a_wrong_type_is_a_wrong_call(run: Run, wrong: str) -> None:
    done = run("ingest", "articles", "-", "--type", wrong)
    assert (done.status, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "Invalid value for --type" in done.words


def test_columns_that_were_asked_for_and_are_nowhere_are_warned_about(cli: Run, index: str) -> None:
    options = ("--type", "yaer=integer", "--id-field", "key", "--model", MODEL)
    done = cli("ingest", index, "-", *options, stdin=b'{"id": "1", "text": "A heart.", "year": "2020"}')
    assert done.status == 0
    assert done.err.splitlines() == [
        "Warning: No row has column 'key': each document got a random id.",
        "Warning: No row has column 'yaer', which --type names.",
    ]


def test_skipped_files_are_counted(cli: Run, index: str, tmp_path: Path) -> None:
    for name in ("a.txt", "b.pdf", "c.png", ".hidden"):
        (tmp_path / name).write_text("A heart.", encoding="utf-8")
    done = cli("ingest", index, str(tmp_path), "--model", MODEL)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"1 of 1 documents written to {index}. Files of other formats skipped: 2.\n"
    assert cli("ingest", index, str(tmp_path), "--model", MODEL, "--json").json["skipped"] == 2


def test_documents_without_a_vector_are_named_by_the_last_line(cli: Run, index: str) -> None:
    rows = b'{"id": "1", "text": "A heart."}\n{"id": "2", "text": "   "}\n{"id": "3", "text": ""}'
    done = cli("ingest", index, "-", "--model", MODEL, "--batch-size", "1", stdin=rows)
    assert (done.status, done.err) == (0, "")
    assert done.out == f"3 of 3 documents written to {index}. Without a vector in sparse_vector: 2, 3.\n"
    done = cli("ingest", index, "-", "--model", MODEL, "--json", stdin=rows)
    assert done.json["without_vector"] == {"sparse_vector": ["2", "3"]}
