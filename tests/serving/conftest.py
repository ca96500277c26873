from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from opensearch_neural_sparse import load_document_encoder, load_query_encoder
from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from tests.paths import SMALL_MODEL

pytest.importorskip("prometheus_client", reason="the serve extra is not installed")

from opensearch_neural_sparse.serving import ServiceOptions, create_app, listen
from opensearch_neural_sparse.serving.server import ServiceServer

KEY = "a-key-of-the-service"
HEADERS = {"authorization": f"Bearer {KEY}"}
LIMITS = {"max-texts": 40, "max-characters": 30_000, "max-bytes": 100_000, "queue": 40, "read-timeout": 2}
MAIN = "from opensearch_neural_sparse.cli import main; main()"


@dataclass(frozen=True)
class Service:
    """A service that runs."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=self.headers, timeout=30, **options)

    def post(self, path: str, body: Any) -> httpx.Response:
        with self.client() as client:
            return client.post(path, content=json.dumps(body))

    def metric(self, name: str) -> float:
        """Return the sum of a metric's samples."""
        with self.client() as client:
            lines = client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def served_process(*arguments: str, **variables: str) -> Iterator[Service]:
    """Run the command on the bundled model until the end of the block."""
    command = [
        sys.executable,
        "-c",
        MAIN,
        "serve-encoder",
        str(SMALL_MODEL),
        "--engine",
        "onnx",
        "--port",
        "0",
        "--json",
    ]
    process = subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )
    try:
        assert process.stdout is not None
        printed = ""
        while not printed.rstrip().endswith("}\n}") and (line := process.stdout.readline()):
            printed += line
        assert printed, process.communicate()[1]
        key = variables.get("ENCODER_API_KEY")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        yield Service(json.loads(printed)["url"], headers, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.communicate()


class KillableService:
    """The command on one port, killed and started again."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.port = "0"
        self.url = ""

    def start(self) -> None:
        command = [sys.executable, "-c", MAIN, "serve-encoder", str(SMALL_MODEL), "--engine", "onnx", "--json"]
        self._process = subprocess.Popen(
            [*command, "--port", self.port], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        printed = ""
        while not printed.rstrip().endswith("}\n}") and (line := self._process.stdout.readline()):
            printed += line
        self.url = json.loads(printed)["url"]
        self.port = self.url.rpartition(":")[2]

    def kill(self) -> None:
        """End the process by SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def restart(self) -> None:
        """Kill the process, and start it again."""
        self.kill()
        self.start()


@contextmanager
def served_thread(encoder: DocumentEncoder, queries: QueryEncoder | None = None, **options: Any) -> Iterator[Service]:
    """Serve an encoder in a thread of this process until the end of the block."""
    app = create_app(encoder, queries or load_query_encoder(SMALL_MODEL), options=ServiceOptions(**options))
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    ready = threading.Event()
    server = ServiceServer(app, on_ready=ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert ready.wait(30)
        yield Service(f"http://127.0.0.1:{port}")
    finally:
        server.end()
        thread.join(30)
        listener.close()
        assert not thread.is_alive()


class GatedEncoder:
    """The bundled model behind a gate, which a test opens; it counts its calls, and fails on texts that say so."""

    def __init__(self, encoder: DocumentEncoder) -> None:
        self._encoder = encoder
        self.open = threading.Event()
        self.open.set()
        self.calls: list[list[str]] = []
        self.max_length, self.max_active_dims, self.files = encoder.max_length, encoder.max_active_dims, encoder.files

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        self.calls.append([*texts])
        assert self.open.wait(30)
        for text in texts:
            if text.startswith("raise "):
                raise {"RuntimeError": RuntimeError, "ValueError": ValueError}[text.split()[1]](text)
        return self._encoder.encode_documents(texts)

    def close(self) -> None:
        self._encoder.close()


@pytest.fixture(scope="session")
def encoder() -> Iterator[DocumentEncoder]:
    with load_document_encoder(SMALL_MODEL, engine="onnx") as encoder:
        yield encoder


@pytest.fixture(scope="session")
def limited() -> Iterator[Service]:
    """The command with a key and low limits."""
    arguments = [word for name, value in LIMITS.items() for word in (f"--{name}", str(value))]
    with served_process(*arguments, ENCODER_API_KEY=KEY) as service:
        yield service


@pytest.fixture
def service() -> Iterator[KillableService]:
    service = KillableService()
    service.start()
    yield service
    service.kill()


@pytest.fixture
def gated(encoder: DocumentEncoder) -> Iterator[tuple[GatedEncoder, Callable[..., Service]]]:
    """An encoder behind a gate, and what serves it: `serve(queue=...)`."""
    gate = GatedEncoder(encoder)
    with ExitStack() as stack:

        def serve(**options: Any) -> Service:
            return stack.enter_context(served_thread(gate, **options))

        try:
            yield gate, serve
        finally:
            gate.open.set()
