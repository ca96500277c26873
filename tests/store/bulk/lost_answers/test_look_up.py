"""Documents whose answer was lost are looked up: reports of writes through a proxy that does harm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkReport,
    BulkWriteError,
    ChunkOptions,
    IndexSchema,
    NeuralSparseStore,
    SparseDocument,
    WriteOptions,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.faulty_proxy import Fault, FaultyProxy, ProxiedRequest, Schedule, always, listed

COUNT = 12
TIMEOUT = 2.0
OPTIONS = WriteOptions(max_retries=2, initial_backoff=0.01, max_backoff=0.05, request_timeout=TIMEOUT)
CREATE = replace(OPTIONS, operation="create")
CARRIED_OUT = [
    Fault.RESET_AFTER,
    Fault.CUT,
    Fault.CUT_CHUNKED,
    Fault.BROKEN_JSON,
    Fault.LATE_GATEWAY_TIMEOUT,
    Fault.HANG_AFTER,
]
"""Faults after which the server has carried out the request, though nobody learns of it."""
OF_EXISTING = "a document of this id that another write made"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests be sent again at once, where the caller cannot say so."""
    monkeypatch.setattr(WriteOptions, "backoff", lambda options, attempt: 0.01)


def name_of_fault(fault: Fault) -> str:
    return fault.name


def documents(version: int = 1, count: int = COUNT) -> list[SparseDocument]:
    return [SparseDocument(id=f"{n}", text=f"river w{n} v{version}", metadata={"n": n}) for n in range(count)]


class Through:
    """Calls methods of stores behind a proxy, blocking or awaited, and returns what they return or report."""

    def __init__(self, kind: str, index: str, encoder: WordEncoder) -> None:
        self.kind, self.index = kind, index
        self.parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder}
        self.parts["client_options"] = {"timeout": TIMEOUT}

    def __call__(self, url: str, method: str, *arguments: Any, **named: Any) -> Any:
        try:
            if self.kind == "blocking":
                with NeuralSparseStore(self.index, url=url, **self.parts) as store:
                    return getattr(store, method)(*arguments, **named)
            return asyncio.run(self._await(url, method, *arguments, **named))
        except BulkWriteError as error:
            return error.report

    async def _await(self, url: str, method: str, *arguments: Any, **named: Any) -> Any:
        async with AsyncNeuralSparseStore(self.index, url=url, **self.parts) as store:
            return await getattr(store, method)(*arguments, **named)


@pytest.fixture(params=["blocking", "awaited"])
def through(request: pytest.FixtureRequest, index_name: str, encoder: WordEncoder) -> Through:
    return Through(str(request.param), index_name, encoder)


@pytest.fixture
def store(server: RunningServer, index_name: str, encoder: WordEncoder) -> Iterator[NeuralSparseStore]:
    """The store without a proxy."""
    with NeuralSparseStore(index_name, url=server.url, query_encoder=encoder, document_encoder=encoder) as store:
        store.create(settings={"number_of_shards": 2})
        yield store


def held(store: NeuralSparseStore) -> dict[str, str]:
    return {str(document.id): str(document.text) for document in store.get([str(n) for n in range(COUNT)])}


