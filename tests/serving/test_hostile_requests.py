"""Bad requests get their status, and leave the service as it was."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.serving.conftest import HEADERS, KEY, LIMITS, Service

GOOD = {"texts": ["The heart pumps blood."]}
AUTHORIZED = f"host: x\r\nauthorization: Bearer {KEY}\r\n".encode()


@pytest.fixture(autouse=True)
def good_request_still_works(limited: Service) -> Iterator[None]:
    yield
    answer = limited.post("/encode", GOOD)
    assert answer.status_code == 200
    assert answer.json()["vectors"][0]["heart"] > 0


def _raw(service: Service, *parts: bytes, pause: float = 0.0) -> bytes:
    """Send bytes, with a pause after each part, and return what comes until the service closes."""
    with closing(socket.create_connection(("127.0.0.1", service.port), timeout=20)) as connection:
        for part in parts:
            try:
                connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(pause)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
                if b"\r\n\r\n" in received and received.endswith(b"}"):
                    break
        except ConnectionResetError:
            pass
        return received


def _request(body: bytes, path: str = "/encode", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"POST %s HTTP/1.1\r\n%scontent-length: %d\r\n\r\n%s" % (path.encode(), AUTHORIZED, size, body)


def _status(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer.split()[1])


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "The body is not JSON in UTF-8."),
        (b"{", 400, "The body is not JSON in UTF-8."),
        (b'{"texts": ["\xff"]}', 400, "The body is not JSON in UTF-8."),
        (json.dumps(GOOD).encode("utf-16"), 400, "The body is not JSON in UTF-8."),
        (b'{"texts": [NaN]}', 400, "The body is not JSON in UTF-8."),
        (b'{"texts": [%s]}' % (b"9" * 5000), 400, "The body is not JSON in UTF-8."),
        (b'{"texts": %s}' % (b"[" * 30_000), 400, "The body is nested too deeply."),
        (b'{"texts": %s' % (b"[" * 90_000), 413, "bytes beside strings"),
        (b'{"texts": [%s1]}' % (b"1," * 45_000), 413, "bytes beside strings"),
        (b'"texts"', 422, "The body is a string; it must be an object."),
        (b"[]", 422, "The body is a list; it must be an object."),
        (b"{}", 422, "'texts' is missing; it must be a list of strings."),
        (b'{"texts": null}', 422, "'texts' is null; it must be a list of strings."),
        (b'{"texts": "one"}', 422, "'texts' is a string; it must be a list of strings."),
        (b'{"texts": ["a", null]}', 422, "texts[1] is null; it must be a string."),
        (b'{"texts": ["a", 1]}', 422, "texts[1] is a number; it must be a string."),
        (b'{"texts": [true]}', 422, "texts[0] is a boolean; it must be a string."),
        (b'{"texts": [["a"]]}', 422, "texts[0] is a list; it must be a string."),
        (b'{"texts": [{"a": 1}]}', 422, "texts[0] is an object; it must be a string."),
        (b'{"texts": ["a"], "input_type": "passage"}', 422, """'input_type' must be one of "document", "query"."""),
        (b'{"texts": ["a"], "input_type": null}', 422, """'input_type' must be one of "document", "query"."""),
        (json.dumps({"texts": ["a"] * 41}).encode(), 413, "'texts' has 41 texts; the most are 40 texts."),
        (json.dumps({"texts": ["a" * 30_001]}).encode(), 413, "texts[0] has 30001 characters; the most are 30000"),
        (b'{"texts": ["%s"]}' % (b"a" * 100_000), 413, "The body is too large; the most are 100000 bytes."),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else None,
)
def test_a_bad_body_is_refused_with_its_reason(limited: Service, body: bytes, status: int, reason: str) -> None:
    with limited.client() as client:
        answer = client.post("/encode", content=body)
    assert answer.status_code == status
    assert reason in answer.json()["error"]["reason"]


@pytest.mark.parametrize("escape", [b"\\", b'\\"', b'"'])
def test_many_quotes_are_read_in_linear_time(limited: Service, escape: bytes) -> None:
    start = time.monotonic()
    with limited.client() as client:
        answer = client.post("/encode", content=b'{"texts": ["' + escape * (90_000 // len(escape)))
    assert answer.status_code in (400, 413)
    assert time.monotonic() - start < 5


def test_half_of_a_surrogate_pair_is_left_out_as_in_process(limited: Service) -> None:
    bodies = [b'{"texts": ["heart \\ud83d"]}', b'{"texts": ["heart "]}']
    with limited.client() as client:
        first, second = (client.post("/encode", content=body).json()["vectors"] for body in bodies)
    assert first[0] == pytest.approx(second[0], abs=1e-5)


def test_a_body_too_large_is_refused_by_its_header_alone(limited: Service) -> None:
    request = _request(b"", length=10**12).replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n")
    assert _status(_raw(limited, request)) == 413


def test_a_body_too_large_without_a_length_is_refused(limited: Service) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(30):
            yield b"a" * 10_000

    with limited.client() as client:
        answer = client.post("/encode", content=chunks())
    assert (answer.status_code, answer.json()["error"]["type"]) == (413, "request_too_large")


def test_a_body_without_end_is_cut_off(limited: Service) -> None:
    head = b"POST /encode HTTP/1.1\r\n%stransfer-encoding: chunked\r\n\r\n" % AUTHORIZED
    chunk = b"%x\r\n%s\r\n" % (50_000, b"a" * 50_000)
    answer = _raw(limited, head, *[chunk] * 200)
    assert answer == b"" or _status(answer) == 413


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": KEY}, {"authorization": f"Basic {KEY}"}]
)
def test_without_the_key_nothing_but_health_answers(limited: Service, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=limited.url, headers=headers) as client:
        answers = [client.get(path) for path in ("/info", "/metrics", "/nowhere")]
        answers += [client.post(path, json=GOOD) for path in ("/encode", "/connector")]
        assert {answer.status_code for answer in answers} == {401}
        assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
        assert not any(KEY in answer.text for answer in answers)
        tei = client.post("/embed_sparse", json={"inputs": "a"})
        assert (tei.status_code, tei.json()["error_type"]) == (401, "Validation")
        assert client.get("/health").status_code == 200


def test_a_large_body_without_the_key_is_refused_with_an_answer(limited: Service) -> None:
    answer = httpx.post(f"{limited.url}/encode", content=b"a" * 300_000)
    assert answer.status_code == 401


def test_an_unknown_path_or_method_is_refused(limited: Service) -> None:
    with limited.client() as client:
        answers = [client.get("/docs"), client.get("/encode/"), client.get("/encode"), client.delete("/info")]
    assert [answer.status_code for answer in answers] == [404, 404, 405, 405]
    assert {answer.json()["error"]["type"] for answer in answers} == {"not_found", "method_not_allowed"}


def test_a_compressed_body_is_refused(limited: Service) -> None:
    with limited.client() as client:
        assert client.post("/encode", content=b"x", headers={"content-encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"POST /encode HTTP/1.1\r\n%sx: %s\r\n\r\n" % (AUTHORIZED, b"a" * 70_000), 400),
        (b"POST /encode HTTP/1.1\r\n%scontent-length: -5\r\n\r\n" % AUTHORIZED, 400),
        (b"POST /encode HTTP/1.1\r\n%scontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" % AUTHORIZED, 400),
    ],
    ids=["garbage", "large headers", "negative length", "two lengths"],
)
def test_what_is_not_http_is_refused(limited: Service, request_: bytes, status: int) -> None:
    answer = _raw(limited, request_)
    assert (not answer and len(request_) > 65536) or _status(answer) == status


def _seconds(service: Service, *parts: bytes, pause: float) -> tuple[bytes, float]:
    start = time.monotonic()
    return _raw(service, *parts, pause=pause), time.monotonic() - start


def test_a_body_that_drips_is_cut_off(limited: Service) -> None:
    drips = [bytes([byte]) for byte in b'{"texts": ["' + b"a" * 40]
    answer, seconds = _seconds(limited, _request(b"", length=100), *drips, pause=0.3)
    assert seconds < len(drips) * 0.3
    assert not answer or _status(answer) == 408


def test_a_body_that_stops_gets_an_answer_in_time(limited: Service) -> None:
    answer, seconds = _seconds(limited, _request(b'{"texts"', length=100), pause=0.0)
    assert _status(answer) == 408
    assert b"did not come within 2 seconds" in answer
    assert LIMITS["read-timeout"] <= seconds < 10


@pytest.mark.parametrize("parts", [[b""], [b"POST /encode HTTP/1.1\r\nx: "], [b"a"] * 30], ids=["none", "part", "drip"])
def test_headers_that_do_not_come_are_cut_off(limited: Service, parts: list[bytes]) -> None:
    answer, seconds = _seconds(limited, *parts, pause=0.3)
    assert answer == b""
    assert seconds < 8


def test_headers_that_drip_on_a_used_connection_are_cut_off(limited: Service) -> None:
    with closing(socket.create_connection(("127.0.0.1", limited.port), timeout=20)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        start = time.monotonic()
        connection.sendall(b"GET /health HTTP/1.1\r\nx: ")
        with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012  the cut may come at any byte
            for _ in range(60):
                time.sleep(0.2)
                connection.sendall(b"a")
        assert time.monotonic() - start < 8


def test_connections_that_are_cut_in_the_middle_are_forgotten(limited: Service) -> None:
    body = json.dumps(GOOD).encode()
    for end in (10, 60, -5, len(_request(body))):
        with closing(socket.create_connection(("127.0.0.1", limited.port))) as connection:
            connection.sendall(_request(body)[:end])


def test_the_fault_counts_are_kept_by_reason(limited: Service) -> None:
    def refused(reason: str) -> Any:
        return limited.metric(f'neural_sparse_refused_total{{reason="{reason}"}}')

    with limited.client() as client:
        lines = client.get("/metrics", headers=HEADERS).text.splitlines()
    before = sum(float(line.split()[-1]) for line in lines if line.startswith("neural_sparse_refused_total"))
    limited.post("/encode", {"texts": [1]})
    assert limited.metric("neural_sparse_refused_total") == before + 1
