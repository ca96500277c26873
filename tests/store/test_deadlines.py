"""Every call ends within its time, whatever a server, or what lies before it, does with the answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    ModelFiles,
    NeuralSparseError,
    NeuralSparseStore,
    RequestOptions,
    SearchOptions,
    ServerConnectionError,
    ServerRequestError,
    SparseDocument,
    WriteOptions,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.faulty_proxy import Fault, FaultyProxy, always

TIMEOUT, BOUND = 2.0, 12.0
"""The client's timeout, and the seconds in which a call must end: it opens the index before its own request."""
DRIP_SECONDS = 300.0
QUICK = WriteOptions(initial_backoff=0.01, max_backoff=0.05, request_timeout=TIMEOUT)
DOCUMENT = SparseDocument(id="r1", text="planet", vector=word_vector("planet"))
CALLS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "open": ("GET /test", (), {}),
    "create": ("PUT /", (), {}),
    "search": ("_search", ("planet",), {}),
    "scan": ("_search", (), {}),
    "count": ("_count", (), {}),
    "get": ("_mget", (["r1"],), {}),
    "refresh": ("_refresh", (), {}),
    "write": ("_bulk", ([DOCUMENT],), {"options": QUICK}),
    "update_metadata": ("_bulk", ({"r1": {"n": 1}},), {"options": QUICK}),
    "delete": ("_bulk", (["r1"],), {}),
    "delete_matching": ("_delete_by_query", ({"term": {"n": 3}},), {"timeout": TIMEOUT}),
    "force_merge": ("_forcemerge", (), {"timeout": TIMEOUT}),
}
"""Method -> what its own request has in method and path, and its arguments."""
LOOKED_UP = ("write", "update_metadata", "delete")
"""Methods that look up what became stored when an answer is lost."""
Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests be sent again at once, where the caller cannot say so."""
    monkeypatch.setattr(WriteOptions, "backoff", lambda options, attempt: 0.01)


@pytest.fixture(params=["blocking", "awaited"])
def call(request: pytest.FixtureRequest, encoder: WordEncoder) -> Call:
    """Return the result of a call that ends in time, or its error."""
    encoders = {"query_encoder": encoder, "document_encoder": encoder}

    async def awaited(url: str, index: str, method: str, *arguments: Any, **named: Any) -> Any:
        async with AsyncNeuralSparseStore(index, url=url, client_options={"timeout": TIMEOUT}, **encoders) as store:
            if method == "scan":
                return [each async for each in store.scan()]
            return await getattr(store, method)(*arguments, **named)

    def blocking(url: str, index: str, method: str, *arguments: Any, **named: Any) -> Any:
        with NeuralSparseStore(index, url=url, client_options={"timeout": TIMEOUT}, **encoders) as store:
            result = getattr(store, method)(*arguments, **named)
            return list(result) if method == "scan" else result

    def send(*arguments: Any, **named: Any) -> Any:
        if request.param == "blocking":
            return blocking(*arguments, **named)
        return asyncio.run(awaited(*arguments, **named))

    def outcome_of(*arguments: Any, **named: Any) -> Any:
        began = monotonic()
        try:
            return send(*arguments, **named)
        except NeuralSparseError as error:
            return error
        finally:
            assert monotonic() - began < BOUND

    return outcome_of


@pytest.fixture(scope="module")
def index(server: RunningServer, files: ModelFiles) -> Iterator[str]:
    encoder = WordEncoder(files)
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    with NeuralSparseStore(f"test-{uuid.uuid4().hex}", url=server.url, **encoders) as store:
        store.create(settings={"number_of_shards": 1})
        store.write([DOCUMENT])
        yield store.index
        store.delete_index()


@pytest.mark.newest_server
@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.HANG_AFTER], ids=lambda fault: fault.name)
@pytest.mark.parametrize("method", [each for each in CALLS if each not in LOOKED_UP])
def test_call_ends_within_its_time(
    method: str, fault: Fault, call: Call, server: RunningServer, index: str, index_name: str
) -> None:
    kind, arguments, named = CALLS[method]
    with FaultyProxy(server.url, always(fault, kind=kind), drip_seconds=DRIP_SECONDS) as proxy:
        error = call(proxy.url, index_name if method == "create" else index, method, *arguments, **named)
        assert proxy.faults == [fault]
    assert isinstance(error, ServerConnectionError)
    assert "timed out after 2 s" in str(error)


@pytest.mark.newest_server
@pytest.mark.parametrize("fault", [Fault.DRIP, Fault.HANG_AFTER], ids=lambda fault: fault.name)
@pytest.mark.parametrize("method", LOOKED_UP)
def test_write_whose_answer_does_not_come_is_looked_up_within_its_time(
    method: str, fault: Fault, call: Call, server: RunningServer, index: str, encoder: WordEncoder
) -> None:
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    with NeuralSparseStore(index, url=server.url, **encoders) as store:
        store.write([DOCUMENT])
    kind, arguments, named = CALLS[method]
    with FaultyProxy(server.url, always(fault, kind=kind), drip_seconds=DRIP_SECONDS) as proxy:
        result = call(proxy.url, index, method, *arguments, **named)
        assert proxy.faults == [fault]
    assert (result if method == "delete" else result.written) == 1


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.UNAVAILABLE], ids=lambda fault: fault.name)
@pytest.mark.parametrize(("method", "most"), [("search", 4), ("count", 4), ("write", 7), ("delete", 7)])
def test_refused_call_is_repeated_no_more_than_its_retries(
    method: str, most: int, fault: Fault, server: RunningServer, index: str, encoder: WordEncoder
) -> None:
    kind, arguments, named = CALLS[method]
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    with FaultyProxy(server.url, always(fault, kind=kind)) as proxy:
        store = NeuralSparseStore(index, url=proxy.url, client_options={"timeout": TIMEOUT}, **encoders)
        with store, pytest.raises(ServerRequestError if most == 4 else BulkWriteError):
            getattr(store, method)(*arguments, **named)
        assert len(proxy.faults) <= most


def test_timeout_of_a_search_bounds_it_where_the_client_would_wait_longer(
    server: RunningServer, index: str, encoder: WordEncoder
) -> None:
    options = SearchOptions(request=RequestOptions(timeout=1.0))
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    with FaultyProxy(server.url, always(Fault.DRIP, kind="_search"), drip_seconds=DRIP_SECONDS) as proxy:
        began = monotonic()
        with (
            NeuralSparseStore(index, url=proxy.url, **encoders) as store,
            pytest.raises(ServerConnectionError, match="timed out after 1 s"),
        ):
            store.search("planet", options=options)
    assert monotonic() - began < BOUND