def carry_out_first_half(client: Any) -> Schedule:
    """Break the connection of every bulk request, of which the server has carried out the first half."""

    def schedule(request: ProxiedRequest) -> Fault:
        if not request.is_bulk:
            return Fault.PASS
        lines = request.body.splitlines(keepends=True)
        client.transport.perform_request("POST", request.path, body=b"".join(lines[: len(lines) // 2]))
        return Fault.RESET_BEFORE

    return schedule


@pytest.mark.parametrize("fault", CARRIED_OUT, ids=name_of_fault)
@pytest.mark.parametrize("options", [OPTIONS, CREATE], ids=["index", "create"])
def test_documents_are_written_though_no_answer_said_so(
    fault: Fault, options: WriteOptions, through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    with FaultyProxy(server.url, always(fault, kind="_bulk")) as proxy:
        report = through(proxy.url, "write", documents(), options=options)
    assert report == BulkReport(written=COUNT)
    assert held(store) == {str(each.id): each.text for each in documents()}


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.BROKEN_JSON, Fault.LATE_GATEWAY_TIMEOUT], ids=name_of_fault)
def test_creation_that_met_its_own_documents_has_written_them(
    fault: Fault, through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    store.write(documents(count=5))
    with FaultyProxy(server.url, listed(fault, kind="_bulk")) as proxy:
        report = through(proxy.url, "write", documents(), options=CREATE)
    assert report.written == COUNT - 5
    assert {(each.id, each.status) for each in report.failed} == {(str(n), 409) for n in range(5)}
    assert all(OF_EXISTING in each.reason for each in report.failed)
    assert (report.unknown, report.stopped) == ((), None)


@pytest.mark.parametrize("schedule", [listed, always])
@pytest.mark.parametrize("version", [1, 2], ids=["the same content", "other content"])
def test_older_document_of_an_id_is_not_taken_for_the_new_one(
    schedule: Callable[..., Schedule], version: int, through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    store.write(documents(version))
    with FaultyProxy(server.url, schedule(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        report = through(proxy.url, "write", documents(), options=CREATE)
    assert (report.written, report.unknown) == (0, ())
    assert ([each.status for each in report.failed], report.stopped) == ([409] * COUNT, None)
    assert set(held(store).values()) == {each.text for each in documents(version)}


def test_documents_that_never_arrived_are_not_written(
    through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    store.write(documents(count=5))
    with FaultyProxy(server.url, always(Fault.RESET_BEFORE, kind="_bulk")) as proxy:
        report = through(proxy.url, "write", documents(2), options=OPTIONS)
        created = through(proxy.url, "write", documents(2)[5:], options=CREATE)
    assert (report.written, report.unknown) == (created.written, created.unknown) == (0, ())
    assert [each.error_type for each in report.failed] == ["not_written"] * COUNT
    assert [each.error_type for each in created.failed] == ["not_written"] * (COUNT - 5)
    assert "did not answer" in str(report.stopped)
    assert len(held(store)) == 5


def test_half_of_a_request_that_was_carried_out_is_told_from_the_other(
    through: Through, store: NeuralSparseStore, server: RunningServer, client: Any
) -> None:
    with FaultyProxy(server.url, carry_out_first_half(client)) as proxy:
        report = through(proxy.url, "write", documents(), options=OPTIONS)
    assert (report.written, report.unknown) == (COUNT // 2, ())
    assert {each.id for each in report.failed} == {str(n) for n in range(COUNT // 2, COUNT)}
    assert held(store).keys() == {str(n) for n in range(COUNT // 2)}


def test_request_that_hangs_may_still_be_carried_out(
    through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    store.write(documents(count=5))
    with FaultyProxy(server.url, always(Fault.HANG_BEFORE, kind="_bulk")) as proxy:
        report = through(proxy.url, "write", documents(2), options=replace(OPTIONS, request_timeout=0.5))
    assert (report.written, report.failed) == (0, ())
    assert sorted(report.unknown, key=int) == [str(n) for n in range(COUNT)]
    assert "timed out" in str(report.stopped)


@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.PAGE, Fault.EMPTY, Fault.OTHER_JSON], ids=name_of_fault)
def test_outcome_stays_unknown_where_the_server_cannot_be_asked(
    fault: Fault, through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    def schedule(request: ProxiedRequest) -> Fault:
        if request.is_bulk:
            return Fault.RESET_AFTER
        return fault if "_mget" in request.path else Fault.PASS

    with FaultyProxy(server.url, schedule) as proxy:
        report = through(proxy.url, "write", documents(), options=OPTIONS)
        created = through(proxy.url, "write", documents(), options=CREATE)
    assert (report.written, report.failed, len(report.unknown)) == (0, (), COUNT)
    assert (created.written, created.failed, len(created.unknown)) == (0, (), COUNT)
    assert len(held(store)) == COUNT


@pytest.mark.parametrize(("kind", "unknown"), [("_stats", COUNT), ("_tasks", 0)])
def test_without_a_right_to_statistics_or_tasks_less_is_known_and_nothing_is_wrong(
    kind: str, unknown: int, through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    def schedule(request: ProxiedRequest) -> Fault:
        if request.is_bulk:
            return Fault.RESET_AFTER
        return Fault.UNAVAILABLE if kind in request.path else Fault.PASS

    with FaultyProxy(server.url, schedule) as proxy:
        report = through(proxy.url, "write", documents(), options=CREATE)
        assert (report.written, report.failed, len(report.unknown)) == (COUNT - unknown, (), unknown)
        assert through(proxy.url, "write", documents(2), options=OPTIONS) == BulkReport(written=COUNT)
    with FaultyProxy(server.url, schedule) as proxy:
        proxy.schedule = lambda request: Fault.RESET_BEFORE if request.is_bulk else schedule(request)
        report = through(proxy.url, "write", documents(3), options=OPTIONS)
    assert (report.written, len(report.unknown)) == (0, COUNT if kind == "_tasks" else 0)


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.BROKEN_JSON, Fault.HANG_AFTER], ids=name_of_fault)
@pytest.mark.parametrize("schedule", [listed, always])
def test_deletions_count_documents_that_a_lost_request_deleted(
    schedule: Callable[..., Schedule],
    fault: Fault,
    through: Through,
    store: NeuralSparseStore,
    server: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.write(documents(count=5))
    with FaultyProxy(server.url, schedule(fault, kind="_bulk")) as proxy:
        if fault is Fault.HANG_AFTER:
            wait_two_seconds(monkeypatch)
        assert through(proxy.url, "delete", [str(n) for n in range(5)]) == 5
    assert held(store) == {}


def wait_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let deletions, which take no options, wait as short as the writes of this module."""
    from opensearch_neural_sparse.store.operations import documents as operations

    monkeypatch.setattr(operations, "WriteOptions", partial(WriteOptions, request_timeout=2))


def test_deletion_of_what_never_was_is_not_counted(
    through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    store.write(documents(count=2))
    with FaultyProxy(server.url, listed(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        assert through(proxy.url, "delete", ["0", "1", "never", "was"]) == 2


def test_updates_are_looked_up(through: Through, store: NeuralSparseStore, server: RunningServer) -> None:
    store.write(documents())
    with FaultyProxy(server.url, always(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        call = partial(through, proxy.url)
        assert call("update_metadata", {"0": {"n": 7, "meta.id": "x"}, "1": {"n": None}}, options=OPTIONS).written == 2
        assert call("update_metadata", {"2": {"m": 1}}, replace=True, options=OPTIONS) == BulkReport(written=1)
        assert call("update_text", {"3": "another river"}, options=OPTIONS) == BulkReport(written=1)
        report = call("update_metadata", {"missing": {"n": 1}}, options=OPTIONS)
        assert [(each.id, each.error_type) for each in report.failed] == [("missing", "not_written")]
        proxy.schedule = always(Fault.RESET_BEFORE, kind="_bulk")
        report = call("update_text", {"4": "a lake"}, options=OPTIONS)
        assert [(each.id, each.error_type) for each in report.failed] == [("4", "not_written")]
        assert call("update_text", {"3": "another river"}, options=OPTIONS) == BulkReport(written=1)
    assert (held(store)["3"], held(store)["4"]) == ("another river", "river w4 v1")


def test_documents_with_chunks_routing_and_further_vectors_are_compared_whole(
    through: Through, server: RunningServer, index_name: str, encoder: WordEncoder
) -> None:
    schema = IndexSchema(chunking=ChunkOptions(tokens=16, overlap=2), embedding_dimension=2)
    parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder, "schema": schema}
    rows = [
        SparseDocument(id=f"{n}", text=f"w{n} " * 30, routing=f"r{n}", embedding=[1.0, n / 7]) for n in range(COUNT)
    ]
    rows[0] = replace(rows[0], embedding=None)
    with NeuralSparseStore(index_name, url=server.url, **parts) as store:
        store.create(settings={"number_of_shards": 3})
        through.parts = parts
        with FaultyProxy(server.url, always(Fault.RESET_AFTER, kind="_bulk")) as proxy:
            report = through(proxy.url, "write", rows, options=CREATE)
            assert report.written == COUNT
            assert report.without_vector == {"embedding": ("0",)}
            again = through(proxy.url, "write", rows, options=OPTIONS)
            assert again.written == COUNT
        with FaultyProxy(server.url, listed(Fault.RESET_AFTER, kind="_bulk")) as proxy:
            report = through(proxy.url, "write", rows, options=CREATE)
            assert (report.written, len(report.failed), report.unknown) == (0, COUNT, ())


def test_of_two_documents_of_one_id_the_later_one_is_looked_up(
    through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    rows = [documents()[0], documents(2)[0], documents()[1]]
    with FaultyProxy(server.url, always(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        assert through(proxy.url, "write", rows, options=OPTIONS) == BulkReport(written=2)
        report = through(proxy.url, "write", [replace(row, id=f"{row.id}x") for row in rows], options=CREATE)
    assert (report.written, report.failed, set(report.unknown)) == (1, (), {"0x"})
    assert held(store)["0"] == "river w0 v2"


def test_several_requests_at_once_are_each_looked_up(
    through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    options = replace(CREATE, batch_size=2, in_flight=3)
    with FaultyProxy(server.url, listed(*[Fault.RESET_AFTER, Fault.PASS] * 3, kind="_bulk")) as proxy:
        assert through(proxy.url, "write", documents(), options=options) == BulkReport(written=COUNT)
        report = through(proxy.url, "write", documents(), options=options)
    assert (report.written, len(report.failed), report.unknown) == (0, COUNT, ())


def test_write_that_ended_early_stays_ended_though_what_was_sent_is_written(
    through: Through, store: NeuralSparseStore, server: RunningServer
) -> None:
    options = replace(OPTIONS, batch_size=4, in_flight=1, max_retries=0)
    with FaultyProxy(server.url, always(Fault.RESET_AFTER, kind="_bulk")) as proxy:
        report = through(proxy.url, "write", iter(documents()), options=options)
    assert report.written == len(held(store)) < COUNT
    assert {each.error_type for each in report.failed} == {"not_sent"}
    assert "did not answer" in str(report.stopped)
