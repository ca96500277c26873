"""Problems that `doctor` finds on servers that run models, each provoked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from opensearch_neural_sparse import DeployedModel, NeuralSparseStore, ServerEncoding, ServerModelError, ServerModels
from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests
from opensearch_neural_sparse.server_models.connectors.templates import ConnectorTemplate
from opensearch_neural_sparse.server_models.doctor import examine_models
from opensearch_neural_sparse.server_models.reasons import explain
from opensearch_neural_sparse.server_models.registered_model import ENCODING, RegisteredModel
from tests.paths import SMALL_MODEL
from tests.server_models.encoder_service import EncoderService

SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}


def _causes(models: ServerModels, **asked: str) -> list[str]:
    return [finding.cause for finding in models.doctor(**asked)]


@pytest.fixture
def remote_index(
    models: ServerModels, model_client: Any, model_index: str, service: EncoderService, named: str
) -> Iterator[str]:
    """An index that a model behind a connector encodes."""
    found = models.deploy_remote(service.url, name=named)
    encoding = ServerEncoding(model_id=found.model_id)
    with NeuralSparseStore(model_index, client=model_client, model=SMALL_MODEL, server_encoding=encoding) as store:
        store.create(settings=SETTINGS)
        yield model_index
        store.delete_index()


def test_nothing_is_found_where_all_is_well(models: ServerModels, deployed: DeployedModel, remote_index: str) -> None:
    assert models.doctor() == []
    assert models.doctor(index=remote_index) == []
    assert models.doctor(model_id=deployed.query_model_id) == []


def test_a_model_that_an_index_names_is_not_deleted(models: ServerModels, named: str, remote_index: str) -> None:
    (model,) = [model for model in models.list() if model.name == named]
    with pytest.raises(ServerModelError, match=f"index '{remote_index}'"):
        models.delete(model.model_id)


def test_another_model_behind_the_address_is_found(
    models: ServerModels, service: EncoderService, remote_index: str
) -> None:
    service.scale = 2.0
    (finding,) = models.doctor(index=remote_index)
    assert finding.cause == "other_model"
    assert "its probe gives" in finding.problem


def test_a_missing_pipeline_is_found(models: ServerModels, model_client: Any, remote_index: str) -> None:
    settings = model_client.indices.get_settings(index=remote_index)[remote_index]["settings"]["index"]
    model_client.ingest.delete_pipeline(id=settings["default_pipeline"])
    assert _causes(models, index=remote_index) == ["no_pipeline"]


def test_a_pipeline_of_a_missing_model_is_found(models: ServerModels, model_client: Any, model_index: str) -> None:
    processor = {"sparse_encoding": {"model_id": "nowhere", "field_map": {"text": "vector"}}}
    model_client.ingest.put_pipeline(id=model_index, body={"processors": [processor]})
    try:
        model_client.indices.create(
            index=model_index, body={"settings": {**SETTINGS, "index.default_pipeline": model_index}}
        )
        (finding,) = models.doctor(index=model_index)
    finally:
        model_client.indices.delete(index=model_index, ignore_unavailable=True)
        model_client.ingest.delete_pipeline(id=model_index)
    assert finding.cause == "pipeline_model"
    assert "'nowhere'" in finding.problem
    assert "Failed to find model" in finding.reason


def test_a_missing_model_is_found(models: ServerModels) -> None:
    (finding,) = models.doctor(model_id="nowhere")
    assert (finding.cause, finding.severity) == ("no_model", "fail")


def test_a_connector_without_a_time_limit_is_found_where_the_server_has_none(
    models: ServerModels, model_client: Any, service: EncoderService, named: str
) -> None:
    requests = MlRequests(model_client)
    template = ConnectorTemplate.named("opensearch-neural-sparse")
    body = template.body(named, f"{service.url}/connector", credential={}, parameters={}, read_timeout=1)
    del body["client_config"]
    connector = requests.send("POST", "connectors/_create", body, model=named)["connector_id"]
    given = {"name": named, "function_name": "remote", "connector_id": connector}
    task = requests.send("POST", "models/_register", given, model=named)["task_id"]
    model_id = requests.wait(task, Deadline(60), model=named, wait_for="registration")["model_id"]
    old = model_client.info()["version"]["number"].startswith("2.")
    assert _causes(models, model_id=model_id) == (["no_read_timeout"] if old else [])


@pytest.mark.newest_server
def test_a_server_without_the_plugin_is_found(client: Any) -> None:
    (finding,) = ServerModels(client).doctor()
    assert (finding.cause, finding.subject) == ("no_plugin", "cluster")


FAILED = {"state": "FAILED", "create_time": 3, "error": {"n1": "Failed to load PyTorch native library"}}
BUSY = {"state": "FAILED", "create_time": 4, "error": {"n1": "Duplicate deploy model task, taskId: t"}}
COMPLETED = {"state": "COMPLETED", "create_time": 2}


@pytest.mark.parametrize(
    ("searches", "expected"),
    [
        pytest.param([[], [FAILED]], ["not_deployed", "libtorch"], id="not yet found"),
        pytest.param([[{**FAILED, "state": "RUNNING"}], [FAILED]], ["not_deployed", "libtorch"], id="found as running"),
        pytest.param([[COMPLETED, FAILED]], ["not_deployed", "libtorch"], id="a success before"),
        pytest.param([[COMPLETED, BUSY, FAILED]], ["not_deployed", "libtorch"], id="an attempt in between"),
        pytest.param([[{**COMPLETED, "create_time": 9}, FAILED]], ["not_deployed"], id="a success afterwards"),
        pytest.param([[], []], ["not_deployed"], id="never tried"),
    ],
)
def test_the_last_failure_is_found_though_a_search_sees_it_late(
    monkeypatch: pytest.MonkeyPatch, searches: list[list[Mapping[str, Any]]], expected: list[str]
) -> None:
    """No server can be made to refresh its index of tasks late, so its answers are given."""
    answers = iter(searches)
    model = RegisteredModel.read("m", {"name": "small-en", "algorithm": ENCODING, "model_state": "DEPLOY_FAILED"})

    class Requests(MlRequests):
        def model(self, model_id: str) -> RegisteredModel:
            return model

        def predict(self, *_: Any, **__: Any) -> Any:
            raise explain("small-en", "Model not ready yet. Please run this first: POST .../_deploy")

        def search(self, kind: str, query: Mapping[str, Any], *, model: str) -> list[tuple[str, Mapping[str, Any]]]:
            return [("task", task) for task in next(answers)]

    monkeypatch.setattr(examine_models, "_UNTIL_SEARCHABLE", 0.0)
    settings: Any = None
    found = examine_models.examine_model(Requests(None), "m", settings)  # type: ignore[arg-type]
    assert [finding.cause for finding in found] == expected
    assert list(answers) == []
