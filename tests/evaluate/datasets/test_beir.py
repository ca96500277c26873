import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from opensearch_neural_sparse.evaluate.datasets.beir import read_collection


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


def test_compressed_files_are_read(folder: Path) -> None:
    for name in ("corpus", "queries"):
        path = folder / f"{name}.jsonl"
        path.with_suffix(".jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert read_collection(folder).documents == {"d1": "Rivers Water flows.", "d2": "Stone rests."}


def test_parquet_files_are_read_as_the_hub_lays_them_out(folder: Path, tmp_path: Path) -> None:
    expected, laid_out = read_collection(folder), tmp_path / "parquet"
    for name in ("corpus", "queries"):
        rows = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]
        write_parquet(laid_out / name / f"{name}-00000-of-00001.parquet", rows)
    judged = [{"query-id": "q1", "corpus-id": name, "score": score} for name, score in (("d1", 1.0), ("d2", 0.0))]
    write_parquet(laid_out / "data" / "test-00000-of-00001.parquet", judged)
    found = read_collection(laid_out)
    assert (found.documents, found.queries, found.judgements) == (
        expected.documents,
        expected.queries,
        expected.judgements,
    )


def write_parquet(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows), path)


def test_a_folder_without_a_corpus_is_told_what_it_lacks(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no corpus\.jsonl or corpus\.jsonl\.gz or corpus/\*\.parquet"):
        read_collection(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", '{"_id": "d1", "text": "a"}\n{broken', "corpus.jsonl:2: it is not JSON"),
        ("queries.jsonl", '{"_id": "q1"}', "queries.jsonl:1: it needs the keys '_id', 'text'"),
        ("qrels/test.tsv", "q1\td1\thigh\n", "test.tsv:1: it needs query-id, corpus-id and a whole score"),
        ("qrels/test.tsv", "q9\td1\t1\n", "judged queries without a text: q9"),
    ],
)
def test_a_broken_line_is_named(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_collection(folder)
