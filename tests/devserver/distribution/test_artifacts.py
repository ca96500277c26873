from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver.distribution import artifacts
from opensearch_neural_sparse.devserver.distribution.artifacts import ArtifactStore, download_with_jgo
from opensearch_neural_sparse.devserver.distribution.lock import Artifact, load_lock
from opensearch_neural_sparse.errors import DevServerError

CONTENT = b"a jar"
GOOD = hashlib.sha256(CONTENT).hexdigest()


def artifact_of(name: str = "name", sha256: str = GOOD) -> Artifact:
    return Artifact(coordinates=f"group:{name}:1", sha256=sha256, bytes=len(CONTENT))


class Downloads:
    """Writes the same content for every artifact and counts how often it was asked."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def __call__(self, artifact: Artifact, scratch: Path) -> Path:
        path = scratch / artifact.filename
        path.write_bytes(CONTENT)
        self.paths.append(path)
        return path


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_downloaded_once(tmp_path: Path):
    downloads = Downloads()
    store = ArtifactStore(tmp_path, downloads)
    assert store.fetch(artifact_of()) == store.fetch(artifact_of())
    assert store.path(artifact_of()).read_bytes() == CONTENT
    assert len(downloads.paths) == 1


def test_a_download_with_a_bad_checksum_is_deleted_and_both_sums_are_named(tmp_path: Path):
    wrong = "0" * 64
    with pytest.raises(DevServerError, match=rf"(?s)group:name:1.*{GOOD}.*{wrong}"):
        ArtifactStore(tmp_path, Downloads()).fetch(artifact_of(sha256=wrong))
    assert files_below(tmp_path) == []


def test_a_stored_file_that_was_damaged_is_deleted_and_downloaded_anew_the_next_time(tmp_path: Path):
    store = ArtifactStore(tmp_path, Downloads())
    store.fetch(artifact_of()).write_bytes(b"damaged")
    with pytest.raises(DevServerError, match=hashlib.sha256(b"damaged").hexdigest()):
        store.fetch(artifact_of())
    assert store.fetch(artifact_of()).read_bytes() == CONTENT


def test_an_interrupted_download_leaves_no_file(tmp_path: Path):
    def interrupt(artifact: Artifact, scratch: Path) -> Path:
        (scratch / artifact.filename).write_bytes(CONTENT[:2])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ArtifactStore(tmp_path, interrupt).fetch(artifact_of())
    assert files_below(tmp_path) == []


def test_many_files_are_fetched_and_the_bytes_counted_up(tmp_path: Path):
    reports: list[tuple[int, int]] = []
    store = ArtifactStore(tmp_path, lambda artifact, scratch: written(scratch, artifact))

    def written(scratch: Path, artifact: Artifact) -> Path:
        path = scratch / artifact.filename
        path.write_bytes(artifact.coordinates.encode())
        return path

    rows = [f"group:name{number}:1" for number in range(20)]
    wanted = [
        Artifact(coordinates=row, sha256=hashlib.sha256(row.encode()).hexdigest(), bytes=len(row)) for row in rows
    ]
    store.fetch_all([*wanted, wanted[0]], lambda done, total: reports.append((done, total)))
    total = sum(map(len, rows))
    assert (reports[0], reports[-1]) == ((0, total), (total, total))
    assert [done for done, _ in reports] == sorted({done for done, _ in reports}), "told when they grow, and only then"
    assert all(store.path(artifact).exists() for artifact in wanted)

    reports.clear()
    store.fetch_all(wanted, lambda done, total: reports.append((done, total)))
    assert reports == [], "nothing is downloaded again"
    store.path(wanted[0]).unlink()
    store.fetch_all(wanted, lambda done, total: reports.append((done, total)))
    assert {total for _, total in reports} == {len(rows[0])}, "the size is that of what is missing"


def test_a_large_file_is_counted_while_it_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(artifacts, "REPORT_SECONDS", 0.01)
    half_was_told = threading.Event()

    def download(artifact: Artifact, scratch: Path) -> Path:
        path = scratch / artifact.filename
        path.write_bytes(CONTENT[:2])
        assert half_was_told.wait(30)
        path.write_bytes(CONTENT)
        return path

    reports: list[int] = []

    def on_bytes(done: int, total: int) -> None:
        reports.append(done)
        if done:
            half_was_told.set()

    ArtifactStore(tmp_path, download).fetch_all([artifact_of()], on_bytes)
    assert reports[:2] == [0, 2]
    assert reports[-1] == len(CONTENT)


def test_one_bad_file_of_many_fails_the_whole(tmp_path: Path):
    wanted = [artifact_of("good"), artifact_of("bad", "1" * 64)]
    with pytest.raises(DevServerError, match="group:bad:1"):
        ArtifactStore(tmp_path, Downloads()).fetch_all(wanted, lambda done, total: None)


def test_sweeping_removes_what_a_killed_download_left(tmp_path: Path):
    store = ArtifactStore(tmp_path, Downloads())
    kept = store.fetch(artifact_of())
    (tmp_path / ".download-left").mkdir()
    (tmp_path / ".download-left" / "half.jar").write_bytes(b"ha")
    store.sweep()
    assert files_below(tmp_path) == [kept]


def test_the_registry_is_asked_without_touching_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("M2_REPO", raising=False)
    (tmp_path / "home").mkdir()
    smallest = min(load_lock("2.19.1").artifacts(), key=lambda artifact: artifact.bytes)
    path = ArtifactStore(tmp_path / "store", download_with_jgo).fetch(smallest)
    assert path.stat().st_size == smallest.bytes
    assert list((tmp_path / "home").iterdir()) == []
