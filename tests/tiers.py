"""On which servers a test runs, in which tier, and beside which others: taken from its fixtures, so no test says it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import pytest

from opensearch_neural_sparse.devserver import known_versions

LINES = (known_versions()[0], known_versions()[-1])
"""The versions that everything is tested on: the newest, and the oldest that is supported."""
URLS_VARIABLE = "OPENSEARCH_TEST_URLS"
MODEL_URLS_VARIABLE = "OPENSEARCH_MODEL_TEST_URLS"
NEWEST_IS_ENOUGH = "newest_server"
COSTLY = {
    "ml_server",
    "model_server",
    "secured_server",
    "private_server",
    "cluster",
    "detached",
    "browser",
    "site",
    "snapshot",
}
"""Fixtures that start servers or programs for a few tests, or build transformers."""
SECURED = "tests/secured/"
"""The room of the tests that share one secured server."""

Servers = Literal["newest", "marked", "every"]
Tier = Literal["unit", "server", "heavy"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        choices=get_args(Servers),
        default="marked",
        help=f"newest: the newest version alone; marked: {' and '.join(LINES)}, and the newest alone for tests marked "
        f"{NEWEST_IS_ENOUGH} (the default); every: every version that can be assembled, for every test",
    )


def named_urls(variable: str = URLS_VARIABLE) -> list[str]:
    """Return the URLs of the servers that the environment names, the newest first."""
    return [url.strip() for url in os.environ.get(variable, "").split(",") if url.strip()]


def wanted_servers(config: pytest.Config, variable: str = URLS_VARIABLE) -> list[str]:
    """Return the URLs of servers that are named, else the versions to start; the newest comes first."""
    wanted = config.getoption("servers")
    servers = named_urls(variable) or list(known_versions() if wanted == "every" else LINES)
    return servers[:1] if wanted == "newest" else servers


def name_of(server: str) -> str:
    """Return what a test's name says of a URL or a version."""
    parts = urlsplit(server)
    return f"{parts.hostname}:{parts.port}" if parts.hostname else f"opensearch-{server}"


def without_address(value: object) -> str:
    """Return the text of a parameter as every worker writes it, for `ids=`."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that uses `server`, or `model_server`, one variant a server line."""
    for fixture, variable in (("server", URLS_VARIABLE), ("model_server", MODEL_URLS_VARIABLE)):
        if fixture not in metafunc.fixturenames:
            continue
        servers = wanted_servers(metafunc.config, variable)
        marked = metafunc.definition.get_closest_marker(NEWEST_IS_ENOUGH)
        if metafunc.config.getoption("servers") == "marked" and marked:
            servers = servers[:1]
        metafunc.parametrize(fixture, servers, ids=name_of, indirect=True, scope="session")


def fixtures_of(item: pytest.Item) -> set[str]:
    return set(getattr(item, "fixturenames", ()))


def tier_of(item: pytest.Item) -> Tier:
    """Return the tier of a test: by the servers and programs that it starts."""
    if COSTLY & fixtures_of(item) or item.get_closest_marker("slow"):
        return "heavy"
    return "server" if "server" in fixtures_of(item) else "unit"


def scope_of(test: str, servers: Sequence[str]) -> str:
    """Return what a test shares a worker for: its server, or else its file.

    Workers that test one version alone start a server each, and share its files.
    """
    file, _, rest = test.partition("::")
    if file.startswith(SECURED):
        return SECURED
    if list(servers) == list(known_versions())[:1]:
        return file
    return next((name for name in map(name_of, servers) if name in rest), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a server on one worker, since each worker starts its own servers."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServer(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid, wanted_servers(config))

    return ByServer(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test with its tier; where tests run side by side, begin with those of servers and end with units."""
    for item in items:
        item.add_marker(tier_of(item))
    if hasattr(config, "workerinput"):
        servers = wanted_servers(config)
        order = [*map(name_of, servers), "heavy", "server", "unit"]
        items.sort(key=lambda item: min(map(order.index, {scope_of(item.nodeid, servers), tier_of(item)} & {*order})))
