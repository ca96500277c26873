"""Fixtures: a real OpenSearch of each supported line, a client on it, an index name of one's own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class RunningServer:
    """An OpenSearch that tests may use."""

    url: str
    version: str


def _named_servers() -> list[RunningServer]:
    rows = os.environ.get("OPENSEARCH_TEST_URLS", "3.6.0=http://localhost:19236,2.19.1=http://localhost:19219")
    return [RunningServer(url=row.split("=")[1], version=row.split("=")[0]) for row in rows.split(",")]


@pytest.fixture(params=_named_servers(), ids=lambda server: server.version, scope="session")
def server(request: pytest.FixtureRequest) -> RunningServer:
    return request.param


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
