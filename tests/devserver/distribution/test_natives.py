from __future__ import annotations

import hashlib
import logging
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver.distribution import natives
from opensearch_neural_sparse.devserver.distribution.assembly import distribution_path
from opensearch_neural_sparse.devserver.distribution.lock import (
    Artifact,
    Lock,
    known_profiles,
    known_versions,
    load_lock,
)
from opensearch_neural_sparse.devserver.distribution.natives import (
    LIBRARY_VARIABLE,
    extract_natives,
    native_environment,
    natives_path,
)
from opensearch_neural_sparse.devserver.profile import Profile

CONTENTS = {
    "torch": {"META-INF/MANIFEST.MF": b"", "pytorch/cpu/linux-x86_64/libtorch.so": b"torch"},
    "jni": {
        "jnilib/linux-x86_64/cpu/libdjl_torch.so": b"jni",
        "jnilib/linux-x86_64/cpu-precxx11/libdjl_torch.so": b"for an older compiler",
        "jnilib/osx-aarch64/cpu/libdjl_torch.dylib": b"for another system",
    },
}


@pytest.fixture
def lock(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Lock:
    """A lock whose native libraries are small, and downloaded."""
    monkeypatch.delenv(LIBRARY_VARIABLE, raising=False)
    artifacts = []
    for name, members in CONTENTS.items():
        path = empty_cache / "artifacts" / f"{name}-1.jar"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        (path.parent / checksum).mkdir()
        artifacts.append(Artifact(coordinates=f"g:{name}:1", sha256=checksum, bytes=path.stat().st_size))
        path.rename(path.parent / checksum / path.name)
    return replace(load_lock("3.6.0", Profile.ML), natives=tuple(artifacts))


def on(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(natives.platform, "system", lambda: system)
    monkeypatch.setattr(natives.platform, "machine", lambda: machine)


def test_the_libraries_of_this_platform_lie_in_one_folder(lock: Lock):
    folder = extract_natives(lock)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "libtorch.so": b"torch",
        "libdjl_torch.so": b"jni",
    }
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "nothing is left beside it"


def test_the_libraries_are_extracted_once(lock: Lock):
    before = (extract_natives(lock) / "libtorch.so").stat().st_mtime_ns
    assert (extract_natives(lock) / "libtorch.so").stat().st_mtime_ns == before


def test_what_an_interrupted_extraction_left_is_removed(lock: Lock, empty_cache: Path):
    (empty_cache / "natives" / f"{natives.PARTIAL}x").mkdir(parents=True)
    folder = extract_natives(lock)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_node_gets_the_folder_by_its_environment(lock: Lock, monkeypatch: pytest.MonkeyPatch):
    on(monkeypatch, *natives.PLATFORM)
    assert native_environment(lock) == {LIBRARY_VARIABLE: str(natives_path(lock))}


def test_libraries_that_the_environment_names_already_are_used(lock: Lock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(LIBRARY_VARIABLE, "/elsewhere")
    assert native_environment(lock) == {}
    assert not natives_path(lock).exists()


def test_another_platform_goes_without_them_and_says_so(
    lock: Lock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    on(monkeypatch, "Darwin", "arm64")
    with caplog.at_level(logging.WARNING):
        assert native_environment(lock) == {}
    assert "for Linux x86_64 alone, not for Darwin arm64" in caplog.text
    assert LIBRARY_VARIABLE in caplog.text
    assert not natives_path(lock).exists()


@pytest.mark.parametrize("version", known_versions())
def test_profiles_that_run_models_alone_have_them(version: str):
    having = [profile for profile in known_profiles(version) if load_lock(version, profile).natives]
    assert Profile.ML in having
    assert having == [profile for profile in known_profiles(version) if profile.runs_models]
    assert native_environment(load_lock(version)) == {}


def test_both_lines_share_one_folder():
    assert len({natives_path(load_lock(version, Profile.ML)) for version in known_versions()}) == 1


def test_they_do_not_make_another_distribution():
    lock = load_lock("3.6.0", Profile.ML)
    assert lock.natives
    assert distribution_path(lock) == distribution_path(replace(lock, natives=()))
