"""What the tutorial says that its snippets print, and what a picture shows, is what comes out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docs import draw_scores
from opensearch_neural_sparse import load_query_encoder
from tests.conftest import RunningServer
from tests.paths import ROOT
from tests.rounding import NUMBER, assert_same_but_for_rounding

SHOW = "from sys import argv; from docs.show_outputs import show; print(show(argv[1]), end='')"


def shown(page: str, server: RunningServer, small_model: Path) -> str:
    """Return a page with the outputs of its snippets."""
    path = os.pathsep.join(map(str, (ROOT / "integrations", ROOT, small_model)))
    environment = {**os.environ, "OPENSEARCH_URL": server.url, "PYTHONPATH": path}
    command = [sys.executable, "-c", SHOW, page]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_tutorial_shows_what_its_snippets_print(
    server: RunningServer, client: Any, small_model_package: Path
) -> None:
    client.indices.delete(index="tutorial", ignore_unavailable=True)
    found = shown("tutorial.md", server, small_model_package)
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    if server.version.startswith("2."):  # scores of words are others there, as the page says
        assert NUMBER.sub("", found) == NUMBER.sub("", page)
    else:
        assert_same_but_for_rounding(found, page)


@pytest.mark.slow
def test_the_page_of_loads_shows_what_its_snippets_print(
    server: RunningServer, client: Any, small_model_package: Path
) -> None:
    client.indices.delete(index="loading*", ignore_unavailable=True)
    page = (ROOT / "docs" / "loading.md").read_text(encoding="utf-8")
    assert shown("loading.md", server, small_model_package) == page


@pytest.mark.slow
@pytest.mark.newest_server
@pytest.mark.xdist_group("ray")
def test_the_page_of_clusters_shows_what_its_snippets_print(
    server: RunningServer, client: Any, small_model_package: Path
) -> None:
    client.indices.delete(index="articles-1*,articles-2", ignore_unavailable=True)
    page = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    assert shown("clusters.md", server, small_model_package) == page


@pytest.mark.slow
@pytest.mark.newest_server
def test_the_page_of_logs_and_traces_shows_what_its_snippets_print(
    server: RunningServer, client: Any, small_model_package: Path
) -> None:
    client.indices.delete(index="observed", ignore_unavailable=True)
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    times_alone_differ = re.compile(r"\d+\.\d+ m?s|(took_ms|server_ms|leg_ms|port)\W+[\d, ]+|address = \S+")
    assert times_alone_differ.sub("", shown("observability.md", server, small_model_package)) == times_alone_differ.sub(
        "", page
    )


def test_picture_of_scores_is_what_the_model_makes_of_the_texts() -> None:
    query = load_query_encoder(draw_scores.MODEL).encode_query(draw_scores.QUERY)
    drawn = draw_scores.PICTURE.read_text(encoding="utf-8")
    assert_same_but_for_rounding(draw_scores.draw(draw_scores.encoded(), query), drawn)
