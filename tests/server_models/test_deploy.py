"""A model of ours in the nodes of a cluster: deployed once, continued after an interruption, equal to ours here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    DeployedModel,
    ServerModelError,
    ServerModels,
    get_model,
    load_document_encoder,
    load_query_encoder,
    resolve_files,
)
from opensearch_neural_sparse.server_models.archive import ModelArchive, write_tokenizer_archive
from opensearch_neural_sparse.server_models.cluster.archive_source import offered
from opensearch_neural_sparse.server_models.cluster.local_models import ModelPart, parts_of
from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests, patiently
from tests.paths import SMALL_MODEL
from tests.server_models.deployment import request

TEXTS = ["The heart pumps blood.", "hello world", "Größe 東京 🙂 [SEP]", "stone " * 700]


def _versions(client: Any) -> dict[str, int]:
    """Return the version of each model, which every change of it raises."""
    body = {"query": {"bool": {"must_not": {"exists": {"field": "chunk_number"}}}}, "size": 1000, "version": True}
    hits = request(client, "POST", "models/_search", body)["hits"]["hits"]
    return {hit["_id"]: hit["_version"] for hit in hits if hit["_source"]["name"].startswith("small-en")}


def test_a_second_deployment_changes_nothing(deployed: DeployedModel, models: ServerModels, model_client: Any) -> None:
    before = _versions(model_client)
    again = models.deploy(SMALL_MODEL)
    assert again == deployed
    assert again.changed_settings == {}
    assert _versions(model_client) == before
    assert len(before) >= 2


def test_documents_and_queries_are_encoded_as_here(deployed: DeployedModel, models: ServerModels) -> None:
    document, query = load_document_encoder(SMALL_MODEL), load_query_encoder(SMALL_MODEL)
    there = models.predict(deployed.model_id, TEXTS)
    here = document.encode_documents(TEXTS)
    assert [vector.keys() for vector in there] == [vector.keys() for vector in here]
    for one, other in zip(there, here, strict=True):
        assert one.to_dict() == pytest.approx(other.to_dict(), abs=1e-5)
    for text, vector in zip(TEXTS, models.predict(deployed.query_model_id, TEXTS), strict=True):
        assert vector.to_dict() == pytest.approx(query.encode_query(text).to_dict(), abs=1e-5)


def test_models_are_listed_with_the_identity_of_their_files(deployed: DeployedModel, models: ServerModels) -> None:
    listed = {model.model_id: model for model in models.list()}
    files = resolve_files(get_model(SMALL_MODEL))
    identity = listed[deployed.model_id].identity
    assert identity is not None
    assert (identity.query_sha256, identity.weights_sha256) == (files.query_sha256, files.weights_sha256)
    assert listed[deployed.query_model_id].function == "SPARSE_TOKENIZE"


def _tokenizer_part(name: str, folder: Path) -> tuple[ModelPart, ModelArchive]:
    files = resolve_files(get_model(SMALL_MODEL))
    *_, part = parts_of(files, name, "auto", folder)  # type: ignore[arg-type]
    return part, write_tokenizer_archive(files, folder)


def _register(client: Any, part: ModelPart, archive: ModelArchive, **body: Any) -> str:
    """Register as `deploy` does, and do not deploy; return the id."""
    given = {
        "name": part.name,
        "version": "1.0.0",
        "description": part.identity.describe(),
        "model_format": "TORCH_SCRIPT",
        "function_name": archive.function_name,
        "model_content_hash_value": archive.sha256,
        "url": archive.path.absolute().as_uri(),
    }
    requests, deadline = MlRequests(client), Deadline(180)

    def register() -> str:
        task = requests.send("POST", "models/_register", {**given, **body}, model=part.name)["task_id"]
        return str(requests.wait(task, deadline, model=part.name, wait_for="registration")["model_id"])

    return patiently(register, deadline)


def _deploy_part(client: Any, part: ModelPart) -> str:
    from opensearch_neural_sparse.server_models.cluster.local_models import DeployOptions, LocalModels

    return LocalModels(MlRequests(client), DeployOptions(), Deadline(180)).deploy(part)


@pytest.mark.parametrize("described", [True, False], ids=["by identity", "by checksum"])
def test_a_registration_without_deployment_is_continued(
    described: bool, named: str, model_client: Any, tmp_path: Path
) -> None:
    part, archive = _tokenizer_part(named, tmp_path)
    registered = _register(model_client, part, archive, **({} if described else {"description": "by hand"}))
    requests = MlRequests(model_client)
    assert requests.model(registered).state == "REGISTERED"
    assert _deploy_part(model_client, part) == registered
    assert len(requests.models(name__keyword=part.name)) == 1


def test_a_registration_under_way_is_waited_for(named: str, model_client: Any, tmp_path: Path) -> None:
    part, archive = _tokenizer_part(named, tmp_path)
    requests = MlRequests(model_client)
    body = {
        "name": part.name,
        "version": "1.0.0",
        "description": part.identity.describe(),
        "model_format": "TORCH_SCRIPT",
        "function_name": archive.function_name,
        "model_content_hash_value": archive.sha256,
        "url": archive.path.absolute().as_uri(),
    }
    deadline = Deadline(180)
    task = ""
    while not requests.named(part.name):
        task = task or requests.send("POST", "models/_register", body, model=named)["task_id"]
        deadline.pause(named, "registration")
    deployed = _deploy_part(model_client, part)
    assert request(model_client, "GET", f"tasks/{task}")["model_id"] == deployed
    assert [model.model_id for model in requests.named(part.name)] == [deployed]


def test_deleting_takes_the_group_along(named: str, models: ServerModels, model_client: Any, tmp_path: Path) -> None:
    part, _ = _tokenizer_part(named, tmp_path)
    models.delete(_deploy_part(model_client, part))
    requests = MlRequests(model_client)
    assert requests.search("model_groups", {"term": {"name.keyword": part.name}}, model=named) == []
    with pytest.raises(ServerModelError, match="the server has no such model"):
        models.delete("nowhere")


def test_a_wrong_checksum_is_explained(named: str, model_client: Any, tmp_path: Path) -> None:
    part, archive = _tokenizer_part(named, tmp_path)
    with pytest.raises(ServerModelError, match="has another checksum than the given one") as raised:
        _register(model_client, part, archive, model_content_hash_value="0" * 64)
    assert (raised.value.cause, raised.value.reason) == ("content_changed", "model content changed")


def test_an_archive_is_served_to_the_nodes(named: str, model_client: Any, models: ServerModels, tmp_path: Path) -> None:
    part, archive = _tokenizer_part(named, tmp_path)
    with offered(archive.path, model_client, model=named, serve_from="127.0.0.1", archive_url=None) as url:
        registered = _register(model_client, part, archive, url=url)
    assert MlRequests(model_client).model(registered).content_sha256 == archive.sha256


def test_an_archive_out_of_reach_is_explained(named: str, models: ServerModels, tmp_path: Path) -> None:
    with pytest.raises(ServerModelError, match="a node cannot read the archive") as raised:
        models.deploy(SMALL_MODEL, name=named, archive_url="file:///nowhere", archive_folder=tmp_path)
    assert raised.value.cause == "unreadable_archive"
    assert "serve_from" in str(raised.value)


def test_an_unknown_model_is_explained(models: ServerModels) -> None:
    with pytest.raises(ServerModelError, match="the server has no such model") as raised:
        models.predict("nowhere", ["text"])
    assert raised.value.cause == "no_model"


def test_a_name_of_a_machine_needs_an_address_to_serve_from(tmp_path: Path) -> None:
    from opensearchpy import OpenSearch

    with (
        OpenSearch("http://search.example.org:9200") as client,
        pytest.raises(ServerModelError, match="another machine, which cannot read") as raised,
        offered(tmp_path / "model.zip", client, model="small-en", serve_from=None, archive_url=None),
    ):
        pass
    assert "Give serve_from" in str(raised.value)


@pytest.mark.newest_server
def test_a_server_without_the_plugin_is_explained(client: Any) -> None:
    with pytest.raises(ServerModelError, match="lacks the plugin opensearch-ml") as raised:
        ServerModels(client).deploy(SMALL_MODEL)
    assert raised.value.cause == "no_plugin"


def test_models_that_opensearch_does_not_publish_are_refused() -> None:
    with (
        ServerModels(url="http://localhost:1") as models,
        pytest.raises(ValueError, match=r"OpenSearch publishes no model 'small-en'.*doc-v3-distill"),
    ):
        models.deploy_pretrained(get_model(SMALL_MODEL))
