"""Loads, writes and requests through a proxy that refuses, resets, cuts, hangs and answers nonsense."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    Load,
    LoadReport,
    ModelFiles,
    NeuralSparseError,
    NeuralSparseStore,
    ServerConnectionError,
    ServerRequestError,
    SparseDocument,
    WriteOptions,
)
from opensearch_neural_sparse.ingestion.content_hash import content_hash
from opensearch_neural_sparse.ingestion.journals.sqlite_journal import read_rows
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.faulty_proxy import STATUSES, Fault, FaultyProxy, ProxiedRequest, always, at_random, listed

ROWS, BATCH, LANES = 120, 20, 2
HANGS = (Fault.HANG_BEFORE, Fault.HANG_AFTER)
SLOW = (*HANGS, Fault.DRIP)
FAULTS = [fault for fault in Fault if fault is not Fault.PASS]
OUTCOMES = [
    Fault.BUSY,
    Fault.TOO_LARGE,
    Fault.FULL_ITEMS,
    Fault.RESET_AFTER,
    Fault.HANG_AFTER,
    Fault.BROKEN_JSON,
    Fault.LATE_GATEWAY_TIMEOUT,
]
"""One fault of each kind of outcome."""
AFTER = {Fault.DRIP: 4, Fault.TOO_LARGE: 5}
"""Bulk requests before a lasting fault, where one would take long for many."""
REASONS = {
    **{fault: f"status {status}" for fault, status in STATUSES.items()},
    **dict.fromkeys(HANGS, "timed out"),
    **dict.fromkeys((Fault.PAGE, Fault.TEXT, Fault.EMPTY, Fault.OTHER_JSON, Fault.BROKEN_JSON), "not what OpenSearch"),
    **dict.fromkeys((Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.CUT, Fault.CUT_CHUNKED), "did not answer"),
    Fault.FULL_ITEMS: "queue is full",
    Fault.DRIP: "timed out",
}
"""What a report, or an error, says of each fault."""


def name_of_fault(fault: Fault) -> str:
    return fault.name


def options(fault: Fault | None = None) -> WriteOptions:
    """Return options with a timeout that is short where a fault makes use of it, and never met where none does."""
    timeout = 1.0 if fault in (None, *SLOW) else 20.0
    return WriteOptions(
        batch_size=BATCH,
        in_flight=LANES,
        max_retries=3,
        initial_backoff=0.01,
        max_backoff=0.05,
        request_timeout=timeout,
    )


def most_seconds(options: WriteOptions, *, batches: int = ROWS // BATCH) -> float:
    """Return the time that a load may take: a look at the index and a request for each attempt, in each lane."""
    attempt = 2 * options.request_timeout + options.max_backoff
    opening_and_end = 4 * options.request_timeout
    return opening_and_end + (options.max_retries + 1) * attempt * -(-batches // LANES)


def rows(name: str, version: int = 1, count: int = ROWS) -> list[SparseDocument]:
    texts = [f"planet w{number} v{version if number % 2 else 1}" for number in range(count)]
    return [
        SparseDocument(id=f"{name}-{number}", text=text, vector=word_vector(text), metadata={"n": number})
        for number, text in enumerate(texts)
    ]


class Door:
    """Calls methods of a store, blocking or awaited, each with a store of its own."""

    def __init__(self, kind: str, index: str, url: str, encoder: WordEncoder, **client_options: Any) -> None:
        self.store = NeuralSparseStore if kind == "blocking" else AsyncNeuralSparseStore
        self.parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder}
        self.index, self.url = index, url
        self.client_options = {"timeout": 20, **client_options}

    def __call__(self, method: str, *arguments: Any, **named: Any) -> Any:
        store: Any = self.store(self.index, url=self.url, client_options=self.client_options, **self.parts)
        if isinstance(store, NeuralSparseStore):
            with store:
                return getattr(store, method)(*arguments, **named)
        return asyncio.run(self._await(store, method, *arguments, **named))

    async def _await(self, store: AsyncNeuralSparseStore, method: str, *arguments: Any, **named: Any) -> Any:
        async with store:
            return await getattr(store, method)(*arguments, **named)


@pytest.fixture(params=["blocking", "awaited"])
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def index(server: RunningServer, files: ModelFiles) -> Iterator[str]:
    """An index for the documents of all tests, whose ids begin with names of their own."""
    name = f"test-{uuid.uuid4().hex}"
    door = Door("blocking", name, server.url, WordEncoder(files))
    door("create", settings={"number_of_shards": 1})
    yield name
    door("delete_index")


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


def stored(client: Any, index: str, name: str) -> dict[str, str]:
    """Return id -> text of every document of a name, read from the server itself."""
    client.indices.refresh(index=index)
    body = {"size": 1000, "query": {"prefix": {"id": name}}, "track_total_hits": True, "_source": ["content"]}
    found = client.search(index=index, body=body)
    hits = found["hits"]["hits"]
    assert len({hit["_id"] for hit in hits}) == len(hits) == found["hits"]["total"]["value"]
    return {hit["_id"]: hit["_source"]["content"] for hit in hits}


def texts_of(documents: Sequence[SparseDocument]) -> dict[str, str]:
    return {str(document.id): str(document.text) for document in documents}


def recorded(journal: Path) -> dict[str, bytes]:
    """Return id -> hash of the content that the journal records as written."""
    with closing(sqlite3.connect(journal)) as database, closing(sqlite3.connect(":memory:")) as copy:
        database.backup(copy)
        rows = read_rows(copy, RLock())
        rows.store()
        return {entry.id: entry.content for page in rows.pages() for entry in page if entry.content}


def assert_consistent(report: LoadReport, faults: Sequence[Fault]) -> None:
    assert report.read == report.written + report.unchanged + report.refused + report.left
    assert len(report.unknown) <= report.left
    assert report.complete or report.stopped or report.not_deleted or report.letters
    if not report.complete:
        assert any(REASONS[fault] in str(report) for fault in faults), (faults, str(report))


def assert_journal_is_true(journal: Path, client: Any, index: str, name: str, *versions: list[SparseDocument]) -> None:
    """Check that the index holds each row as the journal records it."""
    held = stored(client, index, name)
    for key, content in recorded(journal).items():
        assert key in held
        known = {content_hash(row): row.text for version in versions for row in version if row.id == key}
        assert held[key] == known[content]


@pytest.mark.parametrize("fault", FAULTS, ids=name_of_fault)
def test_load_survives_a_passing_fault(
    fault: Fault,
    door: str,
    server: RunningServer,
    index: str,
    client: Any,
    encoder: WordEncoder,
    name: str,
    tmp_path: Path,
) -> None:
    journal, chosen = tmp_path / "journal", options(fault)
    with FaultyProxy(server.url, listed(Fault.PASS, fault, fault, kind="_bulk")) as proxy:
        load = Door(door, index, proxy.url, encoder)
        began = monotonic()
        first = load("ingest", Load(rows(name), journal=journal), options=chosen)
        assert monotonic() - began < most_seconds(chosen)
        assert proxy.faults == [fault, fault]
        assert_consistent(first, proxy.faults)
        assert_journal_is_true(journal, client, index, name, rows(name))
        if fault not in SLOW:
            assert first.complete, str(first)
        again = load("ingest", Load(rows(name), journal=journal), options=chosen)
    assert again.complete, str(again)
    assert again.written == ROWS - first.written
    assert stored(client, index, name) == texts_of(rows(name))


@pytest.mark.parametrize("fault", [*OUTCOMES, Fault.PAGE, Fault.DRIP], ids=name_of_fault)
def test_load_ends_in_a_lasting_fault_and_names_it(
    fault: Fault,
    door: str,
    server: RunningServer,
    index: str,
    client: Any,
    encoder: WordEncoder,
    name: str,
    tmp_path: Path,
) -> None:
    journal, chosen = tmp_path / "journal", options(fault)
    with FaultyProxy(server.url, always(fault, kind="_bulk", after=AFTER.get(fault, 1))) as proxy:
        began = monotonic()
        report = Door(door, index, proxy.url, encoder)("ingest", Load(rows(name), journal=journal), options=chosen)
        assert monotonic() - began < most_seconds(chosen)
    assert_consistent(report, [fault])
    most = ROWS if fault is Fault.DRIP else ROWS - 1  # the server takes what it answers slowly, which a look shows
    assert report.written == len(recorded(journal)) <= most
    assert_journal_is_true(journal, client, index, name, rows(name))
    again = Door(door, index, server.url, encoder)("ingest", Load(rows(name), journal=journal), options=options())
    assert again.complete
    assert again.written == ROWS - report.written
    assert stored(client, index, name) == texts_of(rows(name))


def test_row_of_unknown_outcome_is_written_again_though_the_source_has_its_former_content(
    door: str, server: RunningServer, index: str, client: Any, encoder: WordEncoder, name: str, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    for version, schedule in ((1, listed()), (2, always(Fault.HANG_AFTER, kind="_bulk")), (1, listed())):
        with FaultyProxy(server.url, schedule) as proxy:
            load = Load(rows(name, version), journal=journal)
            report = Door(door, index, proxy.url, encoder)("ingest", load, options=options())
        assert report.complete is (version == 1)
        assert_journal_is_true(journal, client, index, name, rows(name), rows(name, 2))
    assert stored(client, index, name) == texts_of(rows(name))


def test_rows_of_which_the_answer_was_lost_are_recorded_once_they_are_found(
    door: str, server: RunningServer, index: str, client: Any, encoder: WordEncoder, name: str, tmp_path: Path
) -> None:
    journal, few = tmp_path / "journal", rows(name, count=BATCH)
    with FaultyProxy(server.url, always(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        report = Door(door, index, proxy.url, encoder)("ingest", Load(few, journal=journal), options=options())
    assert (report.complete, report.written, report.unknown) == (True, BATCH, ())
    assert recorded(journal).keys() == texts_of(few).keys() == stored(client, index, name).keys()
    with FaultyProxy(server.url, always(Fault.RESET_BEFORE, kind="_bulk")) as proxy:
        load = Load(rows(name, 2, count=BATCH), journal=journal)
        report = Door(door, index, proxy.url, encoder)("ingest", load, options=options())
    assert (report.written, report.refused, report.left, report.unknown) == (0, 0, BATCH // 2, ())
    assert_journal_is_true(journal, client, index, name, few, rows(name, 2, count=BATCH))


def test_new_row_of_unknown_outcome_is_deleted_once_it_is_gone(
    door: str, server: RunningServer, index: str, client: Any, encoder: WordEncoder, name: str, tmp_path: Path
) -> None:
    journal, few = tmp_path / "journal", rows(name, count=BATCH)

    def silent(request: ProxiedRequest) -> Fault:
        return Fault.HANG_AFTER if request.is_bulk or "_mget" in request.path else Fault.PASS

    with FaultyProxy(server.url, silent) as proxy:
        report = Door(door, index, proxy.url, encoder)("ingest", Load(few, journal=journal), options=options())
    assert len(report.unknown) == BATCH == len(stored(client, index, name))
    load = Load(few[:5], journal=journal, sync=True)
    assert Door(door, index, server.url, encoder)("ingest", load, options=options()).deleted == BATCH - 5
    assert stored(client, index, name) == texts_of(few[:5])


@pytest.mark.parametrize("seed", range(3))
def test_repeated_loads_come_through_all_faults_at_random(
    seed: int,
    door: str,
    server: RunningServer,
    index: str,
    client: Any,
    encoder: WordEncoder,
    name: str,
    tmp_path: Path,
) -> None:
    journal, chosen = tmp_path / "journal", options()
    before = [*rows(name), *(SparseDocument(id=f"{name}-gone{n}", text=f"gone w{n}") for n in range(30))]
    Door(door, index, server.url, encoder)("ingest", Load(before, journal=journal), options=chosen)
    with FaultyProxy(server.url, at_random(seed, 0.3), drip_seconds=0.2) as proxy:
        load = Door(door, index, proxy.url, encoder, timeout=1)
        for _ in range(20):
            began, done = monotonic(), len(proxy.seen)
            try:
                report = load("ingest", Load(rows(name, 2), journal=journal, sync=True), options=chosen)
            except NeuralSparseError as error:  # the index could not be opened
                assert any(REASONS[fault] in str(error) for _, fault in proxy.seen[done:] if fault in REASONS)  # noqa: PT017
            else:
                assert_consistent(report, [fault for _, fault in proxy.seen[done:] if fault is not Fault.PASS])
                if report.complete:
                    break
            finally:
                assert monotonic() - began < most_seconds(chosen) + 8
                assert_journal_is_true(journal, client, index, name, before, rows(name, 2))
        assert report.complete
        assert len(set(proxy.faults)) > 3
    assert stored(client, index, name) == texts_of(rows(name, 2))
    assert set(recorded(journal)) == texts_of(rows(name)).keys()


@pytest.mark.parametrize("fault", OUTCOMES, ids=name_of_fault)
def test_write_names_what_failed_and_what_is_unknown(
    fault: Fault, door: str, server: RunningServer, index: str, client: Any, encoder: WordEncoder, name: str
) -> None:
    documents, chosen = rows(name), options(fault)
    with FaultyProxy(server.url, always(fault, kind="_bulk", after=AFTER.get(fault, 1))) as proxy:
        write = Door(door, index, proxy.url, encoder)
        try:
            report = write("write", iter(documents), options=chosen)
        except BulkWriteError as error:
            report = error.report
    held = set(stored(client, index, name))
    failed = {failure.id for failure in report.failed}
    assert not failed & held
    assert not failed & set(report.unknown)
    assert report.written <= len(held) <= report.written + len(report.unknown)
    if fault is not Fault.DRIP:
        assert REASONS[fault] in str(report) or str(STATUSES.get(fault)) in {str(each.status) for each in report.failed}
        assert not report.complete
    if fault is Fault.TOO_LARGE:
        assert {failure.status for failure in report.failed} == {413}
        assert report.stopped is None


def test_document_that_is_too_large_alone_is_refused(
    door: str, server: RunningServer, index: str, client: Any, encoder: WordEncoder, name: str, tmp_path: Path
) -> None:
    def too_large(request: Any) -> Fault:
        return Fault.TOO_LARGE if request.is_bulk and f'"{name}-77"'.encode() in request.body else Fault.PASS

    with FaultyProxy(server.url, too_large) as proxy:
        report = Door(door, index, proxy.url, encoder)(
            "ingest", Load(rows(name), journal=tmp_path / "j"), options=options()
        )
    assert (report.written, report.refused, report.left, report.stopped) == (ROWS - 1, 1, 0, None)
    assert (report.letters[0].id, "413" in str(report.letters[0].reason)) == (f"{name}-77", True)
    assert stored(client, index, name).keys() == texts_of(rows(name)).keys() - {f"{name}-77"}


@pytest.mark.parametrize(
    "fault", [Fault.UNAVAILABLE, Fault.RESET_AFTER, Fault.HANG_AFTER, Fault.PAGE], ids=name_of_fault
)
@pytest.mark.parametrize("kind", ["_refresh", "GET /"])
def test_fault_beside_the_writes_is_in_the_report(
    fault: Fault, kind: str, door: str, server: RunningServer, index: str, client: Any, encoder: WordEncoder, name: str
) -> None:
    with FaultyProxy(server.url, always(fault, kind=kind, after=0 if kind == "_refresh" else 1)) as proxy:
        load = Door(door, index, proxy.url, encoder, timeout=1, max_retries=1)
        report = load("ingest", Load(rows(name)), options=options())
    if kind == "_refresh":
        assert report.written == ROWS
        assert f"index {index!r} was not refreshed" in str(report.stopped)
    if not report.complete:
        assert_consistent(report, [fault])
    assert len(stored(client, index, name)) == report.written


@pytest.mark.parametrize(
    "fault",
    [Fault.UNAVAILABLE, Fault.RESET_AFTER, Fault.HANG_AFTER, Fault.PAGE, Fault.FULL_ITEMS],
    ids=name_of_fault,
)
def test_deletions_of_a_load_are_taken_up_again(
    fault: Fault,
    door: str,
    server: RunningServer,
    index: str,
    client: Any,
    encoder: WordEncoder,
    name: str,
    tmp_path: Path,
) -> None:
    journal = tmp_path / "journal"
    Door(door, index, server.url, encoder)("ingest", Load(rows(name), journal=journal), options=options())
    with FaultyProxy(server.url, always(fault, kind="_bulk")) as proxy:
        load = Load(rows(name, count=50), journal=journal, sync=True)
        report = Door(door, index, proxy.url, encoder)("ingest", load, options=options(fault))
    assert (report.read, report.unchanged, report.complete) == (50, 50, False)
    assert "was deleted" in str(report.not_deleted)
    assert_consistent(report, [fault])
    if fault not in (Fault.RESET_AFTER, Fault.HANG_AFTER):  # those were deleted, without an answer that says so
        assert_journal_is_true(journal, client, index, name, rows(name))
    load = Load(rows(name, count=50), journal=journal, sync=True)
    assert Door(door, index, server.url, encoder)("ingest", load, options=options()).complete
    assert stored(client, index, name).keys() == recorded(journal).keys() == texts_of(rows(name, count=50)).keys()


REQUESTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "search": ("_search", ("planet",)),
    "count": ("_count", ()),
    "get": ("_mget", (["r1"],)),
    "delete": ("_bulk", (["r1"],)),
    "open": ("GET /test", ()),
    "server": ("GET / ", ()),
    "refresh": ("_refresh", ()),
    "delete_matching": ("_delete_by_query", ({"term": {"n": 3}},)),
}
"""Method -> what its own request has in method and path, and the arguments."""


def error_of(call: Callable[[], Any]) -> NeuralSparseError | None:
    try:
        call()
    except NeuralSparseError as error:
        return error
    return None


@pytest.mark.newest_server
@pytest.mark.parametrize("method", REQUESTS)
def test_request_fails_with_an_error_that_names_the_fault(
    method: str, door: str, server: RunningServer, index: str, encoder: WordEncoder
) -> None:
    kind, arguments = REQUESTS[method]
    for fault in set(FAULTS) - {Fault.FULL_ITEMS}:
        if method == "delete" and fault is not Fault.TOO_LARGE:
            continue  # it is retried as a write, with longer pauses
        timeout = 0.8 if fault in SLOW else 20.0
        with FaultyProxy(server.url, always(fault, kind=kind), drip_seconds=1.5 * timeout) as proxy:
            call = Door(door, index, proxy.url, encoder, timeout=timeout, max_retries=1)
            began = monotonic()
            error = error_of(
                partial(call, method, *arguments, **({"timeout": timeout} if method == "delete_matching" else {}))
            )
            assert monotonic() - began < 5 * timeout
        assert fault in proxy.faults
        assert isinstance(error, ServerConnectionError | ServerRequestError | BulkWriteError), fault
        assert REASONS[fault] in str(error), (fault, str(error))


@pytest.mark.parametrize("method", ["create", "delete_index"])
def test_request_that_was_carried_out_may_be_repeated_by_the_client(
    method: str, door: str, server: RunningServer, index_name: str, client: Any, encoder: WordEncoder
) -> None:
    kind = "PUT /" if method == "create" else "DELETE /"
    for fault in (Fault.BUSY, Fault.LATE_GATEWAY_TIMEOUT, Fault.RESET_AFTER, Fault.HANG_AFTER, Fault.OTHER_JSON):
        client.indices.delete(index=index_name, ignore_unavailable=True)
        if method == "delete_index":
            client.indices.create(index=index_name)
        with FaultyProxy(server.url, always(fault, kind=kind)) as proxy:
            call = Door(door, index_name, proxy.url, encoder, timeout=2 if fault in SLOW else 20, max_retries=1)
            error = error_of(partial(call, method))
        assert fault in proxy.faults
        again = {"create": "already exists", "delete_index": "does not exist"}[method]
        assert again in str(error) or REASONS[fault] in str(error), (fault, str(error))
