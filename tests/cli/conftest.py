from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest

from opensearch_neural_sparse.cli import main
from tests.conftest import RunningServer
from tests.encode.remote.fixtures import local, stub, without_weights  # noqa: F401  fixtures
from tests.paths import SMALL_MODEL

MODEL = str(SMALL_MODEL)
ROWS = [
    {"id": "heart", "text": "The heart pumps blood.", "year": 2020},
    {"id": "stone", "text": "A stone rests on the bed of a river.", "year": 2021},
    {"id": "arrest", "text": "Cardiac arrest in old patients.", "year": 2019},
]


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Everything that was printed, without the frame that usage errors are drawn in."""
        return " ".join((self.out + self.err).replace("│", " ").split())


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the command line in this process: `run("search", index, "heart", stdin=b"")`."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("OPENSEARCH_URL", "http://localhost:1")
    log = logging.getLogger("opensearch")
    level = log.level

    def run_it(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        printed = capsys.readouterr()
        return Outcome(int(exit_.value.code or 0), printed.out, printed.err)

    yield run_it
    log.setLevel(level)


@pytest.fixture
def cli(run: Run, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands against the server under test."""
    monkeypatch.setenv("OPENSEARCH_URL", server.url)
    return run


@pytest.fixture
def filled(cli: Run, index_name: str) -> str:
    """An index of three documents."""
    created = cli("index", "create", index_name, "--model", MODEL, "--shards", "1", "--replicas", "0")
    assert created.status == 0, created.err
    stdin = "\n".join(map(json.dumps, ROWS)).encode()
    ingested = cli("ingest", index_name, "-", "--model", MODEL, stdin=stdin)
    assert (ingested.status, ingested.err) == (0, "")
    assert ingested.out == f"3 of 3 documents written to {index_name}.\n"
    return index_name
