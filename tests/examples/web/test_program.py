"""`python -m examples.web`, as a user would run it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from examples.demo.indexing import INDEX
from tests.conftest import RunningServer
from tests.examples.web.serving import HOST, free_port
from tests.paths import ROOT

pytestmark = pytest.mark.newest_server


@contextmanager
def _program(server: RunningServer, cache: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run `python -m examples.web` until it has said where the page is, then for the length of the block."""
    program = subprocess.Popen(
        [sys.executable, "-m", "examples.web", "--limit", "30", *options],
        cwd=ROOT,
        env={**os.environ, "OPENSEARCH_URL": server.url, "OPENSEARCH_NEURAL_SPARSE_CACHE": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    with program:
        try:
            while "The page:" not in (said or [""])[-1]:
                said.append(program.stdout.readline())
                assert said[-1], said
            yield program, said
        finally:
            program.kill()


@pytest.mark.slow
def test_one_command_makes_the_index_once_and_serves_the_page(
    server: RunningServer, client: Any, tmp_path: Path
) -> None:
    client.indices.delete(index=INDEX, ignore_unavailable=True)
    try:
        for expected in ("Wrote 30 documents", "is there already, 30 passages"):
            port = free_port()
            with _program(server, tmp_path, "--port", str(port)) as (program, said):
                assert expected in "".join(said).replace("\n", " ")
                with urlopen(f"http://{HOST}:{port}/") as page, urlopen(f"{page.url}api/search?q=file") as answer:
                    assert (page.status, answer.status) == (200, 200)
                program.send_signal(signal.SIGINT)
                assert program.wait(timeout=60) == 0
    finally:
        client.indices.delete(index=INDEX, ignore_unavailable=True)


def test_a_port_that_is_taken_is_refused_before_anything_is_done() -> None:
    with socket.create_server((HOST, 0)) as listener:
        done = subprocess.run(
            [sys.executable, "-m", "examples.web", "--port", str(listener.getsockname()[1])],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 2
    assert "cannot be had: Address already in use. Name another" in done.stderr
