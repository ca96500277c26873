"""Addresses of started servers, and OPENSEARCH_URL that names one which has stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.devserver.node.paths import CACHE_VARIABLE, servers_folder
from opensearch_neural_sparse.devserver.node.started_addresses import (
    LONGEST_MEMORY,
    remember_address,
    was_started_here,
)
from opensearch_neural_sparse.devserver.server import URL_VARIABLE
from opensearch_neural_sparse.errors import DevServerError

NOBODY = "http://127.0.0.1:1"


@pytest.mark.usefixtures("empty_cache")
def test_an_address_is_known_whatever_the_login_and_path_and_the_oldest_is_forgotten(tmp_path: Path) -> None:
    assert not was_started_here(NOBODY)
    for port in range(1, LONGEST_MEMORY + 1):
        remember_address(tmp_path, f"http://127.0.0.1:{port}")
    remember_address(tmp_path, NOBODY)
    assert was_started_here("http://admin:secret@127.0.0.1:1/")
    remember_address(tmp_path, "http://127.0.0.1:1000")
    assert was_started_here(NOBODY), "it was the second to last"
    assert not was_started_here("http://127.0.0.1:2"), "it was the oldest"
    assert not was_started_here("http://127.0.0.1:11111")


@pytest.mark.usefixtures("empty_cache")
def test_a_stopped_server_of_this_machine_is_no_named_server_and_any_other_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(URL_VARIABLE, NOBODY)
    with pytest.raises(DevServerError, match=r"OPENSEARCH_URL names http://127\.0\.0\.1:1, which does not answer"):
        DevServer.from_environment()
    remember_address(servers_folder() / "3.6.0-plain", NOBODY)
    assert DevServer.has_stopped(NOBODY)
    assert DevServer.from_environment() is None


@pytest.mark.usefixtures("empty_cache")
def test_an_empty_variable_names_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "")
    assert DevServer.from_environment() is None


def test_without_the_extra_no_server_was_started_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.setenv(URL_VARIABLE, NOBODY)
    with pytest.raises(DevServerError, match="does not answer"):
        DevServer.from_environment()
