"""The command: its start, its refusals to start, and its end."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from opensearch_neural_sparse.serving.access import ensure_protected, read_api_key
from opensearch_neural_sparse.serving.options import ServiceOptions
from tests.cli.conftest import MODEL, Run, run  # noqa: F401  a fixture
from tests.serving.conftest import KEY, served_process

LONG = ["river " * 400] * 20
VARIABLE = "ENCODER_API_KEY"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_at_the_end_is_answered_and_new_requests_are_not(number: signal.Signals) -> None:
    with served_process(**{VARIABLE: KEY}) as service, ThreadPoolExecutor(8) as pool, service.client() as kept:
        assert service.process is not None
        assert kept.get("/health").status_code == 200
        sent = [pool.submit(service.post, "/encode", {"texts": LONG}) for _ in range(3)]
        while service.metric("neural_sparse_queue_texts") + service.metric("neural_sparse_batch_texts_sum") < 42:
            time.sleep(0.02)
        service.process.send_signal(number)
        time.sleep(0.1)
        health, refused = kept.get("/health"), service.post("/encode", {"texts": ["new"]})
        assert (health.status_code, health.json()["error"]["type"]) == (503, "service_ending")
        assert refused.status_code == 503
        answers = [each.result() for each in sent]
        assert {answer.status_code for answer in answers} == {200}
        assert {len(answer.json()["vectors"]) for answer in answers} == {len(LONG)}
        output, errors = service.process.communicate(timeout=30)
    assert (service.process.returncode, output) == (0, "")
    assert "Serving small-en on http://127.0.0.1:" in errors
    assert "Stopped after " in errors
    assert len(errors.splitlines()) == 2
    assert KEY not in errors
    with pytest.raises(httpx.ConnectError):
        service.post("/encode", {"texts": ["late"]})


@pytest.mark.parametrize(
    ("arguments", "variables", "status", "message"),
    [
        (("--host", "0.0.0.0"), {}, 2, "0.0.0.0 can be reached from other machines, and there is no key."),
        (("--api-key-env", "NO_SUCH_KEY"), {}, 2, "The environment variable 'NO_SUCH_KEY' is not set, or empty."),
        ((), {VARIABLE: "two words"}, 2, "has spaces or characters beyond ASCII"),
        (("--queue", "10"), {}, 2, "queue is 10, less than max_texts, 256"),
        (("--max-length", "100000"), {}, 2, "max_length is 100000"),
        (("--host", "no.such.host.invalid"), {VARIABLE: "k"}, 1, "cannot listen on no.such.host.invalid"),
    ],
)
def test_a_wrong_start_is_refused_in_one_line(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    variables: dict[str, str],
    status: int,
    message: str,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = run("serve-encoder", MODEL, "--port", "0", *arguments)
    assert (done.status, len(done.err.splitlines())) == (status, 1)
    assert message in done.err
    assert not any(value in done.err for value in variables.values() if len(value) > 1)


def test_a_taken_port_is_refused_before_the_model_is_loaded(run: Run) -> None:  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("serve-encoder", "no-such-model", "--port", port)
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert f"The service cannot listen on 127.0.0.1, port {port}: Address already in use." in done.err


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_addresses_of_this_machine_need_no_key(host: str) -> None:
    ensure_protected(host, None, no_auth=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
def test_other_addresses_need_a_key_or_a_word(host: str) -> None:
    with pytest.raises(ValueError, match="--no-auth"):
        ensure_protected(host, None, no_auth=False)
    ensure_protected(host, None, no_auth=True)
    ensure_protected(host, KEY, no_auth=False)


def test_a_key_is_read_from_its_variable_alone() -> None:
    assert read_api_key(VARIABLE, {}) is None
    assert read_api_key("MINE", {"MINE": " k \n", VARIABLE: "other"}) == "k"


@pytest.mark.parametrize("name", ["max_texts", "max_characters", "max_bytes", "queue", "read_timeout", "batch_wait_ms"])
def test_limits_are_positive(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is -1"):
        ServiceOptions(**{name: -1})
