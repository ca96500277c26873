"""Loads by a journal, against real servers: what is written again, what is not, and what is reported."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    IndexJournal,
    JournalError,
    JournalMismatchError,
    Load,
    LoadProgress,
    LoadReport,
    NeuralSparseStore,
    RefusedRow,
    SourceRow,
    SparseDocument,
    SparseVector,
    SqliteJournal,
    WriteOptions,
)
from opensearch_neural_sparse.ingestion.dead_letters import read_dead_letters, row_of
from opensearch_neural_sparse.ingestion.run import LoadRun
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

TEN = WriteOptions(batch_size=10)


@pytest.fixture
def file_journal(tmp_path: Path) -> Path:
    return tmp_path / "articles.journal"


@pytest.fixture(params=["file", "index"])
def journal(request: pytest.FixtureRequest, file_journal: Path, server: RunningServer, other_index: str) -> Any:
    return file_journal if request.param == "file" else IndexJournal(f"{other_index}-journal", url=server.url)


def rows(count: int, **changed: str) -> list[dict[str, Any]]:
    """Documents r0, r1, ...; those named have another text."""
    return [{"id": f"r{n}", "text": changed.get(f"r{n}", f"planet w{n}"), "metadata": {"n": n}} for n in range(count)]


def encoded(encoder: WordEncoder) -> list[str]:
    return [text for call in encoder.calls for text in call]


def stored(store: NeuralSparseStore) -> dict[str, str | None]:
    return {str(document.id): document.text for document in store.scan()}


def counts(report: LoadReport) -> tuple[int, int, int, int, int]:
    return report.written, report.unchanged, report.refused, report.deleted, report.left


def test_repeated_load_encodes_and_writes_nothing(store: NeuralSparseStore, journal: Any, encoder: WordEncoder) -> None:
    assert counts(store.ingest(Load(rows(25), journal=journal), options=TEN)) == (25, 0, 0, 0, 0)
    assert len(encoded(encoder)) == 25
    report = store.ingest(Load(rows(25), journal=journal), options=TEN)
    assert counts(report) == (0, 25, 0, 0, 0)
    assert report.complete
    assert report.read == 25
    assert len(encoded(encoder)) == 25
    assert store.count() == 25


def test_load_that_ended_early_encodes_only_the_rest(
    store: NeuralSparseStore, journal: Any, encoder: WordEncoder
) -> None:
    def breaking() -> Iterator[dict[str, Any]]:
        yield from rows(60)
        raise OSError("the disk was pulled out")

    with pytest.raises(OSError, match="pulled out"):
        store.ingest(Load(breaking(), journal=journal), options=TEN)
    before = len(encoded(encoder))
    assert before == 60
    assert counts(store.ingest(Load(rows(100), journal=journal), options=TEN)) == (40, 60, 0, 0, 0)
    assert len(encoded(encoder)) == 100
    assert stored(store) == {row["id"]: row["text"] for row in rows(100)}


def test_changed_rows_alone_are_written_again(store: NeuralSparseStore, journal: Any, encoder: WordEncoder) -> None:
    store.ingest(Load(rows(20), journal=journal))
    encoder.calls.clear()
    changed = rows(20, r3="red mars", r7="blue earth")
    changed[9]["metadata"] = {"n": 9, "new": True}
    assert counts(store.ingest(Load(changed, journal=journal))) == (3, 17, 0, 0, 0)
    assert encoded(encoder) == ["red mars", "blue earth", "planet w9"]
    assert stored(store)["r3"] == "red mars"


def test_given_vectors_count_as_content(store: NeuralSparseStore, journal: Any) -> None:
    first = [SparseDocument(id="1", text="a", vector=SparseVector({"red": 1.0, "mars": 2.0}))]
    second = [SparseDocument(id="1", text="a", vector=SparseVector({"red": 1.0, "mars": 2.5}))]
    assert counts(store.ingest(Load(first, journal=journal))) == (1, 0, 0, 0, 0)
    assert counts(store.ingest(Load(first, journal=journal))) == (0, 1, 0, 0, 0)
    assert counts(store.ingest(Load(second, journal=journal))) == (1, 0, 0, 0, 0)


def test_rows_that_are_gone_are_deleted_where_asked(store: NeuralSparseStore, journal: Any) -> None:
    store.write([{"id": "other", "text": "not of this source"}])
    store.ingest(Load(rows(20), journal=journal))
    assert counts(store.ingest(Load(rows(15), journal=journal))) == (0, 15, 0, 0, 0)
    assert store.count() == 21
    assert counts(store.ingest(Load(rows(15), journal=journal, sync=True))) == (0, 15, 0, 5, 0)
    assert set(stored(store)) == {"other", *(f"r{n}" for n in range(15))}
    assert counts(store.ingest(Load(rows(20), journal=journal, sync=True))) == (5, 15, 0, 0, 0)


def test_nothing_is_deleted_where_rows_could_not_be_read(store: NeuralSparseStore, journal: Any) -> None:
    store.ingest(Load(rows(10), journal=journal))
    broken = [*rows(5), RefusedRow(place="b.jsonl", reason="it cannot be read")]
    report = store.ingest(Load(broken, journal=journal, sync=True))
    assert counts(report) == (0, 5, 1, 0, 0)
    assert not report.complete
    assert report.not_deleted == "No document was deleted, since 1 rows could not be read."
    assert store.count() == 10


def test_document_whose_new_row_is_refused_is_not_deleted(store: NeuralSparseStore, journal: Any) -> None:
    store.ingest(Load(rows(5), journal=journal))
    broken = [*rows(3), {"id": "r3", "text": "new", "metadata": {"n": "three"}}]
    report = store.ingest(Load(broken, journal=journal, sync=True))
    assert counts(report) == (0, 3, 1, 1, 0)
    assert stored(store).keys() == {"r0", "r1", "r2", "r3"}
    assert counts(store.ingest(Load(rows(4), journal=journal, sync=True))) == (0, 4, 0, 0, 0)


@pytest.mark.parametrize("sync", [False, True])
def test_row_that_was_sent_before_a_kill_is_written_again_or_deleted(
    store: NeuralSparseStore, journal: Any, monkeypatch: pytest.MonkeyPatch, sync: bool
) -> None:
    store.ingest(Load(rows(5), journal=journal))
    with monkeypatch.context() as patch:
        patch.setattr(LoadRun, "acknowledge", lambda *_: None)  # as if killed between the answer and its record
        store.ingest(Load([*rows(5, r3="red"), {"id": "new", "text": "blue"}], journal=journal, sync=sync))
    assert stored(store)["r3"] == "red"
    report = store.ingest(Load(rows(5), journal=journal, sync=sync))
    assert counts(report) == (1, 4, 0, int(sync), 0)
    assert stored(store)["r3"] == "planet w3"
    assert ("new" in stored(store)) != sync


def test_documents_of_other_shards_are_deleted_there(make_store: MakeStore, journal: Any) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 3})
    routed = [SparseDocument(id=f"r{n}", text=f"w{n}", routing=f"team-{n}") for n in range(12)]
    routed_by_options = WriteOptions(routing="all")
    store.ingest(Load(routed, journal=journal))
    assert counts(store.ingest(Load(routed[:2], journal=journal, sync=True))) == (0, 2, 0, 10, 0)
    assert store.count() == 2
    other = Load(rows(10), journal=journal, restart=True)
    assert store.ingest(other, options=routed_by_options).written == 10
    report = store.ingest(Load(rows(1), journal=journal, sync=True), options=routed_by_options)
    assert counts(report) == (0, 1, 0, 9, 0)


def test_row_of_another_routing_is_refused(store: NeuralSparseStore, journal: Any) -> None:
    store.ingest(Load([SparseDocument(id="1", text="a", routing="x")], journal=journal))
    moved = [SparseDocument(id="1", text="a", routing="y")]
    for sync in (False, True):
        report = store.ingest(Load(moved, journal=journal, sync=sync))
        assert counts(report) == (0, 0, 1, 0, 0)
        assert "its routing was 'x' when it was written, and is 'y' now" in report.letters[0].reason
    assert store.count() == 1


def test_rows_without_ids_keep_theirs(store: NeuralSparseStore, journal: Any) -> None:
    texts = ["red mars", "blue earth"]
    store.ingest(Load(texts, journal=journal))
    ids = set(stored(store))
    assert counts(store.ingest(Load(texts, journal=journal))) == (0, 2, 0, 0, 0)
    assert counts(store.ingest(Load(["red mars", "moon"], journal=journal))) == (1, 1, 0, 0, 0)
    assert set(stored(store)) == ids
    assert sorted(filter(None, stored(store).values())) == ["moon", "red mars"]


def test_second_row_of_an_id_is_refused(store: NeuralSparseStore, journal: Any) -> None:
    twice = [{"id": "a", "text": "red"}, {"id": "a", "text": "blue"}, {"id": "a", "text": "red"}]
    for expected in ((1, 1, 1, 0, 0), (0, 2, 1, 0, 0)):
        report = store.ingest(Load(twice, journal=journal))
        assert counts(report) == expected
        assert report.letters[0].place == "row 2"
        assert "its id 'a' is that of row 1, too" in report.letters[0].reason
    assert stored(store) == {"a": "red"}


def test_kept_document_is_stored_as_the_one_that_failed_would_have_been(
    store: NeuralSparseStore, client: Any, tmp_path: Path
) -> None:
    failed = tmp_path / "failed.jsonl"
    document = SparseDocument(
        id="a",
        text="red",
        metadata={"day": date(2024, 2, 29), "price": Decimal("4.7"), "tags": ("x", "y")},
        vector=SparseVector({"red": 1.25, "rouge": 0.5}),
        routing="r",
    )
    store.write([{"id": "first", "text": "x"}])
    client.indices.put_mapping(index=store.index, body={"dynamic": "strict"})
    assert counts(store.ingest(Load([document], dead_letters=failed, keep_rows=True))) == (0, 0, 1, 0, 0)
    client.indices.put_mapping(index=store.index, body={"dynamic": True})
    assert counts(store.ingest(Load(map(row_of, list(read_dead_letters(failed)))))) == (1, 0, 0, 0, 0)
    loaded = client.get(index=store.index, id="a", routing="r")["_source"]
    store.write([document])
    assert loaded == client.get(index=store.index, id="a", routing="r")["_source"]
    assert loaded["day"] == "2024-02-29"


def test_sync_of_places_deletes_only_what_is_gone_from_these(store: NeuralSparseStore, journal: Path) -> None:
    def load(*places: str, **options: Any) -> Load:
        made = (SourceRow(place=each, document=SparseDocument(id=each, text="red")) for each in places)
        return Load(made, journal=journal, **options)

    store.ingest(load("a.csv:2", "a.csv:3", "b.csv:2", "c.csv:2"))
    assert counts(store.ingest(load("a.csv:2", sync={"a.csv", "c.csv:2"}))) == (0, 1, 0, 2, 0)
    assert stored(store).keys() == {"a.csv:2", "b.csv:2"}
    assert counts(store.ingest(load("c.csv:2", sync=frozenset()))) == (1, 0, 0, 0, 0)
    assert counts(store.ingest(load("c.csv:2", sync=True))) == (0, 1, 0, 2, 0)


def test_load_without_journal_writes_all_rows_and_the_last_of_an_id_stands(store: NeuralSparseStore) -> None:
    twice = [{"id": "a", "text": "red"}, {"id": "b", "text": "green"}, {"id": "a", "text": "blue"}]
    assert counts(store.ingest(Load(twice))) == (3, 0, 0, 0, 0)
    assert stored(store) == {"a": "blue", "b": "green"}


def test_refused_rows_are_dead_letters_and_tried_again(
    store: NeuralSparseStore, client: Any, journal: Any, tmp_path: Path
) -> None:
    failed = tmp_path / "failed.jsonl"
    store.write([{"id": "first", "text": "x", "metadata": {"year": 1999}}])
    client.indices.put_mapping(index=store.index, body={"dynamic": "strict"})
    mixed: list[Any] = [
        SourceRow(place="a.csv:2", document=SparseDocument(id="good", text="red", metadata={"year": 2001})),
        SourceRow(place="a.csv:3", document=SparseDocument(id="bad", text="blue", metadata={"day": 3})),
        RefusedRow(place="a.csv:4", reason="it has more cells than the first line has names"),
        {"id": "odd", "text": "green", "metadata": {"when": object()}},
        {"id": "worse", "colour": "green"},
    ]
    load = Load(mixed, journal=journal, dead_letters=failed, keep_rows=True)
    report = store.ingest(load)
    assert counts(report) == (1, 0, 4, 0, 0)
    letters = {row["place"]: row for row in map(json.loads, failed.read_text().splitlines())}
    assert {place: row["stage"] for place, row in letters.items()} == {
        "a.csv:3": "write",
        "a.csv:4": "read",
        "row 4": "prepare",
        "row 5": "read",
    }
    assert letters["a.csv:3"]["id"] == "bad"
    assert letters["a.csv:3"]["row"]["metadata"] == {"day": 3}
    assert {letter.place for letter in report.letters} == set(letters)

    mended = [mixed[0], SourceRow(place="a.csv:3", document=SparseDocument(id="bad", text="blue"))]
    assert counts(store.ingest(Load(mended, journal=journal, dead_letters=failed))) == (1, 1, 0, 0, 0)
    assert not failed.exists()


def test_chosen_rows_alone_are_loaded(store: NeuralSparseStore, journal: Any) -> None:
    report = store.ingest(Load(rows(10), journal=journal, only={"row 3", "row 5"}))
    assert counts(report) == (2, 0, 0, 0, 0)
    assert set(stored(store)) == {"r2", "r4"}


def test_text_that_cannot_be_encoded_fails_alone(make_store: MakeStore, encoder: WordEncoder, journal: Any) -> None:
    class Choosy(WordEncoder):
        def encode_documents(self, texts: Sequence[str], **options: Any) -> list[SparseVector]:
            if any("poison" in text for text in texts):
                raise RuntimeError("the tokenizer gave up")
            return super().encode_documents(texts, **options)

    store = make_store(document_encoder=Choosy(encoder.files))
    store.create()
    report = store.ingest(Load(rows(25, r13="poison"), journal=journal), options=TEN)
    assert counts(report) == (24, 0, 1, 0, 0)
    (letter,) = report.letters
    assert (letter.id, letter.stage) == ("r13", "encode")
    assert letter.reason == "RuntimeError: the tokenizer gave up"
    with pytest.raises(RuntimeError, match="gave up"):
        store.ingest(Load([{"id": "x", "text": "poison"}]))


def test_load_stops_after_too_many_errors(store: NeuralSparseStore, journal: Any) -> None:
    mixed = [RefusedRow(place=f"x:{n}", reason="broken") for n in range(4)]
    report = store.ingest(Load([*mixed, *rows(2000)], journal=journal, max_errors=2))
    assert report.refused == 4
    assert report.read < 2000
    assert report.stopped is not None
    assert "More than 2 rows failed" in report.stopped
    assert not report.complete
    assert store.ingest(Load(rows(2000), journal=journal)).complete


def test_journal_of_another_index_source_or_model_is_refused(
    make_store: MakeStore, encoder: WordEncoder, journal: Any, other_index: str
) -> None:
    store = make_store()
    store.create()
    store.ingest(Load(rows(3), journal=journal))
    with pytest.raises(JournalMismatchError, match="its source is 'documents', that of this load 'other'"):
        store.ingest(Load(rows(3), source="other", journal=journal))
    elsewhere = make_store(other_index)
    elsewhere.create()
    with pytest.raises(JournalMismatchError, match="its index is") as caught:
        elsewhere.ingest(Load(rows(3), journal=journal))
    assert "restart=True" in str(caught.value)
    store.delete_index()
    store.create()
    with pytest.raises(JournalMismatchError, match="was deleted or replaced"):
        store.ingest(Load(rows(3), journal=journal))
    assert counts(store.ingest(Load(rows(3), journal=journal, restart=True))) == (3, 0, 0, 0, 0)
    store.delete_index()
    store.create()
    store.write(rows(3))
    assert store.ingest(Load(rows(3), journal=journal, restart=True)).written == 3


def test_one_program_at_a_time_uses_a_journal(store: NeuralSparseStore, file_journal: Path) -> None:
    def nested() -> Iterator[dict[str, Any]]:
        with pytest.raises(JournalError, match="Another program loads with journal"):
            store.ingest(Load(rows(1), journal=file_journal))
        yield from rows(3)

    assert store.ingest(Load(nested(), journal=file_journal)).written == 3


def test_progress_counts_up_to_the_report(store: NeuralSparseStore, journal: Any) -> None:
    seen: list[LoadProgress] = []
    store.ingest(Load(rows(50), journal=journal), options=TEN)
    changed = rows(50, **{f"r{n}": "red" for n in range(0, 50, 2)})
    report = store.ingest(Load(changed, journal=journal), options=TEN, progress=seen.append)
    assert (report.written, report.unchanged) == (25, 25)
    assert [each.written for each in seen] == sorted(each.written for each in seen)
    assert (seen[-1].written, seen[-1].unchanged, seen[-1].read) == (25, 25, 50)
    assert 0 < seen[0].seconds <= seen[-1].seconds <= report.seconds


def test_status_tells_of_a_journal(store: NeuralSparseStore, file_journal: Path) -> None:
    with pytest.raises(JournalError, match="does not exist"):
        SqliteJournal(file_journal).status()
    store.ingest(Load(rows(3), source="articles", journal=file_journal))
    status = SqliteJournal(file_journal).status()
    assert status.target is not None
    assert (status.target.source, status.target.index) == ("articles", store.index)
    assert (status.rows, status.runs, status.last, status.finished) == (3, 1, 3, True)


async def test_awaited_load_continues_one_of_the_blocking_store(
    store: NeuralSparseStore, client: Any, encoder: WordEncoder, journal: Any, server: Any
) -> None:
    store.ingest(Load(rows(15), journal=journal), options=TEN)
    parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder}
    async with AsyncNeuralSparseStore(store.index, url=server.url, **parts) as other:
        report = await other.ingest(Load(rows(30), journal=journal, sync=True), options=TEN)
        assert counts(report) == (15, 15, 0, 0, 0)
        report = await other.ingest(Load(rows(12), journal=journal, sync=True), options=TEN)
    assert counts(report) == (0, 12, 0, 18, 0)
    assert store.count() == 12


@pytest.mark.newest_server
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"sync": True}, "sync=True needs a journal"),
        ({"restart": True}, "restart=True needs a journal"),
        ({"max_errors": -1}, "max_errors is -1; it must be 0 or more"),
        ({"sync": True, "journal": "j", "only": {"row 1"}}, "sync=True needs all rows"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Load([], **options)


@pytest.mark.parametrize("given", ["one text", {"id": "1"}, SparseDocument(text="x"), 3])
def test_one_document_is_no_load(given: Any) -> None:
    with pytest.raises(TypeError, match="several documents"):
        Load(given)


def test_file_that_is_no_journal_is_refused(store: NeuralSparseStore, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("Not a journal, and longer than the header of a database file. " * 40)
    for path, problem in ((text, "not a database"), (tmp_path / "none" / "j", "unable to open")):
        with pytest.raises(JournalError, match=problem):
            store.ingest(Load(rows(1), journal=path))
    assert store.count() == 0


def test_beginning_and_end_are_logged(
    store: NeuralSparseStore, file_journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def breaking() -> Iterator[Any]:
        yield from rows(23)
        raise OSError("the disk was pulled out")

    named = f"Load of 'articles' into {store.index!r}"
    caplog.set_level("INFO", logger="opensearch_neural_sparse.ingestion")
    store.ingest(Load(rows(3), source="articles", journal=file_journal))
    store.ingest(Load([{"colour": "red"}, *rows(3)], source="articles", max_errors=0))
    with pytest.raises(OSError, match="pulled out"):
        store.ingest(Load(breaking(), source="articles", journal=file_journal), options=TEN)
    logged = [record for record in caplog.records if record.name == "opensearch_neural_sparse.ingestion.run"]
    assert {record.levelname for record in logged} == {"INFO"}
    first, last, second, early, third, broken = (record.getMessage() for record in logged)
    assert first == f"{named} begins: journal {file_journal}, run 1."
    assert last == f"{named} ended: 3 written, 0 unchanged, 0 refused, 0 left, 0 deleted."
    assert second == f"{named} begins: no journal."
    assert early.startswith(f"{named} ended early: ")
    assert "More than 0 rows failed" in early
    assert third == f"{named} begins: journal {file_journal}, run 2."
    assert broken == f"{named} was interrupted: 23 read, 20 written."
