from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import MODEL, ROWS, Run
from tests.conftest import RunningServer
from tests.evaluate.collections import write_collection

pytestmark = pytest.mark.newest_server

MAIN = """
import signal
from opensearch_neural_sparse.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started deaf to it
main()
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return str(path)


def test_documents_of_a_file_are_measured(cli: Run, file: str) -> None:
    done = cli("bench", file, "--model", MODEL, "--rounds", "2", "--documents", "2", "--json")
    assert (done.status, done.err) == (0, "")
    assert (done.json["texts"], done.json["documents"], done.json["rounds"]) == (file, 2, 2)
    assert set(done.json["latencies"]) == {"query encoding", "bm25 english", "sparse", "hybrid rrf"}
    assert set(done.json["latencies"]["bm25 english"]) == {"p50_ms", "p99_ms"}


def test_a_collection_and_made_up_texts_are_measured_and_shown(cli: Run, tmp_path: Path) -> None:
    folder = str(write_collection(tmp_path / "sentences"))
    for source, title in (([folder], "2 of sentences, 1 round"), ([], "2 of made-up texts, 1 round")):
        done = cli("bench", *source, "--model", MODEL, "--rounds", "1", "--documents", "2")
        assert (done.status, done.err) == (0, "")
        assert title in done.words
        assert all(word in done.words for word in ("encoded a second", "written a second", "hybrid rrf", "p99 ms"))


def test_many_clients_search_and_write_at_once(cli: Run, file: str) -> None:
    command = ("bench", file, "--model", MODEL, "--rounds", "1", "--documents", "2", "--clients", "4")
    found = cli(*command, "--json").json
    assert found["clients"] == 4
    assert set(found["throughputs"]) == {"bm25 english", "sparse", "hybrid rrf", "bulk"}
    assert all(0 < each["p50_ms"] <= each["p99_ms"] for each in found["throughputs"].values())
    assert all(each["per_second"] > 0 for each in found["throughputs"].values())
    shown = cli(*command).words
    assert "4 clients" in shown
    assert "bulk" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no.jsonl",), "'no.jsonl' does not exist."),
        (("a.pdf",), "'a.pdf' is of no known format"),
        (("a.jsonl", "--rounds", "4"), "Invalid value for --rounds: 3 documents cannot fill 4 rounds; give fewer."),
        (("a.jsonl", "--rounds", "0"), "Invalid value for '--rounds'"),
    ],
)
def test_wrong_calls_are_told(
    run: Run, file: str, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(Path(file).parent)
    Path("a.pdf").touch()
    done = run("bench", *arguments, "--model", MODEL)
    assert done.status == 2
    assert message in done.words


def test_a_column_that_is_not_there_is_told_with_those_that_are(run: Run, file: str) -> None:
    done = run("bench", file, "--model", MODEL, "--text-field", "body")
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert "none of its 3 rows has a text: no column 'body' among id, year, text; --text-field names it" in done.err


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_index_is_deleted_when_the_process_is_ended(
    server: RunningServer, client: Any, tmp_path: Path, ending: signal.Signals
) -> None:
    before = set(client.indices.get(index="bench-*"))
    command = [sys.executable, "-c", MAIN, "bench", "--model", MODEL, "--rounds", "100", "--documents", "1000"]
    environment = {**os.environ, "OPENSEARCH_URL": server.url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        while not set(client.indices.get(index="bench-*")) - before:
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(ending)
        try:
            _, error = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == (143 if ending is signal.SIGTERM else 130)
    assert b"Traceback" not in error
    assert set(client.indices.get(index="bench-*")) <= before
