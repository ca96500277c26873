"""What the pages say that their snippets print, and what a picture shows, is what comes out."""

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
from tests.docs.leftovers import nothing_left
from tests.paths import ROOT
from tests.rounding import NUMBER, assert_same_but_for_rounding

ON_THE_NEWEST_SERVER = ("README.md", "docs/haystack.md", "docs/langchain.md", "docs/production.md")
ON_EVERY_SERVER = ("docs/loading.md", "docs/tutorial.md")
WITH_OUTPUTS = {*ON_THE_NEWEST_SERVER, *ON_EVERY_SERVER, "docs/clusters.md", "docs/observability.md"}
"""Pages whose snippets have their outputs beneath them."""
SHOW = "from sys import argv; from docs.show_outputs import show; print(show(argv[1]), end='')"
TIMES_AND_PORTS = re.compile(r"\d+\.\d+ m?s|(took_ms|server_ms|leg_ms|port)\W+[\d, ]+|address = \S+")


def written(page: str) -> str:
    """Return a page as it is."""
    return (ROOT / page).read_text(encoding="utf-8")


def shown(page: str, server: RunningServer, client: Any, small_model: Path, empty: Path) -> str:
    """Return a page with the outputs of its snippets, which run in an empty folder and leave nothing."""
    path = os.pathsep.join(map(str, (ROOT / "integrations", ROOT, small_model)))
    environment = {**os.environ, "OPENSEARCH_URL": server.url, "PYTHONPATH": path}
    command = [sys.executable, "-c", SHOW, str(ROOT / page)]
    with nothing_left(client, ROOT / page):
        done = subprocess.run(
            command, cwd=empty, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
    assert list(empty.iterdir()) == []
    return done.stdout


def assert_shows(page: str, found: str, server: RunningServer) -> None:
    """Compare a page with what its snippets gave; scores of words are others on 2.19, as the pages say."""
    if server.version.startswith("2."):
        assert NUMBER.sub("", found) == NUMBER.sub("", written(page))
    else:
        assert_same_but_for_rounding(found, written(page))


@pytest.mark.slow
@pytest.mark.newest_server
@pytest.mark.parametrize("page", ON_THE_NEWEST_SERVER)
def test_a_page_shows_what_its_snippets_print(
    page: str, server: RunningServer, client: Any, small_model_package: Path, tmp_path: Path
) -> None:
    assert_shows(page, shown(page, server, client, small_model_package, tmp_path), server)


@pytest.mark.slow
@pytest.mark.parametrize("page", ON_EVERY_SERVER)
def test_a_page_shows_what_its_snippets_print_on_every_server(
    page: str, server: RunningServer, client: Any, small_model_package: Path, tmp_path: Path
) -> None:
    assert_shows(page, shown(page, server, client, small_model_package, tmp_path), server)


@pytest.mark.slow
@pytest.mark.newest_server
@pytest.mark.xdist_group("ray")
def test_the_page_of_clusters_shows_what_its_snippets_print(
    server: RunningServer, client: Any, small_model_package: Path, tmp_path: Path
) -> None:
    assert shown("docs/clusters.md", server, client, small_model_package, tmp_path) == written("docs/clusters.md")


@pytest.mark.slow
@pytest.mark.newest_server
def test_the_page_of_logs_and_traces_shows_what_its_snippets_print(
    server: RunningServer, client: Any, small_model_package: Path, tmp_path: Path
) -> None:
    found = shown("docs/observability.md", server, client, small_model_package, tmp_path)
    assert TIMES_AND_PORTS.sub("", found) == TIMES_AND_PORTS.sub("", written("docs/observability.md"))


def test_picture_of_scores_is_what_the_model_makes_of_the_texts() -> None:
    query = load_query_encoder(draw_scores.MODEL).encode_query(draw_scores.QUERY)
    drawn = draw_scores.PICTURE.read_text(encoding="utf-8")
    assert_same_but_for_rounding(draw_scores.draw(draw_scores.encoded(), query), drawn)
