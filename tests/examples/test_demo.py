"""The demo, on fewer documents, as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from examples.demo.docstrings import OPENING, opening, stdlib_documents
from tests.paths import ROOT

pytestmark = pytest.mark.newest_server

DOCUMENTS = 150


@pytest.mark.slow
def test_demo_answers_and_leaves_no_index_and_reuses_its_vectors(server, client, tmp_path: Path) -> None:
    first, second = (_run_demo(server.url, tmp_path) for _ in range(2))
    assert f"{DOCUMENTS} docstrings now, 0 vectors reused" in first
    assert f"0 docstrings now, {DOCUMENTS} vectors reused" in second
    assert f"Wrote {DOCUMENTS} documents" in second
    assert second.count("sparse, rank 1:") == 4
    assert second.count("Answer from these docstrings alone.") == 2
    assert not client.indices.exists(index="opensearch-neural-sparse-demo")


def _run_demo(url: str, cache: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--limit", str(DOCUMENTS)],
        cwd=ROOT,
        env={**os.environ, "OPENSEARCH_URL": url, "OPENSEARCH_NEURAL_SPARSE_CACHE": str(cache), "DEMO_KEEP": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("\n", " ")


def test_documents_are_some_thousands_with_ids_and_texts_of_their_own() -> None:
    documents = stdlib_documents()
    assert len(documents) > 3000
    assert len({document.id for document in documents}) == len({document.text for document in documents})
    assert {"shutil.rmtree", "math.dist", "time.sleep", "builtins.len"} <= {document.id for document in documents}


def test_opening_keeps_whole_paragraphs_and_always_the_first() -> None:
    long = "x" * (OPENING + 1)
    assert opening(f"{long}\n\nmore") == long
    assert opening("summary\n\ndetail\n\n" + long) == "summary\n\ndetail"
