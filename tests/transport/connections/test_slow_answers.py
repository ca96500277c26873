"""Requests to servers that send a byte now and then: the timeout bounds the whole answer, retries included."""

from __future__ import annotations

import asyncio
import gc
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from opensearchpy import (
    AIOHttpConnection,
    AsyncHttpConnection,
    OpenSearch,
    RequestsHttpConnection,
    Transport,
    Urllib3HttpConnection,
)

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, ServerConnectionError, ServerModels
from tests.slow_server import SlowServer, answer, make_certificate

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiohttp", "ignore::DeprecationWarning:opensearchpy")
TIMEOUT, BOUND = 1.0, 10.0
"""The timeout of requests, and the seconds in which a test must end; each answer takes much longer."""
WHOLE = answer(b'{"tagline": "slow", "name": "%s"}' % (b"x" * 200))
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"".join(b"1\r\n%c\r\n" % byte for byte in b'{"name": "0123456789"}' * 4)
    + b"0\r\n\r\n"
)
BLOCKING = (Urllib3HttpConnection, RequestsHttpConnection)
AWAITED = (AIOHttpConnection, AsyncHttpConnection)
Ask = Callable[..., Any]


def ask_blocking(url: str, **options: Any) -> Any:
    with NeuralSparseStore("articles", url=url, client_options={"timeout": TIMEOUT, **options}) as store:
        return store.open()


def ask_awaited(url: str, **options: Any) -> Any:
    async def ask() -> Any:
        async with AsyncNeuralSparseStore("articles", url=url, client_options={"timeout": TIMEOUT, **options}) as store:
            return await store.open()

    try:
        return asyncio.run(ask())
    finally:
        _collect_broken_off()


def _collect_broken_off() -> None:
    """Free the sockets of requests that were broken off while they connected, which asyncio reports as unclosed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(params=[*BLOCKING, *AWAITED], ids=lambda kind: kind.__name__)
def ask(request: pytest.FixtureRequest) -> Ask:
    kind = request.param

    def asked(url: str, **options: Any) -> Any:
        call = ask_blocking if kind in BLOCKING else ask_awaited
        return call(url, connection_class=kind, **options)

    return asked


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def slowly() -> Iterator[Callable[..., SlowServer]]:
    """Start servers that send a byte five times a second."""
    servers: list[SlowServer] = []

    def start(content: bytes = WHOLE, **options: Any) -> SlowServer:
        servers.append(SlowServer(content, seconds_a_byte=0.2, **options).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def timed_out(call: Callable[[], Any]) -> str:
    """Return the message of a request that timed out, in time."""
    began = monotonic()
    with pytest.raises(ServerConnectionError) as error:
        call()
    assert monotonic() - began < BOUND
    assert error.value.timed_out
    return str(error.value)


@pytest.mark.parametrize(
    "at_once", [0, len("HTTP/1.1 200 OK\r\n"), WHOLE.index(b"{")], ids=["status", "headers", "body"]
)
def test_answer_that_drips_ends_after_the_timeout(ask: Ask, slowly: Callable[..., SlowServer], at_once: int) -> None:
    message = timed_out(lambda: ask(slowly(at_once=at_once).url))
    assert "timed out after 1 s. Is it running" in message
    assert "`timeout` of the client (client_options)" in message


def test_chunks_that_drip_end_after_the_timeout(ask: Ask, slowly: Callable[..., SlowServer]) -> None:
    timed_out(lambda: ask(slowly(CHUNKED, at_once=CHUNKED.index(b"1\r\n{")).url))


def test_answer_by_tls_that_drips_ends_after_the_timeout(
    ask: Ask, slowly: Callable[..., SlowServer], certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)  # which requests prefers to ca_certs
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    server = slowly(at_once=WHOLE.index(b"{"), certificate=certificate)
    timed_out(lambda: ask(server.url, ca_certs=str(certificate[0])))
    assert server.requests <= 1


def test_server_that_says_nothing_ends_after_the_timeout(ask: Ask, slowly: Callable[..., SlowServer]) -> None:
    server = slowly(b"")
    timed_out(lambda: ask(server.url))
    assert server.requests <= 1


def test_retries_of_a_slow_refusal_share_the_timeout(ask: Ask) -> None:
    refusal = answer(b"{}", status=b"503 Busy")
    with SlowServer(refusal, at_once=len(refusal) - 1, seconds_a_byte=0.25) as server:
        message = timed_out(lambda: ask(server.url, max_retries=50))
    assert server.requests < 10
    assert re.search(r"after 1 s, in which it was sent [2-9] times", message)


def test_each_attempt_has_the_timeout_where_the_client_is_to_repeat_it(
    ask: Ask, slowly: Callable[..., SlowServer]
) -> None:
    server = slowly()
    message = timed_out(lambda: ask(server.url, max_retries=2, retry_on_timeout=True))
    assert "after 3 s, in which it was sent 3 times" in message


def test_timeout_of_a_host_is_kept(slowly: Callable[..., SlowServer]) -> None:
    server = slowly()
    host = {"host": "localhost", "port": int(server.url.rpartition(":")[2]), "timeout": TIMEOUT}
    message = timed_out(lambda: ask_blocking(host, timeout=60))  # type: ignore[arg-type]
    assert "after 1 s" in message


def test_answer_in_time_is_whole_though_slow(ask: Ask) -> None:
    missing = b'{"error": {"type": "index_not_found_exception", "index": "articles"}, "status": 404}'
    content = answer(missing, status=b"404 Not Found")
    with (
        SlowServer(content, at_once=len(content) - 10, seconds_a_byte=0.03) as server,
        pytest.raises(Exception, match="Index 'articles' does not exist"),
    ):
        ask(server.url, timeout=30)


def test_models_in_the_server_are_asked_in_time(slowly: Callable[..., SlowServer]) -> None:
    with ServerModels(url=slowly().url, client_options={"timeout": TIMEOUT}) as models:
        timed_out(models.list)


def test_client_that_was_handed_in_keeps_its_own_settings(slowly: Callable[..., SlowServer]) -> None:
    with OpenSearch(slowly(b"").url, timeout=TIMEOUT) as client:
        message = timed_out(NeuralSparseStore("articles", client=client).open)
        assert type(client.transport) is Transport
    assert "the request timed out. Is it running" in message
