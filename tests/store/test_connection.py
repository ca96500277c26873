"""Servers that go away: refused, cut off in the middle of an answer, killed."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as NoConnection
from opensearchpy.exceptions import ConnectionTimeout, NotFoundError, SerializationError, TransportError

from opensearch_neural_sparse import (
    BulkWriteError,
    IndexNotFoundError,
    NeuralSparseStore,
    ServerConnectionError,
    ServerRequestError,
    WriteOptions,
)
from opensearch_neural_sparse.transport.errors import address_of, translate, translated_errors
from tests.encoders import WordEncoder

pytestmark = pytest.mark.newest_server

ADDRESS = "http://localhost:1"


class Proxy:
    """Passes requests on to a server until `allow` refuses one, and then hangs up on it and on all that follow."""

    def __init__(self, target: tuple[str, int], allow: Callable[[bytes], bool]) -> None:
        self.target, self.allow, self.broken = target, allow, False
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                proxy.pass_on(self.request)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://localhost:{self.server.server_address[1]}"

    def pass_on(self, caller: socket.socket) -> None:
        with closing(socket.create_connection(self.target)) as target:
            while not self.broken and (request := self._request(caller)):
                self.broken = self.broken or not self.allow(request)
                target.sendall(request)
                if self.broken:
                    return
                caller.sendall(self._answer(target, head=request.startswith(b"HEAD")))

    def _request(self, caller: socket.socket) -> bytes:
        return self._message(caller, head=False)

    def _answer(self, target: socket.socket, *, head: bool) -> bytes:
        return self._message(target, head=head)

    @staticmethod
    def _message(sender: socket.socket, *, head: bool) -> bytes:
        message = b""
        while b"\r\n\r\n" not in message:
            if not (part := sender.recv(65536)):
                return b""
            message += part
        header, _, body = message.partition(b"\r\n\r\n")
        fields = [line.partition(b":") for line in header.lower().split(b"\r\n")]
        length = 0 if head else next((int(value) for name, _, value in fields if name == b"content-length"), 0)
        while len(body) < length:
            body += sender.recv(65536)
        return header + b"\r\n\r\n" + body


@contextmanager
def proxied(url: str, allow: Callable[[bytes], bool]) -> Iterator[str]:
    host, _, port = url.removeprefix("http://").partition(":")
    proxy = Proxy((host, int(port)), allow)
    thread = threading.Thread(target=proxy.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy.url
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


def behind(url: str, store: NeuralSparseStore, encoder: WordEncoder) -> NeuralSparseStore:
    options = {"max_retries": 0, "timeout": 30}
    return NeuralSparseStore(
        store.index, url=url, query_encoder=encoder, document_encoder=encoder, client_options=options
    )


def test_server_that_hangs_up_in_a_search_is_a_connection_error(store: NeuralSparseStore, encoder: WordEncoder) -> None:
    with (
        proxied(address_of(store.client()), lambda request: b"/_search" not in request) as url,
        behind(url, store, encoder) as through,
    ):
        assert through.count() == 0
        with pytest.raises(ServerConnectionError, match="did not answer") as error:
            through.search("word")
    assert error.value.address == url
    assert error.value.__cause__ is None
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("in_flight", [1, 2])
def test_server_that_hangs_up_in_a_write_leaves_what_was_in_flight_unknown(
    store: NeuralSparseStore, encoder: WordEncoder, in_flight: int
) -> None:
    batches = 0

    def two_batches(request: bytes) -> bool:
        nonlocal batches
        batches += b"/_bulk" in request
        return batches <= 2

    documents = [{"id": f"{n}", "text": f"SECRET {n}"} for n in range(90)]
    read: list[int] = []
    stream = (read.append(place) or document for place, document in enumerate(documents))  # type: ignore[func-returns-value]
    with (
        proxied(address_of(store.client()), two_batches) as url,
        behind(url, store, encoder) as through,
        pytest.raises(BulkWriteError) as error,
    ):
        through.write(stream, options=WriteOptions(batch_size=10, initial_backoff=0.01, in_flight=in_flight))
    report = error.value.report
    not_sent = {failure.id for failure in report.failed if failure.error_type == "not_sent"}
    assert report.written + len(report.unknown) + len(not_sent) == len(read) < 90
    assert len(report.failed) == len(not_sent)
    assert report.written in ({20} if in_flight == 1 else {10, 20})
    assert 0 < len(report.unknown) <= 10 * in_flight
    assert url in str(report.stopped)
    assert "SECRET" not in str(error.value)
    store.refresh()
    stored = {document.id for document in store.get(f"{n}" for n in range(90))}
    sent_or_unknown = {f"{n}" for n in range(len(read))} - not_sent
    assert sent_or_unknown - set(report.unknown) <= stored <= sent_or_unknown
    assert store.write(documents).written == 90


def test_creation_that_was_sent_again_has_written_the_document_that_it_meets(
    store: NeuralSparseStore, encoder: WordEncoder
) -> None:
    def lossy(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        answer = perform(method, url, *arguments, **options)
        if "_bulk" in url and not lost:
            lost.append(url)
            raise NoConnection("N/A", "connection reset by peer", ConnectionResetError())
        return answer

    lost: list[str] = []
    with NeuralSparseStore(store.index, url=address_of(store.client()), document_encoder=encoder) as other:
        (connection,) = other.client().transport.connection_pool.connections
        perform, connection.perform_request = connection.perform_request, lossy
        report = other.write([{"id": "1", "text": "mars"}], options=WriteOptions(operation="create"))
    assert (report.written, report.complete, len(lost)) == (1, True, 1)
    assert [document.text for document in store.get(["1"])] == ["mars"]


def test_killed_server_is_a_connection_error_and_nothing_confirmed_is_lost(
    private_server: Callable[..., Any], encoder: WordEncoder
) -> None:
    server = private_server()
    options = {"max_retries": 0, "timeout": 30}
    with NeuralSparseStore(
        "killed", url=server.url, query_encoder=encoder, document_encoder=encoder, client_options=options
    ) as store:
        store.create(settings={"number_of_shards": 1})
        store.write([{"id": "before", "text": "word"}])

        def stream() -> Iterator[dict[str, str]]:
            for number in range(100):
                if number == 25:
                    time.sleep(1)  # the first batches are confirmed
                if number == 45:
                    server.kill()
                yield {"id": f"{number}", "text": f"word {number}"}

        with pytest.raises(BulkWriteError) as error:
            store.write(stream(), options=WriteOptions(batch_size=10, initial_backoff=0.01))
        report = error.value.report
        confirmed = [f"{n}" for n in range(50) if f"{n}" not in {*report.unknown, *(row.id for row in report.failed)}]
        assert report.written == len(confirmed) >= 10
        assert "did not answer" in str(error.value)
        with pytest.raises(ServerConnectionError, match="refused"):
            store.search("word")
        port = int(server.url.rpartition(":")[2])
        private_server(version=server.version, home=server.home, port=port)
        assert [document.id for document in store.get(["before", *confirmed])] == ["before", *confirmed]


@pytest.mark.parametrize(
    "url",
    ["http://admin:SECRET@localhost:1", "http://admin:SECRET@127.0.0.1:1/prefix"],
)
def test_refused_connection_names_the_address_without_credentials(url: str, encoder: WordEncoder) -> None:
    with (
        NeuralSparseStore("articles", url=url, document_encoder=encoder, client_options={"max_retries": 0}) as store,
        pytest.raises(ServerConnectionError, match="Connection refused") as error,
    ):
        store.search("word")
    printed = "".join(traceback.format_exception(error.value))
    assert "SECRET" not in printed
    assert "urllib3" not in printed
    assert ":1" in error.value.address
    assert str(error.value).startswith(f"OpenSearch at {error.value.address} did not answer")


def test_addresses_of_all_hosts_are_named() -> None:
    hosts: list[Any] = ["https://u:SECRET@one:9200", {"host": "two", "port": 9201, "http_auth": ("u", "SECRET")}]
    with OpenSearch(hosts) as client:
        assert address_of(client) == "https://one:9200, http://two:9201"


def test_time_that_ran_out_is_a_connection_error() -> None:
    error = translate(ConnectionTimeout("TIMEOUT", "x", Exception("x")), address=ADDRESS, index="i")
    assert isinstance(error, ServerConnectionError)
    assert "timed out" in str(error)


def test_reason_of_a_lost_connection_is_its_first_cause() -> None:
    cause = ConnectionRefusedError(111, "Connection refused")
    middle = ValueError("<urllib3.connection.HTTPConnection object at 0x7f>: Failed")
    middle.__cause__ = cause
    error = translate(NoConnection("N/A", "long text", middle), address=ADDRESS, index="i")
    assert str(error).startswith(f"OpenSearch at {ADDRESS} did not answer: ConnectionRefusedError: Connection refused")


@pytest.mark.parametrize("info", [None, "", "<html>SECRET</html>", {"error": "Unauthorized"}, {"message": "x"}])
def test_refusal_without_details_keeps_its_status(info: Any) -> None:
    error = translate(TransportError(401, "x", info), address=ADDRESS, index="i")
    assert isinstance(error, ServerRequestError)
    assert (error.status, error.error_type) == (401, "http_error")
    assert "SECRET" not in str(error)


def test_missing_index_is_told_from_other_missing_things() -> None:
    missing = NotFoundError(404, "x", {"error": {"type": "index_not_found_exception", "reason": "no such index"}})
    assert isinstance(translate(missing, address=ADDRESS, index="articles"), IndexNotFoundError)
    other = translate(NotFoundError(404, "x", {"error": {"type": "y", "reason": "z"}}), address=ADDRESS, index="i")
    assert isinstance(other, ServerRequestError)


def test_answer_that_is_not_opensearch_s_is_an_error_without_its_text() -> None:
    error = translate(SerializationError("Unknown mimetype: SECRET"), address=ADDRESS, index="i")
    assert isinstance(error, ServerRequestError)
    assert "SECRET" not in str(error)


def test_other_errors_pass_through() -> None:
    with OpenSearch(ADDRESS) as client, pytest.raises(KeyError), translated_errors(client, "i"):
        raise KeyError("x")


def test_answer_that_the_client_left_as_text_is_read() -> None:
    body = '{"error": {"type": "index_not_found_exception", "reason": "no such index [articles]"}, "status": 404}'
    assert isinstance(translate(NotFoundError(404, body, None), address=ADDRESS, index="articles"), IndexNotFoundError)
    error = translate(TransportError(502, "<html>Bad gateway</html>", None), address=ADDRESS, index="i")
    assert "502, http_error: no reason given" in str(error)
