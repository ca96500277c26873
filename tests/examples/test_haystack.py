"""The Haystack examples, as a user would run them, on every server."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.paths import ROOT, SMALL_MODEL

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.newest_server]

RIVER = "Rivers carry water to the sea."
INDEX = re.compile(r'index="([^"]+)"')


@pytest.fixture
def run(server: Any, client: Any) -> Iterator[Callable[..., str]]:
    """Run an example, return what it printed, and delete its indices afterwards."""
    indices: list[str] = []

    def run(name: str, *arguments: str) -> str:
        script = ROOT / "examples" / f"{name}.py"
        indices.extend(INDEX.findall(script.read_text(encoding="utf-8")))
        done = subprocess.run(
            [sys.executable, str(script), *arguments],
            cwd=ROOT,
            env=environment(server.url),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    client.indices.delete(index=",".join(indices), ignore_unavailable=True)


def environment(url: str, **more: str) -> dict[str, str]:
    return {**os.environ, "OPENSEARCH_URL": url, "HAYSTACK_TELEMETRY_ENABLED": "false", **more}


def test_indexing_finds_each_page_by_its_best_passage(run: Callable[..., str]) -> None:
    printed = run("haystack_indexing")
    assert re.match(r"\d+ pages in \d+ passages\n", printed)
    found = re.findall(r"^  (\S+), passage \d+: ", printed, re.MULTILINE)
    assert len(found) == len(set(found)) == 3


def test_rag_answers_from_the_best_document(run: Callable[..., str]) -> None:
    assert run("haystack_rag").splitlines()[-1] == RIVER


def test_three_legs_rank_every_document_within_the_filter(run: Callable[..., str]) -> None:
    first, second = run("haystack_three_legs").splitlines()
    assert first.startswith(RIVER)
    for line in (first, second):
        assert re.search(r"\{'bm25': [12], 'sparse': [12], 'dense': [12]\}$", line)


def test_two_models_are_joined(run: Callable[..., str], tmp_path: Path) -> None:
    joined, one_store = run("haystack_two_models", str(heavier_model(tmp_path / "heavier"))).splitlines()
    for line in (joined, one_store):
        assert line.count("Einstein") == 2


def heavier_model(folder: Path) -> Path:
    """Copy the small model with query weights twice as high: another model, as its index knows."""
    shutil.copytree(SMALL_MODEL, folder)
    table = json.loads((folder / "idf.json").read_text())
    (folder / "idf.json").write_text(json.dumps({token: 2 * weight for token, weight in table.items()}))
    (folder / "query_0_SparseStaticEmbedding" / "model.safetensors").unlink()
    return folder


def test_migrated_index_keeps_its_dense_vectors_and_is_found_by_sparse_ones(run: Callable[..., str]) -> None:
    encoded, unchanged, *found = run("haystack_migration").splitlines()
    assert encoded == "3 documents encoded"
    assert unchanged == "dense vectors unchanged: True"
    assert found == ["sparse: The heart pumps blood through the body.", "dense: Rivers carry water to the sea."]


def test_saved_pipeline_is_served_over_http(run: Callable[..., str], server: Any, tmp_path: Path) -> None:
    pytest.importorskip("hayhooks", reason="hayhooks is not installed")
    run("haystack_serving", str(tmp_path))
    with served(tmp_path, server.url) as address:
        answer = ask(f"{address}/search/run", {"query": "Where does a river end?", "top_k": 1})
    (document,) = answer["result"]["search"]["documents"]
    assert document["content"] == RIVER


@contextmanager
def served(folder: Path, url: str) -> Iterator[str]:
    """Run Hayhooks on the pipelines of a folder until the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("hayhooks")), "run", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "hayhooks.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--pipelines-dir", str(folder)], cwd=ROOT, env=environment(url), stdout=log, stderr=log
        )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while not is_up(f"{address}/status"):
            assert process.poll() is None, (folder / "hayhooks.log").read_text()
            assert time.monotonic() < deadline, (folder / "hayhooks.log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def is_up(address: str) -> bool:
    try:
        with urlopen(address, timeout=10):
            return True
    except (URLError, ConnectionError):
        return False


def ask(address: str, question: dict[str, Any]) -> Any:
    request = Request(address, json.dumps(question).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)
