"""Journals in an index, against real servers."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from opensearchpy import OpenSearch

from opensearch_neural_sparse import (
    IndexJournal,
    JournalError,
    JournalMismatchError,
    Load,
    NeuralSparseStore,
    WriteOptions,
)
from opensearch_neural_sparse.ingestion.journals import replayed_rows
from opensearch_neural_sparse.ingestion.journals.index_journal import PAUSES
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry, LoadTarget
from opensearch_neural_sparse.ingestion.journals.journal_requests import (
    GROUPS_PER_PAGE,
    LOAD_ID,
    ROWS_PER_GROUP,
    groups_body,
    read_groups,
    read_load,
)
from opensearch_neural_sparse.sqlite_files import KEYS_PER_QUERY
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.faulty_proxy import Fault, FaultyProxy, at_random

TARGET = LoadTarget(source="articles", index="articles-1", uuid="u", model="")
MakeJournal = Callable[[], IndexJournal]


@pytest.fixture
def make(server: RunningServer, index_name: str) -> Iterator[MakeJournal]:
    opened: list[IndexJournal] = []

    def make() -> IndexJournal:
        opened.append(IndexJournal(index_name, url=server.url))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


@pytest.fixture
def other_index(client: Any, index_name: str) -> Iterator[str]:
    yield f"{index_name}-of-documents"
    client.indices.delete(index=f"{index_name}-of-documents", ignore_unavailable=True)


def entries(names: list[str], *, run: int, content: bytes = b"\0\xff" * 8) -> list[JournalEntry]:
    return [JournalEntry(name, content, f"file:{name}", run) for name in names]


def sure_of(client: Any, index: str) -> set[str]:
    """Return the ids of rows whose content a journal is sure of."""
    client.indices.refresh(index=index)
    (load,) = client.mget(index=index, body={"ids": [LOAD_ID]})["docs"]
    body = groups_body(read_load(load).get("generation", ""), -1)
    known: dict[str, bytes] = {}
    for _, group in read_groups(client.search(index=index, body={**body, "size": 1000})["hits"]["hits"]):
        known |= {entry.id: entry.content for entry in group.entries}
        known = {name: content for name, content in known.items() if name not in group.forgotten}
    return {name for name, content in known.items() if content}


def test_entries_are_found_at_once_and_after_the_end(make: MakeJournal) -> None:
    first = make()
    run = first.begin(TARGET, restart=False)
    written = [*entries(["a", "ä" * 250], run=run), JournalEntry("routed", b"x", "p", run, "shard")]
    first.commit(written)
    names = [entry.id for entry in written]
    assert first.entries([*names, "other"]) == {entry.id: entry for entry in written}
    first.close()
    second = make()
    assert second.begin(TARGET, restart=False) == run + 1 == 2
    assert second.entries([*names, "other"]) == {entry.id: entry for entry in written}


def test_rows_that_a_run_has_not_read_are_gone_page_by_page(make: MakeJournal) -> None:
    journal = make()
    run = journal.begin(TARGET, restart=False)
    names = [f"{number:05d}" for number in range(2 * KEYS_PER_QUERY + 7)]
    journal.commit(entries(names, run=run))
    journal.close()
    run = journal.begin(TARGET, restart=False)
    journal.commit(entries([names[0], names[-1]], run=run))
    journal.commit(entries([names[1]], run=run, content=b"new"))
    pages = list(journal.gone())
    assert [each.id for page in pages for each in page] == names[2:-1]
    journal.forget(names[2:-1])
    assert list(journal.gone()) == []
    assert set(journal.entries(names)) == {names[0], names[1], names[-1]}


def test_later_load_takes_the_journal_over(make: MakeJournal) -> None:
    earlier, later = make(), make()
    earlier.begin(TARGET, restart=False)
    later.begin(TARGET, restart=False)
    earlier.commit(entries(["a"], run=1))
    for use in (earlier.flush, earlier.finish, lambda: earlier.forget(["a"])):
        with pytest.raises(JournalError, match="Another program has begun to load with journal"):
            use()
    later.finish()
    assert later.status().finished


def test_what_a_load_recorded_after_its_journal_was_taken_over_is_unknown(make: MakeJournal) -> None:
    earlier, later = make(), make()
    earlier.begin(TARGET, restart=False)
    run = later.begin(TARGET, restart=False)
    later.commit(entries(["a", "b"], run=run, content=b"later"))
    later.flush()
    earlier.commit(entries(["a"], run=run - 1, content=b"earlier"))
    with pytest.raises(JournalError, match="Another program"):
        earlier.flush()
    later.close()
    third = make()
    third.begin(TARGET, restart=False)
    assert {name: entry.content for name, entry in third.entries(["a", "b"]).items()} == {"a": b"", "b": b"later"}


def test_of_two_loads_that_begin_at_once_one_is_refused(make: MakeJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make(), make()
    first.begin(TARGET, restart=False)
    read = IndexJournal._read_load

    def overtaken(journal: IndexJournal, client: Any) -> Any:
        found = read(journal, client)
        if journal is second:
            monkeypatch.setattr(IndexJournal, "_read_load", read)
            make().begin(TARGET, restart=False)
        return found

    monkeypatch.setattr(IndexJournal, "_read_load", overtaken)
    with pytest.raises(JournalError, match="Another program has begun"):
        second.begin(TARGET, restart=False)


def test_other_processes_take_part_in_a_run(make: MakeJournal) -> None:
    journal = make()
    run = journal.begin(TARGET, restart=False)
    part = pickle.loads(pickle.dumps(journal.joined()))
    assert part.begin(TARGET, restart=False) == run
    part.commit(entries(["of the part"], run=run))
    part.finish()
    part.close()
    another = journal.joined()
    for name in ("first batch", "second batch"):  # each finds what others recorded before it begins
        assert another.begin(TARGET, restart=False) == run
        assert set(another.entries(["of the part", "first batch"])) == {"of the part", "first batch"} - {name}
        another.commit(entries([name], run=run))
        another.close()
    assert not journal.status().finished
    journal.finish()
    assert journal.status().finished
    with pytest.raises(JournalMismatchError, match="its source is 'articles'"):
        part.begin(replace(TARGET, source="other"), restart=False)
    make().begin(TARGET, restart=False)
    with pytest.raises(JournalError, match="Another program has begun"):
        part.begin(TARGET, restart=False)


def test_status_counts_rows_and_runs(make: MakeJournal) -> None:
    journal = make()
    with pytest.raises(JournalError, match="cannot be used as a journal"):
        journal.status()
    journal.begin(TARGET, restart=False)
    journal.commit(entries(["a", "b", "c"], run=1))
    journal.close()
    journal.begin(TARGET, restart=False)
    journal.commit(entries(["a"], run=2))
    journal.close()
    status = journal.status()
    assert (status.target, status.rows, status.runs, status.last, status.finished) == (TARGET, 3, 2, 1, False)


def test_restart_drops_what_is_recorded(make: MakeJournal) -> None:
    journal = make()
    journal.begin(TARGET, restart=False)
    journal.commit(entries(["a"], run=1))
    journal.close()
    with pytest.raises(JournalMismatchError, match="was deleted or replaced"):
        journal.begin(replace(TARGET, uuid="another"), restart=False)
    assert journal.begin(replace(TARGET, uuid="another"), restart=True) == 1
    assert journal.entries(["a"]) == {}


def test_index_of_another_kind_is_neither_used_nor_deleted(make: MakeJournal, client: Any, index_name: str) -> None:
    client.indices.create(index=index_name)
    for restart in (False, True):
        with pytest.raises(JournalError, match="is not a journal"):
            make().begin(TARGET, restart=restart)
    assert client.indices.exists(index=index_name)


def test_refused_entry_is_an_error(make: MakeJournal, client: Any, index_name: str) -> None:
    journal = make()
    journal.begin(TARGET, restart=False)
    client.indices.add_block(index=index_name, block="write")
    journal.commit(entries(["a"], run=1))
    with pytest.raises(JournalError, match="refused an entry of a journal"):
        journal.flush()
    client.indices.put_settings(index=index_name, body={"index.blocks.write": None})


def test_overloaded_server_is_asked_again(make: MakeJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = make()
    journal.begin(TARGET, restart=False)
    bulk, pauses = OpenSearch.bulk, []

    def crowded(client: OpenSearch, **arguments: Any) -> Any:
        response = bulk(client, **arguments)
        if len(pauses) < 3:
            item = response["items"][0]["create"]
            item.update(status=429, error={"type": "rejected_execution_exception", "reason": "full"})
        return response

    monkeypatch.setattr(OpenSearch, "bulk", crowded)
    monkeypatch.setattr("opensearch_neural_sparse.ingestion.journals.index_journal.sleep", pauses.append)
    journal.commit(entries(["a", "b"], run=1))
    journal.close()
    assert pauses == [0.0, *PAUSES[:2]]
    assert journal.status().rows == 2


def test_closed_journal_and_client_that_was_handed_in(make: MakeJournal, client: Any, index_name: str) -> None:
    with pytest.raises(JournalError, match=f"Journal {index_name} is closed"):
        make().entries(["a"])
    shared = IndexJournal(index_name, client=client)
    shared.begin(TARGET, restart=False)
    shared.close()
    assert client.ping()
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(shared)
    with pytest.raises(ValueError, match="either a client or the url"):
        IndexJournal(index_name)


def test_journal_of_a_server_that_does_not_answer_is_an_error() -> None:
    journal = IndexJournal("none", url="http://127.0.0.1:9", client_options={"max_retries": 0})
    with pytest.raises(JournalError, match="cannot be used as a journal"):
        journal.begin(TARGET, restart=False)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_journal_behind_a_hostile_network_holds_what_the_index_holds(
    seed: int, server: RunningServer, client: Any, index_name: str, other_index: str, encoder: WordEncoder
) -> None:
    given = [{"id": f"r{n}", "text": f"planet w{n}"} for n in range(120)]
    parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder}
    with (
        FaultyProxy(server.url, at_random(seed, 0.15), drip_seconds=0.2) as proxy,
        NeuralSparseStore(other_index, client=client, **parts) as store,
    ):
        store.create(settings={"number_of_shards": 1})
        for repeat in range(25):
            journal = IndexJournal(index_name, url=proxy.url, client_options={"timeout": 1})
            load = Load(given[:100] if repeat > 1 else given, journal=journal, sync=True)
            try:
                report = store.ingest(load, options=WriteOptions(batch_size=20))
            except JournalError as error:
                assert "cannot be used as a journal" in str(error) or "Another program" in str(error)  # noqa: PT017
            else:
                if report.complete and repeat > 1:
                    break
            store.refresh()
            held = {str(document.id) for document in store.scan()}
            if client.indices.exists(index=index_name):
                assert sure_of(client, index_name) <= held
        assert report.complete
        assert any(fault is not Fault.PASS for fault in proxy.faults)
        assert {str(document.id) for document in store.scan()} == {row["id"] for row in given[:100]}
    assert IndexJournal(index_name, url=server.url).status().rows == 100


def test_log_of_several_pages_is_read_whole(make: MakeJournal) -> None:
    journal = make()
    run = journal.begin(TARGET, restart=False)
    names = [str(number) for number in range(GROUPS_PER_PAGE + 5)]
    for name in names:
        journal.commit(entries([name], run=run))
        journal.flush()
    many = [f"many-{number}" for number in range(3 * ROWS_PER_GROUP + 1)]
    journal.commit(entries(many, run=run))
    journal.close()
    assert journal.status().rows == len(names) + len(many)


def test_end_before_a_compact_log_is_in_use_loses_nothing(
    make: MakeJournal, monkeypatch: pytest.MonkeyPatch, client: Any, index_name: str
) -> None:
    journal = make()
    for content in (b"former", b"x"):
        run = journal.begin(TARGET, restart=False)
        journal.commit(entries(["a", "b"], run=run, content=content))
        journal.close()
    monkeypatch.setattr(replayed_rows, "SMALL", -10)
    write, deleted = IndexJournal._write_load, []

    def killed(journal: IndexJournal, client: Any, load: Any, condition: Any) -> None:
        if load["generation"] != journal._load.get("generation", load["generation"]):
            deleted.append(load["generation"])
            raise KeyboardInterrupt
        write(journal, client, load, condition)

    monkeypatch.setattr(IndexJournal, "_write_load", killed)
    with pytest.raises(KeyboardInterrupt):
        make().begin(TARGET, restart=False)
    monkeypatch.setattr(IndexJournal, "_write_load", write)
    last = make()
    run = last.begin(TARGET, restart=False)
    assert last.entries(["a", "b"]) == {name: entries([name], run=2, content=b"x")[0] for name in "ab"}
    client.indices.refresh(index=index_name)
    assert client.count(index=index_name, body={"query": {"terms": {"generation": deleted}}})["count"] == 0
    assert (run, last.status().rows, len(deleted)) == (4, 2, 1)


def test_long_log_is_made_compact(
    make: MakeJournal, monkeypatch: pytest.MonkeyPatch, client: Any, index_name: str
) -> None:
    monkeypatch.setattr(replayed_rows, "SMALL", 10)
    journal = make()
    names = [str(number) for number in range(20)]
    kept = entries(names[5:], run=1, content=b"x")
    for _ in range(7):
        run = journal.begin(TARGET, restart=False)
        journal.commit(entries(names, run=run))
        journal.commit(kept)
        journal.forget(names[:5])
        journal.close()
    client.indices.refresh(index=index_name)
    assert client.count(index=index_name)["count"] < 1 + 7 * 2
    assert journal.begin(TARGET, restart=False) == 8
    assert journal.entries(names) == {entry.id: entry for entry in kept}
    assert journal.status().rows == 15
