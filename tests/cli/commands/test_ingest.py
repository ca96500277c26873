from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.cli.commands.ingest import SHOWN_REFUSALS
from tests.cli.conftest import MODEL, Run

pytestmark = pytest.mark.newest_server

OUTCOME = {
    *("index", "read", "written", "unchanged", "deleted", "left", "refused", "skipped"),
    *("unknown", "stopped", "not_deleted", "without_vector"),
}


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


def test_several_processes_encode_the_rows(cli: Run, client: Any, index: str) -> None:
    rows = b"\n".join(b'{"id": "%d", "text": "River number %d."}' % (number, number) for number in range(30))
    assert cli("ingest", index, "-", "--model", MODEL, "--workers", "2", stdin=rows).status == 0
    assert client.count(index=index, body={"query": {"exists": {"field": "sparse_vector_model"}}})["count"] == 30
    assert cli("ingest", index, "-", "--model", MODEL, "--workers", "0", stdin=rows).status == 2


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


def test_a_document_that_is_refused_is_named_by_its_place_and_id(cli: Run, index: str) -> None:
    assert cli("ingest", index, "-", "--model", MODEL, stdin=b'{"id": "1", "text": "a", "year": 1}').status == 0
    done = cli("ingest", index, "-", "--model", MODEL, stdin=b'{"id": "2", "text": "a", "year": "long ago"}')
    assert done.status == 1
    assert done.err.startswith("Refused standard input:1: IndexSchemaError: Document '2': ")
    assert "long ago" not in done.err
    assert done.out == f"0 of 1 documents written to {index}, 1 refused.\n"


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
    plain = ingest.SeenColumns.counted

    def watched(self: ingest.SeenColumns, rows: Any) -> Any:
        for row in plain(self, rows):
            if self.documents == 30:
                client.indices.refresh(index=index)
                seen.append(client.count(index=index)["count"])
            yield row

    monkeypatch.setattr(ingest.SeenColumns, "counted", watched)
    rows = "\n".join(json.dumps({"id": str(number), "text": "A heart."}) for number in range(30)).encode()
    assert cli("ingest", index, "-", "--model", MODEL, "--batch-size", "2", stdin=rows).status == 0
    assert seen[0] > 0


