"""Collections by folder, file and hub id; snapshots lie in a cache laid out as the hub's, which is never asked."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest

from opensearch_neural_sparse import ModelFilesError
from opensearch_neural_sparse.evaluate.datasets.loader import check_source, read_source
from tests.evaluate.collections import DOCUMENTS, JUDGEMENTS, QUERIES, write_collection
from tests.evaluate.datasets.test_beir import write_parquet

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Repository = Callable[[str], Path]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Make the snapshot of a repository in the cache."""

    def make(name: str) -> Path:
        home = tmp_path / "cache" / f"datasets--{name.replace('/', '--')}"
        (home / "refs").mkdir(parents=True)
        (home / "refs" / "main").write_text(COMMIT)
        (home / "snapshots" / COMMIT).mkdir(parents=True)
        return home / "snapshots" / COMMIT

    return make


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "cache"


def write_beir(repository: Repository, tmp_path: Path) -> None:
    """Lay a collection out as the organisation BeIR does: judgements in a repository of their own."""
    source, target = write_collection(tmp_path / "source"), repository("BeIR/sentences")
    for name in ("corpus", "queries"):
        (target / f"{name}.jsonl.gz").write_bytes(gzip.compress((source / f"{name}.jsonl").read_bytes()))
    (source / "qrels" / "test.tsv").rename(repository("BeIR/sentences-qrels") / "test.tsv")


def write_mteb(repository: Repository, _: Path) -> None:
    """Lay a collection out as the organisation mteb does: tables in one repository."""
    target = repository("mteb/sentences")
    for name, texts in (("corpus", DOCUMENTS), ("queries", QUERIES)):
        rows = [{"_id": key, "title": "", "text": text} for key, text in texts.items()]
        write_parquet(target / name / f"{name}-00000-of-00001.parquet", rows)
    judged = [
        {"query-id": query, "corpus-id": key, "score": value}
        for query, row in JUDGEMENTS.items()
        for key, value in row.items()
    ]
    write_parquet(target / "data" / "test-00000-of-00001.parquet", judged)


@pytest.mark.parametrize(("name", "write"), [("BeIR/sentences", write_beir), ("mteb/sentences", write_mteb)])
def test_a_collection_is_read_from_the_hub(
    repository: Repository, cache: Path, tmp_path: Path, name: str, write: Callable[[Repository, Path], None]
) -> None:
    write(repository, tmp_path)
    found = read_source(name, cache_dir=cache)
    assert (found.name, found.documents) == ("sentences", DOCUMENTS)
    assert (found.queries, found.judgements) == (QUERIES, JUDGEMENTS)


def test_a_language_of_miracl_is_read_from_its_two_repositories(repository: Repository, cache: Path) -> None:
    folder = repository("miracl/miracl") / "miracl-v1.0-sw"
    for name, row in (("topics", "0\tMto mrefu\n"), ("qrels", "0\tQ0\t2#0\t1\n")):
        (folder / name).mkdir(parents=True)
        (folder / name / f"{name}.miracl-v1.0-sw-dev.tsv").write_text(row, encoding="utf-8")
    passages = repository("miracl/miracl-corpus") / "miracl-corpus-v1.0-sw"
    passages.mkdir()
    row = json.dumps({"docid": "2#0", "title": "Nile", "text": "Mto."}).encode()
    (passages / "docs-0.jsonl.gz").write_bytes(gzip.compress(row))
    found = read_source("miracl/miracl:sw", cache_dir=cache)
    assert (found.name, found.documents, found.judgements) == ("miracl-sw", {"2#0": "Nile Mto."}, {"0": {"2#0": 1}})


def test_a_language_of_xquad_is_read_from_the_hub(repository: Repository, cache: Path) -> None:
    row = {"id": "q1", "context": "Der Fluss.", "question": "Was?", "answers": {"text": ["x"], "answer_start": [0]}}
    write_parquet(repository("google/xquad") / "xquad.de" / "validation-00000-of-00001.parquet", [row])
    found = read_source("google/xquad:de", cache_dir=cache)
    assert (found.name, found.documents) == ("xquad-de", {"0": "Der Fluss."})


def test_the_hub_is_asked_for_the_files_of_the_collection_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, asked = write_collection(tmp_path / "source"), []

    def download(repo: str, **options: object) -> str:
        asked.append((repo, options["repo_type"], options["revision"], options["allow_patterns"]))
        return str(source)

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr("opensearch_neural_sparse.models.files.hub.ensure_reachable", lambda *_: None)
    assert read_source("BeIR/sentences", cache_dir=tmp_path).documents == DOCUMENTS
    assert asked == [
        ("BeIR/sentences-qrels", "dataset", "main", ["test.tsv"]),
        ("BeIR/sentences", "dataset", "main", ["corpus*", "queries*", "qrels/*", "data/*"]),
    ]


def test_what_is_not_in_the_cache_is_told_with_the_way_out(cache: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"hf download mteb/nothing --repo-type dataset .* dataset's files"):
        read_source("mteb/nothing", cache_dir=cache)


def test_a_folder_and_a_file_are_read_by_what_they_hold(tmp_path: Path) -> None:
    assert read_source(str(write_collection(tmp_path / "beir"))).documents == DOCUMENTS
    squad = {"data": [{"paragraphs": [{"context": "A.", "qas": [{"id": "q", "question": "B?"}]}]}]}
    (tmp_path / "squad.json").write_text(json.dumps(squad), encoding="utf-8")
    assert read_source(str(tmp_path / "squad.json")).queries == {"q": "B?"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scifact", r"'scifact' is no existing folder or file, and no hub id. .* such as BeIR/scifact"),
        ("./no/such/folder", "no existing folder or file"),
        ("data/xquad.en.json", "no existing folder or file"),
        ("data/corpus.jsonl", "no existing folder or file"),
        ("miracl/miracl", "Give miracl/miracl:sw and google/xquad:en with a language"),
        ("BeIR/scifact:en", "every other without"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused_before_anything_is_read(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_source(name)


@pytest.mark.hub
@pytest.mark.parametrize(
    ("name", "documents", "queries"),
    [("BeIR/scifact", 5183, 300), ("mteb/scifact", 5183, 300), ("google/xquad:de", 240, 1190)],
)
def test_published_collections_are_as_large_as_published(name: str, documents: int, queries: int) -> None:
    found = read_source(name)
    assert (len(found.documents), len(found.queries)) == (documents, queries)
