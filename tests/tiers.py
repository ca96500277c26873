"""On which servers a test runs, in which tier, and beside which others: taken from its fixtures, so no test says it."""

from __future__ import annotations

import os
import re
from typing import Literal, get_args
from urllib.parse import urlsplit

import pytest

from opensearch_neural_sparse.devserver import known_versions

URLS_VARIABLE = "OPENSEARCH_TEST_URLS"
NEWEST_IS_ENOUGH = "newest_server"
OWN_SERVERS = ("ml_server", "secured_server")
"""Servers of a profile, one for all tests of a process: their tests stay on one worker."""
COSTLY = {*OWN_SERVERS, "private_server", "cluster", "detached", "browser", "site", "snapshot"}
"""Fixtures that start servers or programs for a few tests, or build transformers."""

Servers = Literal["newest", "marked", "every"]
Tier = Literal["unit", "server", "heavy"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        choices=get_args(Servers),
        default="marked",
        help=f"newest: the newest server line alone; marked: every line, and the newest alone for tests marked "
        f"{NEWEST_IS_ENOUGH} (the default); every: every line for every test",
    )


def named_urls() -> list[str]:
    """Return the URLs of the servers that the environment names, the newest first."""
    return [url.strip() for url in os.environ.get(URLS_VARIABLE, "").split(",") if url.strip()]


def wanted_servers(config: pytest.Config) -> list[str]:
    """Return the URLs of servers that are named, else the versions to start; the newest comes first."""
    servers = named_urls() or list(known_versions())
    return servers[:1] if config.getoption("servers") == "newest" else servers


def name_of(server: str) -> str:
    """Return what a test's name says of a URL or a version."""
    parts = urlsplit(server)
    return f"{parts.hostname}:{parts.port}" if parts.hostname else server


def without_address(value: object) -> str:
    """Return the text of a parameter as every worker writes it, for `ids=`."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that uses `server` one variant a server line."""
    if "server" not in metafunc.fixturenames:
        return
    servers = wanted_servers(metafunc.config)
    if metafunc.config.getoption("servers") == "marked" and metafunc.definition.get_closest_marker(NEWEST_IS_ENOUGH):
        servers = servers[:1]
    metafunc.parametrize("server", servers, ids=name_of, indirect=True, scope="session")


def fixtures_of(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def tier_of(item: pytest.Item) -> Tier:
    """Return the tier of a test: by the servers and programs that it starts."""
    if COSTLY & fixtures_of(item) or item.get_closest_marker("slow"):
        return "heavy"
    return "server" if "server" in fixtures_of(item) else "unit"


def group_of(item: pytest.Item, servers: list[str]) -> str | None:
    """Return the group of tests that share a worker: one a server line, where there are several; else one a file."""
    fixtures = fixtures_of(item)
    if "server" in fixtures and len(servers) > 1:
        return name_of(item.callspec.params["server"])  # type: ignore[attr-defined]
    if own := next((name for name in OWN_SERVERS if name in fixtures), None):
        return own
    return None if tier_of(item) == "unit" else f"{item.path.parent.name}.{item.path.stem}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its tier; where tests run side by side, begin with the longest groups."""
    for item in items:
        item.add_marker(tier_of(item))
    if config.getoption("dist", "no") != "loadgroup":
        return
    servers = wanted_servers(config)
    for item in items:
        if group := group_of(item, servers):
            item.add_marker(pytest.mark.xdist_group(group))
    order = {name_of(server): place for place, server in enumerate(servers)}
    last = len(order) + 1
    items.sort(key=lambda item: order.get(group_of(item, servers) or "", last - (tier_of(item) == "heavy")))
