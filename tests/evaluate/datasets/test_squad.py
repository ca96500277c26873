from __future__ import annotations

import json
from pathlib import Path

import pytest

from opensearch_neural_sparse.evaluate.datasets.squad import read_squad
from tests.evaluate.datasets.test_beir import write_parquet

HEART, RIVER = "The heart pumps blood.", "Rivers carry water."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    def question(name: str, text: str, **more: bool) -> dict:
        return {"id": name, "question": text, "answers": [{"text": "x", "answer_start": 0}], **more}

    paragraphs = [
        {"context": HEART, "qas": [question("q1", "What pumps?"), question("q2", "What flies?", is_impossible=True)]},
        {"context": RIVER, "qas": [question("q3", "What carries water?")]},
    ]
    again = {"context": HEART, "qas": [question("q4", "What is pumped?")]}
    path = tmp_path / "xquad.en.json"
    path.write_text(json.dumps({"data": [{"paragraphs": paragraphs}, {"paragraphs": [again]}]}), encoding="utf-8")
    return path


def test_distinct_paragraphs_are_documents_and_answerable_questions_are_queries(file: Path) -> None:
    collection = read_squad(file)
    assert collection.name == "xquad-en"
    assert collection.documents == {"0": HEART, "1": RIVER}
    assert collection.queries == {"q1": "What pumps?", "q3": "What carries water?", "q4": "What is pumped?"}
    assert collection.judgements == {"q1": {"0": 1}, "q3": {"1": 1}, "q4": {"0": 1}}


def test_parquet_files_are_read_as_the_hub_lays_them_out(tmp_path: Path) -> None:
    rows = [
        {"id": "q1", "context": HEART, "question": "What pumps?", "answers": {"text": ["heart"], "answer_start": [4]}},
        {"id": "q2", "context": HEART, "question": "What flies?", "answers": {"text": [], "answer_start": []}},
    ]
    write_parquet(tmp_path / "xquad.en" / "validation-00000-of-00001.parquet", rows)
    collection = read_squad(tmp_path / "xquad.en")
    assert (collection.name, collection.documents) == ("xquad-en", {"0": HEART})
    assert (collection.queries, collection.judgements) == ({"q1": "What pumps?"}, {"q1": {"0": 1}})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"data": [{}]}', '{"data": [{"paragraphs": [{"qas": [{}]}]}]}'])
def test_another_format_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"a\.json is not of SQuAD's format"):
        read_squad(path)
