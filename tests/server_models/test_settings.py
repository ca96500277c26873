"""What cluster settings and missing libraries forbid, and how it is explained: on servers of this module's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import OpenSearch

from opensearch_neural_sparse import ModelFiles, ServerModelError, ServerModels
from opensearch_neural_sparse.devserver import DevServer, Profile
from opensearch_neural_sparse.server_models.archive import write_tokenizer_archive
from opensearch_neural_sparse.server_models.cluster.local_models import make_ready
from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests
from opensearch_neural_sparse.server_models.connectors.templates import ConnectorTemplate
from opensearch_neural_sparse.server_models.reasons import (
    HEAP_LIMIT,
    MEMORY_LIMIT,
    ML_NODES_ONLY,
    PRIVATE_ADDRESSES,
    TRUSTED_ENDPOINTS,
    URL_REGISTRATION,
)
from tests.conftest import SMALL_AND_QUICK, own_server
from tests.paths import SMALL_MODEL
from tests.server_models.encoder_service import EncoderService
from tests.tiers import LINES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=LINES)
def bare_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """A server with ml-commons whose settings a test may change, and whose folder of PyTorch's libraries is empty."""
    home = tmp_path_factory.mktemp(f"opensearch-bare-{request.param}")
    empty = tmp_path_factory.mktemp("no-libraries")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setenv("PYTORCH_LIBRARY_PATH", str(empty))
        options = {**SMALL_AND_QUICK, "heap": "1g", "profile": Profile.ML, "version": request.param}
        yield own_server(stack, home, **options)


@pytest.fixture(scope="module")
def own_client(bare_server: DevServer) -> Iterator[OpenSearch]:
    with OpenSearch(bare_server.url, timeout=120) as client:
        yield client


@pytest.fixture
def own_models(own_client: OpenSearch) -> ServerModels:
    return ServerModels(own_client)


@contextmanager
def changed(client: OpenSearch, settings: Mapping[str, Any]) -> Iterator[None]:
    client.cluster.put_settings(body={"persistent": dict(settings)})
    try:
        yield
    finally:
        client.cluster.put_settings(body={"persistent": dict.fromkeys(settings)})


def _persistent(client: OpenSearch) -> dict[str, Any]:
    found: dict[str, Any] = client.cluster.get_settings(params={"flat_settings": "true"})["persistent"]
    return found


def _register(client: OpenSearch, files: ModelFiles, folder: Path) -> str:
    """Register the tokenizer with a plain request; return the task's result, the model's id."""
    archive = write_tokenizer_archive(files, folder)
    body = {
        "name": "plain",
        "version": "1",
        "model_format": "TORCH_SCRIPT",
        "function_name": archive.function_name,
        "model_content_hash_value": archive.sha256,
        "url": archive.path.as_uri(),
    }
    requests = MlRequests(client)
    task = requests.send("POST", "models/_register", body, model="plain")["task_id"]
    return str(requests.wait(task, Deadline(60), model="plain", wait_for="registration")["model_id"])


def test_a_server_without_libraries_is_explained(
    own_models: ServerModels, own_client: OpenSearch, tmp_path: Path
) -> None:
    with pytest.raises(ServerModelError, match="a node has no PyTorch library") as raised:
        own_models.deploy(SMALL_MODEL, archive_folder=tmp_path)
    assert raised.value.cause == "libtorch"
    assert raised.value.reason
    (model,) = [model for model in own_models.list() if model.name == "small-en"]
    found = own_models.doctor(model_id=model.model_id)
    assert [finding.cause for finding in found] == ["not_deployed", "libtorch"], found


def test_url_registration_is_changed_where_that_is_asked_for(
    own_models: ServerModels, own_client: OpenSearch, files: ModelFiles, tmp_path: Path
) -> None:
    with changed(own_client, {URL_REGISTRATION: False}):
        with pytest.raises(ServerModelError, match="takes no model by a URL") as raised:
            own_models.deploy(SMALL_MODEL, name="by-url", archive_folder=tmp_path)
        assert f'PUT /_cluster/settings {{"persistent": {{"{URL_REGISTRATION}": true}}}}' in str(raised.value)
        with pytest.raises(ServerModelError) as said:
            _register(own_client, files, tmp_path)
        assert (said.value.cause, raised.value.cause) == ("url_registration", "url_registration")
        assert [finding.cause for finding in own_models.doctor()] == ["url_registration"]
        with pytest.raises(ServerModelError, match="a node has no PyTorch library"):
            own_models.deploy(SMALL_MODEL, name="by-url", archive_folder=tmp_path, change_settings=True)
        assert _persistent(own_client)[URL_REGISTRATION] == "true"


