"""Fixtures: a real OpenSearch of each supported line, a client on it, an index name of one's own.

`OPENSEARCH_TEST_URLS` names the servers, separated by commas; the version is read from each.
"""

from __future__ import annotations

import json
import os
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.snapshots import snapshot  # noqa: F401  a fixture

DEFAULT_URLS = "http://localhost:19236,http://localhost:19219"


@dataclass(frozen=True)
class RunningServer:
    """An OpenSearch that tests may use."""

    url: str = field(repr=False)
    version: str


def _urls() -> list[str]:
    rows = os.environ.get("OPENSEARCH_TEST_URLS", DEFAULT_URLS).split(",")
    return [row.strip().rstrip("/") for row in rows if row.strip()]


def _read_version(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as response:
        return str(json.load(response)["version"]["number"])


@pytest.fixture(params=_urls(), ids=lambda url: str(urlsplit(url).port or urlsplit(url).hostname), scope="session")
def server(request: pytest.FixtureRequest) -> RunningServer:
    return RunningServer(url=request.param, version=_read_version(request.param))


@pytest.fixture
def client(server: RunningServer) -> Iterator[Any]:
    from opensearchpy import OpenSearch

    with OpenSearch(server.url, timeout=60) as client:
        yield client


@pytest.fixture
def index_name(client: Any) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex}"
    yield name
    client.indices.delete(index=name, ignore_unavailable=True)
