"""Pictures show what the bundled model and a real server give, and the rooms what the import rules say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from docs import draw_architecture, draw_results, draw_vectors
from examples.demo.reference import language_reference
from opensearch_neural_sparse import load_document_encoder, load_query_encoder
from tests.paths import ROOT
from tests.rounding import assert_same_but_for_rounding


def _results() -> dict[str, Any]:
    return json.loads(draw_results.RESULTS.read_text(encoding="utf-8"))


def test_picture_of_results_is_drawn_from_what_was_found() -> None:
    assert draw_results.draw(_results()) == draw_results.PICTURE.read_text(encoding="utf-8")


def test_front_page_shows_it_and_says_in_words_what_it_shows() -> None:
    picture = draw_results.PICTURE.relative_to(ROOT)
    (line,) = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if f"/{picture})" in line]
    best = [hits[0]["name"] for hits in _results()["hits"].values()]
    assert all(words in line for words in (draw_results.QUESTION, *best))


@pytest.mark.slow
def test_every_server_finds_what_the_picture_shows(server: Any, index_name: str) -> None:
    before = _results()
    if sys.platform != "linux" or sys.version_info[:2] != tuple(map(int, before["python"].split("."))):
        pytest.skip(f"The picture is of the passages of Python {before['python']} on Linux.")
    documents = len(language_reference())
    if documents != pytest.approx(before["documents"], rel=0.01):
        pytest.skip(f"The picture is of {before['documents']} passages; this build of Python has {documents}.")
    now = draw_results.found(server.url, index_name)
    for hit, shown in zip(now["hits"]["hybrid"], before["hits"]["hybrid"], strict=True):
        assert hit.pop("ranks") == pytest.approx(shown.pop("ranks"), abs=1)  # those of one score rank as they come
    assert_same_but_for_rounding(json.dumps(now["hits"], indent=1), json.dumps(before["hits"], indent=1))


def test_picture_of_vectors_is_what_the_model_makes_of_both_texts() -> None:
    (document,) = load_document_encoder(draw_vectors.MODEL, engine="onnx").encode_documents([draw_vectors.DOCUMENT])
    query = load_query_encoder(draw_vectors.MODEL).encode_query(draw_vectors.QUERY)
    drawn = draw_vectors.PICTURE.read_text(encoding="utf-8")
    assert_same_but_for_rounding(draw_vectors.draw(document, query), drawn)


@pytest.mark.parametrize("picture", draw_architecture.pictures(), ids=lambda path: path.name)
def test_picture_of_the_architecture_is_drawn_and_shown(picture: Path) -> None:
    assert draw_architecture.pictures()[picture] == picture.read_text(encoding="utf-8")
    assert f"]({picture.relative_to(ROOT)})" in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_messages_of_the_architecture_go_between_the_parts_shown() -> None:
    for lanes, messages in (draw_architecture.SEARCH, draw_architecture.WRITE):
        assert {part for message in messages for part in message[:2]} == {*lanes}