def test_nodes_that_may_run_no_models_are_explained(
    own_models: ServerModels, own_client: OpenSearch, files: ModelFiles, tmp_path: Path
) -> None:
    model_id = _register(own_client, files, tmp_path)
    with changed(own_client, {ML_NODES_ONLY: True}):
        with pytest.raises(ServerModelError, match="no node of the cluster may run models"):
            own_models.deploy(SMALL_MODEL, name="nowhere", archive_folder=tmp_path)
        requests = MlRequests(own_client)
        with pytest.raises(ServerModelError) as raised:
            make_ready(requests, requests.model(model_id), Deadline(60))
        assert raised.value.cause == "no_node"
        assert [finding.cause for finding in own_models.doctor()] == ["no_node"]
    own_models.delete(model_id)


def test_full_memory_is_found(own_models: ServerModels, own_client: OpenSearch) -> None:
    with changed(own_client, {MEMORY_LIMIT: 1}):
        (finding,) = own_models.doctor()
    assert finding.cause == "memory"
    assert f'"{MEMORY_LIMIT}": 100' in finding.remedy


def test_a_full_heap_is_waited_for_and_explained(
    own_models: ServerModels, own_client: OpenSearch, tmp_path: Path
) -> None:
    with changed(own_client, {HEAP_LIMIT: 1}), pytest.raises(ServerModelError) as raised:
        own_models.deploy(SMALL_MODEL, name="full", archive_folder=tmp_path, timeout=2)
    assert raised.value.cause == "heap"
    assert "Memory Circuit Breaker is open" in raised.value.reason


def test_private_addresses_are_explained(
    own_models: ServerModels, own_client: OpenSearch, service: EncoderService
) -> None:
    with changed(own_client, {PRIVATE_ADDRESSES: False}):
        with pytest.raises(ServerModelError, match="calls no encoder at a private address"):
            own_models.deploy_remote(service.url, name="private")
        assert [finding.cause for finding in own_models.doctor()] == ["private_address"]
        found = own_models.deploy_remote(service.url, name="private", change_settings=True)
        assert found.changed_settings == {PRIVATE_ADDRESSES: True}
        own_client.cluster.put_settings(body={"persistent": {PRIVATE_ADDRESSES: False}})
        own_models.undeploy(found.model_id)
        with pytest.raises(ServerModelError) as raised:
            own_models.predict(found.model_id, ["text"])
        assert raised.value.cause == "private_address"
    own_models.delete(found.model_id)


def test_an_address_becomes_trusted_where_that_is_asked_for(
    own_models: ServerModels, own_client: OpenSearch, service: EncoderService
) -> None:
    kept = "^https://other\\.example\\.org/.*$"
    with changed(own_client, {TRUSTED_ENDPOINTS: [kept]}):
        body = ConnectorTemplate.named("http").body("c", service.url, credential={}, parameters={}, read_timeout=9)
        with pytest.raises(ServerModelError) as said:
            MlRequests(own_client).send("POST", "connectors/_create", body, model="c")
        with pytest.raises(ServerModelError, match="matches no pattern") as raised:
            own_models.deploy_remote(service.url, name="trusted")
        assert (said.value.cause, raised.value.cause) == ("untrusted_endpoint", "untrusted_endpoint")
        found = own_models.deploy_remote(service.url, name="trusted", change_settings=True)
        patterns = _persistent(own_client)[TRUSTED_ENDPOINTS]
        assert patterns[0] == kept
        assert len(patterns) == 2
        own_client.cluster.put_settings(body={"persistent": {TRUSTED_ENDPOINTS: [kept]}})
        assert "untrusted_endpoint" in [finding.cause for finding in own_models.doctor(model_id=found.model_id)]
    own_models.delete(found.model_id)
