"""What the tutorial says that its snippets print, and what a picture shows, is what comes out."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from docs import draw_scores
from opensearch_neural_sparse import load_query_encoder
from tests.conftest import RunningServer
from tests.paths import ROOT
from tests.rounding import NUMBER, assert_same_but_for_rounding

SHOW = "from docs.show_outputs import PAGE, with_outputs; print(with_outputs(PAGE.read_text('utf-8')), end='')"


@pytest.mark.slow
def test_the_tutorial_shows_what_its_snippets_print(server: RunningServer, client: Any) -> None:
    client.indices.delete(index="tutorial", ignore_unavailable=True)
    environment = {**os.environ, "OPENSEARCH_URL": server.url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    if server.version.startswith("2."):  # scores of words are others there, as the page says
        assert NUMBER.sub("", done.stdout) == NUMBER.sub("", page)
    else:
        assert_same_but_for_rounding(done.stdout, page)


def test_picture_of_scores_is_what_the_model_makes_of_the_texts() -> None:
    query = load_query_encoder(draw_scores.MODEL).encode_query(draw_scores.QUERY)
    drawn = draw_scores.PICTURE.read_text(encoding="utf-8")
    assert_same_but_for_rounding(draw_scores.draw(draw_scores.encoded(), query), drawn)