def test_a_wrong_text_column_is_said_once_with_the_columns_that_are_there(cli: Run, index: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key,body,lang\n" + "8,A stone.,en\n" * 30, encoding="utf-8")
    done = cli("ingest", index, str(path), "--text-field", "bodies", "--model", MODEL)
    reason = "none of its 30 rows has a text: no column 'bodies' among body, key, lang; --text-field names it"
    assert (done.status, done.err) == (1, f"Refused {path}: {reason}\n")
    assert done.out == f"0 of 30 documents written to {index}, 30 refused.\n"
    told = cli("ingest", index, str(path), "--text-field", "bodies", "--model", MODEL, "--json").json
    assert (told["read"], told["refused"]) == (30, [{"where": str(path), "id": None, "reason": reason, "rows": 30}])


def test_csv_columns_are_of_the_type_that_is_given(cli: Run, client: Any, index: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = ["1,A heart.,2020,4.5,yes,2024-01-31,007", "2,A stone.,,,,,", "3,A river.,soon,1,no,2024-01-31,x"]
    path.write_text("\n".join(["id,text,year,price,sold,on,code", *rows]), encoding="utf-8")
    types = ("--type", "year=integer", "--type", "price=number", "--type", "sold=boolean", "--type", "on=date")
    done = cli("ingest", index, str(path), *types, "--model", MODEL)
    assert done.status == 1
    assert done.err == f"Refused {path}:4: the value of column 'year' is not of type integer, as --type says\n"
    assert done.out == f"2 of 3 documents written to {index}, 1 refused.\n"
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


def test_journal_in_an_index_is_followed_from_any_folder(cli: Run, index: str, tmp_path: Path, client: Any) -> None:
    articles = tmp_path / "articles.jsonl"
    articles.write_text('{"id": "1", "text": "A stone."}\n{"id": "2", "text": "A river."}\n')
    command = ("ingest", index, str(articles), "--model", MODEL, "--journal-index", f"{index}-journal")
    assert cli(*command).out == f"2 of 2 documents written to {index}.\n"
    again = cli(*command, "--json").json
    assert (again["written"], again["unchanged"]) == (0, 2)
    status = cli("ingest-status", "--journal-index", f"{index}-journal", "--json").json
    assert (status["index"], status["rows"], status["runs"], status["finished"]) == (index, 2, 2, True)
    both = cli(*command, "--journal", str(tmp_path / "file"))
    assert both.status == 2
    assert "name one of them" in both.err
    assert "Name a journal" in cli("ingest-status").err
    client.indices.delete(index=f"{index}-journal")


def test_repeated_command_skips_what_its_journal_holds(cli: Run, index: str, tmp_path: Path) -> None:
    articles, journal = tmp_path / "articles.jsonl", tmp_path / "articles.journal"
    lines = [json.dumps({"id": str(number), "text": f"River {number}."}) for number in range(20)]
    articles.write_text("\n".join(lines), encoding="utf-8")
    command = ("ingest", index, str(articles), "--model", MODEL, "--journal", str(journal))
    assert cli(*command).out == f"20 of 20 documents written to {index}.\n"
    assert cli(*command).out == f"0 of 20 documents written to {index}, 20 unchanged.\n"
    articles.write_text("\n".join([*lines[:15], lines[16].replace("River", "Lake")]), encoding="utf-8")
    assert cli(*command, "--sync").out == f"1 of 16 documents written to {index}, 15 unchanged, 4 deleted.\n"
    assert cli(*command, "--restart").out == f"16 of 16 documents written to {index}.\n"
    status = cli("ingest-status", str(journal), "--json").json
    assert (status["source"], status["index"]) == (str(articles), index)
    assert (status["rows"], status["runs"], status["finished"]) == (16, 1, True)
    assert "finished  True" in cli("ingest-status", str(journal)).out
    other = cli(*command[:2], str(tmp_path), *command[3:])
    assert other.status == 1
    assert "its source is" in other.err


def test_failed_rows_are_taken_up_again_from_their_file(cli: Run, index: str, tmp_path: Path) -> None:
    rows, failed = tmp_path / "a.csv", tmp_path / "failed.jsonl"
    rows.write_text("id,text,year\n1,A heart.,2020\n2,A stone.,soon\n3,A river.,2021\n", encoding="utf-8")
    command = ("ingest", index, str(rows), "--model", MODEL, "--type", "year=integer")
    assert cli(*command, "--dead-letters", str(failed)).out == f"2 of 3 documents written to {index}, 1 refused.\n"
    assert [json.loads(line)["place"] for line in failed.read_text(encoding="utf-8").splitlines()] == [f"{rows}:3"]
    without = cli("ingest", index, "--model", MODEL, "--retry-failed", str(failed))
    assert without.status == 2
    assert "holds 1 rows by their places alone" in without.words
    rows.write_text(rows.read_text(encoding="utf-8").replace("soon", "2022"), encoding="utf-8")
    again = cli(*command, "--retry-failed", str(failed), "--dead-letters", str(failed))
    assert (again.status, again.out) == (0, f"1 of 1 documents written to {index}.\n")
    assert not failed.exists()


def test_failed_rows_that_were_kept_need_no_files(cli: Run, client: Any, index: str, tmp_path: Path) -> None:
    failed = tmp_path / "failed.jsonl"
    assert cli("ingest", index, "-", "--model", MODEL, stdin=b'{"id": "0", "text": "a"}').status == 0
    client.indices.put_mapping(index=index, body={"dynamic": "strict"})
    keep = ("--dead-letters", str(failed), "--keep-rows", "--max-errors", "5")
    done = cli("ingest", index, "-", "--model", MODEL, *keep, stdin=b'{"id": "1", "text": "A heart.", "year": 1}')
    assert (done.status, done.out) == (1, f"0 of 1 documents written to {index}, 1 refused.\n")
    client.indices.put_mapping(index=index, body={"dynamic": True})
    assert cli("ingest", index, "--model", MODEL, "--retry-failed", str(failed)).status == 0
    assert client.get(index=index, id="1", _source=["content", "year"])["_source"] == {"content": "A heart.", "year": 1}


def test_command_without_files_names_what_is_missing(run: Run) -> None:
    done = run("ingest", "articles")
    assert done.status == 2
    assert "Name the files to load: PATH." in done.words


def test_saved_dataset_is_ingested_by_its_columns(cli: Run, client: Any, index: str, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the datasets extra is not installed")
    kinds = datasets.ClassLabel(names=["organ", "thing"])
    features = datasets.Features({"key": datasets.Value("int64"), "body": datasets.Value("string"), "kind": kinds})
    columns = {"key": [1, 2], "body": ["A heart.", "A stone."], "kind": [0, 1]}
    train = datasets.Dataset.from_dict(columns, features=features)
    datasets.DatasetDict(train=train, test=train.select([])).save_to_disk(tmp_path / "saved")
    command = ("ingest", index, str(tmp_path / "saved"), "--id-field", "key", "--text-field", "body", "--model", MODEL)
    journal = ("--journal", str(tmp_path / "j"))
    assert cli(*command, *journal).out == f"2 of 2 documents written to {index}.\n"
    assert client.get(index=index, id="2", _source=["kind"])["_source"] == {"kind": "thing"}
    assert cli(*command, *journal).out == f"0 of 2 documents written to {index}, 2 unchanged.\n"


def test_models_of_folders_are_named_for_every_field(
    cli: Run, client: Any, index_name: str, snapshot: Callable[..., Path]
) -> None:
    main, other, row = MODEL, str(snapshot(mode="bi-encoder", seed=7)), b'{"id": "1", "text": "a river"}'
    assert cli("index", "create", index_name, "--model", main).status == 0
    assert cli("index", "add-field", index_name, "second", "--model", other).status == 0
    alone = cli("ingest", index_name, "-", "--model", main, stdin=row)
    assert alone.status == 1
    assert "Name every model of the index, by name or folder: --model MODEL --model OTHER." in alone.words
    assert cli("ingest", index_name, "-", "--model", main, "--model", other, stdin=row).status == 0
    source = client.get(index=index_name, id="1")["_source"]
    assert {"sparse_vector", "second"} <= source.keys()
    assert cli("search", index_name, "river", "--model", main, "--model", other).status == 0
