"""Caches of one's own, and an environment that names no server."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver.distribution.assembly import assemble
from opensearch_neural_sparse.devserver.distribution.java import find_java
from opensearch_neural_sparse.devserver.distribution.lock import load_lock
from opensearch_neural_sparse.devserver.node.paths import CACHE_VARIABLE, cache_folder
from opensearch_neural_sparse.devserver.server import URL_VARIABLE


@pytest.fixture(autouse=True)
def no_named_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return cache_folder()


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """The downloaded parts of the default version."""
    assemble(load_lock("3.6.0"), find_java())
    return cache_folder() / "artifacts"


@pytest.fixture
def downloaded_cache(artifacts: Path, empty_cache: Path) -> Path:
    """A cache where every part is downloaded and nothing is assembled."""
    shutil.copytree(artifacts, empty_cache / "artifacts", copy_function=os.link)
    return empty_cache
