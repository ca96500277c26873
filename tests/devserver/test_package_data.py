from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver import known_versions
from tests.paths import ROOT

pytestmark = pytest.mark.slow

DEVSERVER = "opensearch_neural_sparse/devserver/distribution"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("dist")
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def test_the_wheel_holds_the_locks(names: set[str]):
    assert {f"{DEVSERVER}/locks/{version}.json" for version in known_versions()} <= names


def test_the_wheel_holds_the_java_sources(names: set[str]):
    assert {f"{DEVSERVER}/java/Launcher.java", f"{DEVSERVER}/java/RuntimeAnalysis.java"} <= names
