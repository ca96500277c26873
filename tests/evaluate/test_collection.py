import json
from pathlib import Path

import pytest

from opensearch_neural_sparse.evaluate.collection import read_collection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "qrels").mkdir()
    rows = [{"_id": "d1", "title": "Rivers", "text": "Water flows."}, {"_id": "d2", "text": "Stone rests."}]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    queries = [{"_id": "q1", "text": "what flows"}, {"_id": "q2", "text": "never judged"}]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n", encoding="utf-8")
    return tmp_path


def test_title_stands_before_the_text(folder: Path) -> None:
    assert read_collection(folder).documents == {"d1": "Rivers Water flows.", "d2": "Stone rests."}


def test_queries_without_a_judgement_are_left_out(folder: Path) -> None:
    collection = read_collection(folder)
    assert collection.queries == {"q1": "what flows"}
    assert collection.judgements == {"q1": {"d1": 1, "d2": 0}}


def test_judgements_without_a_header_are_read_too(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("q1\td1\t2\n", encoding="utf-8")
    assert read_collection(folder).judgements == {"q1": {"d1": 2}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{broken', "corpus.jsonl, line 2: not JSON"),
        ("queries.jsonl", '{"_id": "q1"}', "queries.jsonl, line 1: needs the keys '_id' and 'text'"),
        ("qrels/test.tsv", "q1\td1\thigh\n", "test.tsv, line 1: needs query-id, corpus-id and a whole score"),
        ("qrels/test.tsv", "q9\td1\t1\n", "judged queries without a text: q9"),
    ],
)
def test_a_broken_line_is_named(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_collection(folder)
