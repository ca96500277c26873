"""The LangChain examples, as a user would run them, on every server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.examples.test_haystack import heavier_model
from tests.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.newest_server]

RIVER = "Rivers carry water to the sea."
INDEX = re.compile(r'"(example-langchain-[a-z-]+)"')


@pytest.fixture
def run(server: Any, client: Any) -> Iterator[Callable[..., list[str]]]:
    """Run an example, return the lines that it printed, and delete its indices afterwards."""
    indices: set[str] = set()

    def run(name: str, *arguments: str) -> list[str]:
        script = ROOT / "examples" / f"{name}.py"
        indices.update(INDEX.findall(script.read_text(encoding="utf-8")))
        done = subprocess.run(
            [sys.executable, "-W", "error", str(script), *arguments],
            cwd=ROOT,
            env={**os.environ, "OPENSEARCH_URL": server.url},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    yield run
    client.indices.delete(index=",".join(indices), ignore_unavailable=True)


def test_rag_answers_from_the_best_passage(run: Callable[..., list[str]]) -> None:
    assert run("langchain_rag") == ["Rivers carry their water to the sea. [page 2]"]


def test_hybrid_search_tells_what_each_leg_made_of_a_document(run: Callable[..., list[str]]) -> None:
    first, second = run("langchain_hybrid")
    assert first.startswith(f"{RIVER} {{'bm25': 1, 'sparse': 1, 'dense': ")
    assert "'rivers'" in first
    assert second.startswith("The heart")


def test_two_models_are_searched_each_by_its_own(run: Callable[..., list[str]], tmp_path: Path) -> None:
    found = run("langchain_two_models", str(heavier_model(tmp_path / "heavier")))[1:]
    assert {line.split(":")[0].strip() for line in found} == {"english", "german"}
    assert all("Einstein" in line for line in found)


def test_a_migrated_index_is_found_by_sparse_and_by_its_old_dense_vectors(run: Callable[..., list[str]]) -> None:
    assert run("langchain_migration") == [
        "3 documents moved",
        "sparse: The heart pumps blood through the body. {'topic': 'medicine', 'page': 7}",
        f"dense: {RIVER}",
    ]


def test_an_agent_answers_from_what_its_tool_found(run: Callable[..., list[str]]) -> None:
    assert run("langchain_agent") == [f"River: {RIVER}", "In the sea [River]."]
