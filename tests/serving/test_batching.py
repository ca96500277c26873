"""Requests of several clients share the model: joined, bounded, and each with its own fault."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
from opensearch_neural_sparse.encode.query_encoder import NeuralQueryEncoder
from opensearch_neural_sparse.models.spec import Mode
from tests.serving.conftest import GatedEncoder, Service, served_thread

Gated = tuple[GatedEncoder, Callable[..., Service]]


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_requests_of_32_clients_are_encoded_together(gated: Gated, encoder: DocumentEncoder) -> None:
    _, serve = gated
    service = serve()
    before = service.metric("neural_sparse_batch_requests_count")
    texts = [f"The river number {number} flows into the sea." for number in range(320)]

    def send(number: int) -> list[dict[str, float]]:
        with service.client() as client:
            own = texts[number::32]
            return [client.post("/connector", json={"inputs": text}).json()[0] for text in own]

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(send, range(32)))
    expected = encoder.encode_documents(texts)
    for number, answer in enumerate(answers):
        for found, vector in zip(answer, expected[number::32], strict=True):
            assert found == pytest.approx(dict(vector), abs=1e-5)
    calls = service.metric("neural_sparse_batch_requests_count") - before
    assert calls < 320 / 2


def test_requests_that_wait_are_one_call_of_the_model(gated: Gated) -> None:
    gate, serve = gated
    service = serve()
    gate.open.clear()
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(service.post, "/connector", {"inputs": "first"})
        _wait_for(lambda: gate.calls[-1] == ["first"])
        others = [pool.submit(service.post, "/connector", {"inputs": [f"{n}", "more"]}) for n in range(4)]
        _wait_for(lambda: service.metric("neural_sparse_queue_texts") == 8)
        gate.open.set()
        assert {each.result().status_code for each in (first, *others)} == {200}
    assert [len(call) for call in gate.calls[-2:]] == [1, 8]


def test_a_full_queue_refuses_with_the_header_that_connectors_retry_by(gated: Gated) -> None:
    gate, serve = gated
    service = serve(max_texts=2, queue=4)
    gate.open.clear()
    with ThreadPoolExecutor(3) as pool:
        taken = [pool.submit(service.post, "/connector", {"inputs": "first"})]
        _wait_for(lambda: gate.calls[-1] == ["first"])
        taken += [pool.submit(service.post, "/connector", {"inputs": ["a", "b"]}) for _ in range(2)]
        _wait_for(lambda: service.metric("neural_sparse_queue_texts") == 4)
        refused = service.post("/encode", {"texts": ["c"]})
        as_tei = service.post("/embed_sparse", {"inputs": ["c"]})
        query = service.post("/encode", {"texts": ["hello"], "input_type": "query"})
        gate.open.set()
        assert {each.result().status_code for each in taken} == {200}
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-amzn-errortype"] == "ThrottlingException"
    reason = "4 texts wait, and the queue takes 4. Send the request again later."
    assert refused.json() == {"error": {"type": "queue_full", "reason": reason}}
    assert (as_tei.status_code, as_tei.json()) == (429, {"error": reason, "error_type": "Overloaded"})
    assert query.status_code == 200  # from the table, without the model
    assert service.post("/encode", {"texts": ["c"]}).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("RuntimeError", 500), ("ValueError", 422)])
def test_a_text_that_fails_fails_its_own_request_alone(
    gated: Gated, kind: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    gate, serve = gated
    service = serve()
    gate.open.clear()
    secret = f"raise {kind} on a secret"
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(service.post, "/connector", {"inputs": "first"})
        _wait_for(lambda: gate.calls[-1] == ["first"])
        good = [pool.submit(service.post, "/connector", {"inputs": "good"}) for _ in range(2)]
        bad = pool.submit(service.post, "/connector", {"inputs": ["fine", secret]})
        _wait_for(lambda: service.metric("neural_sparse_queue_texts") == 4)
        gate.open.set()
        assert {each.result().status_code for each in (first, *good)} == {200}
    assert bad.result().status_code == status
    assert kind in bad.result().text
    assert "secret" not in bad.result().text + caplog.text
    assert service.post("/connector", {"inputs": "good"}).status_code == 200


def test_a_request_whose_client_has_gone_is_not_encoded(gated: Gated) -> None:
    gate, serve = gated
    service = serve()
    gate.open.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(service.post, "/connector", {"inputs": "first"})
        _wait_for(lambda: gate.calls[-1] == ["first"])
        with socket.create_connection(("127.0.0.1", service.port)) as left:
            body = b'{"inputs": "gone"}'
            left.sendall(b"POST /connector HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            _wait_for(lambda: service.metric("neural_sparse_queue_texts") == 1)
        _wait_for(lambda: 'status="499"' in httpx.get(f"{service.url}/metrics").text)
        gate.open.set()
        assert first.result().status_code == 200
    assert service.post("/connector", {"inputs": "after"}).status_code == 200
    assert ["gone"] not in gate.calls


def test_a_model_that_does_not_answer_in_time_is_reported(gated: Gated) -> None:
    gate, serve = gated
    service = serve(answer_timeout=1.0)
    gate.open.clear()
    answer = service.post("/connector", {"inputs": "text"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "answer_timeout")
    with service.client() as client:
        assert client.get("/health").status_code == 503
        gate.open.set()
        _wait_for(lambda: client.get("/health").status_code == 200)


def test_queries_of_a_bi_encoder_share_the_model_apart_from_documents(encoder: DocumentEncoder) -> None:
    gate = GatedEncoder(encoder)
    gate.files = replace(gate.files, spec=replace(gate.files.spec, mode=Mode.BI_ENCODER))
    with served_thread(gate, NeuralQueryEncoder(gate)) as service, ThreadPoolExecutor(8) as pool:
        gate.open.clear()
        first = pool.submit(service.post, "/encode", {"texts": ["first"]})
        _wait_for(lambda: gate.calls[-1] == ["first"])
        sent = []
        for number, kind in enumerate(["query", "query", "document", "document", "query"]):
            body = {"texts": [f"{kind} of a river", "river " * 600], "input_type": kind}
            sent.append(pool.submit(service.post, "/encode", body))
            _wait_for(lambda waiting=2 * number + 2: service.metric("neural_sparse_queue_texts") == waiting)
        gate.open.set()
        answers = [each.result().json() for each in (first, *sent)]
    assert [len(call) for call in gate.calls[-4:]] == [1, 4, 4, 2]
    assert [answer["dropped_tokens"] for answer in answers] == [[0], *[[0, 600 - 510]] * 5]
    expected = encoder.encode_documents(["query of a river"])[0]
    assert answers[1]["vectors"][0] == pytest.approx(dict(expected), abs=1e-5)
