"""An encoder service behind a connector: connected once, found again, its failures explained."""

from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import ModelFiles, ServerModelError, ServerModels, load_document_encoder
from opensearch_neural_sparse.server_models.cluster.ml_requests import MlRequests
from opensearch_neural_sparse.server_models.connectors.templates import ConnectorTemplate
from tests.server_models.encoder_service import EncoderService

TEXTS = ["The heart pumps blood.", "hello world"]


def _own(client: Any, name: str) -> dict[str, list[str]]:
    """Return the ids of the models, connectors and groups of a name."""
    requests = MlRequests(client)
    kinds = ("connectors", "model_groups")
    own = {kind: [found for found, _ in requests.search(kind, _term(name), model=name)] for kind in kinds}
    return {**own, "models": [model.model_id for model in requests.named(name)]}


def _term(name: str) -> dict[str, Any]:
    return {"term": {"name.keyword": name}}


def test_a_second_call_changes_nothing(
    models: ServerModels, model_client: Any, service: EncoderService, named: str
) -> None:
    first = models.deploy_remote(service.url, name=named)
    before = _own(model_client, named)
    assert models.deploy_remote(f"{service.url}/", name=named) == first
    assert _own(model_client, named) == before
    assert [len(ids) for ids in before.values()] == [1, 1, 1]
    assert (first.model_id, first.query_model_id) == (before["models"][0], before["models"][0])


def test_the_vectors_are_those_of_the_service(
    models: ServerModels, service: EncoderService, named: str, files: ModelFiles
) -> None:
    found = models.deploy_remote(service.url, name=named)
    for there, here in zip(
        models.predict(found.model_id, TEXTS), load_document_encoder(files.root).encode_documents(TEXTS), strict=True
    ):
        assert there.to_dict() == pytest.approx(here.to_dict(), abs=1e-5)
    assert service.batches[-1] == len(TEXTS)


def test_texts_are_no_templates(models: ServerModels, service: EncoderService, named: str) -> None:
    found = models.deploy_remote(service.url, name=named)
    template, plain = models.predict(found.model_id, ["a ${parameters.input}", "a $ {parameters.input}"])
    assert template == plain


def test_the_fingerprint_of_the_service_is_in_the_description(
    models: ServerModels, service: EncoderService, named: str, files: ModelFiles
) -> None:
    found = models.deploy_remote(service.url, name=named)
    identity = next(model for model in models.list() if model.model_id == found.model_id).identity
    assert identity is not None
    assert (identity.query_sha256, identity.weights_sha256) == (files.query_sha256, files.weights_sha256)


def test_another_model_behind_the_address_is_another_model(
    models: ServerModels, service: EncoderService, named: str
) -> None:
    first = models.deploy_remote(service.url, name=named)
    service.info["weights_sha256"] = "0" * 64
    assert models.deploy_remote(service.url, name=named).model_id != first.model_id


def test_a_model_that_the_service_does_not_encode_with_is_refused(
    models: ServerModels, service: EncoderService, named: str, files: ModelFiles
) -> None:
    service.info["weights_sha256"] = "0" * 64
    with pytest.raises(ServerModelError, match="with other files than those of 'small-en'") as raised:
        models.deploy_remote(service.url, name=named, model=files)
    assert raised.value.cause == "other_model"


def test_a_service_out_of_reach_needs_its_model_named(models: ServerModels, named: str) -> None:
    with pytest.raises(ServerModelError, match="not known which model encodes there") as raised:
        models.deploy_remote("http://127.0.0.1:1", name=named)
    assert "Name it: model='...'." in str(raised.value)


def test_a_new_token_and_a_new_timeout_are_taken(
    models: ServerModels, model_client: Any, service: EncoderService, named: str
) -> None:
    service.token = "first"
    first = models.deploy_remote(service.url, name=named, api_key="first")
    service.token = "second"
    second = models.deploy_remote(service.url, name=named, api_key="second", read_timeout=20)
    assert second == first
    (connector,) = _own(model_client, named)["connectors"]
    found = MlRequests(model_client).send("GET", f"connectors/{connector}", model=named)
    assert found["client_config"]["read_timeout"] == 20


def test_a_wrong_token_is_refused_before_anything_is_made(
    models: ServerModels, model_client: Any, service: EncoderService, named: str
) -> None:
    service.token = "right"
    with pytest.raises(ServerModelError, match="refuses the connector's login") as raised:
        models.deploy_remote(service.url, name=named, api_key="wrong")
    assert "wrong" not in str(raised.value)
    assert not any(_own(model_client, named).values())


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ((500, '{"error": "x"}'), "encoder_error"),
        ((429, '{"error": "x"}'), "encoder_error"),
        ((401, '{"error": {"type": "unauthorized", "reason": "no token"}}'), "encoder_login"),
        ((200, "<html>"), "encoder_not_json"),
        ((200, '{"a": 1}'), "encoder_not_vectors"),
        ((200, "[1, 2]"), "encoder_not_vectors"),
    ],
)
def test_a_failing_service_is_explained(
    models: ServerModels, service: EncoderService, named: str, answer: tuple[int, str], cause: str
) -> None:
    found = models.deploy_remote(service.url, name=named)
    service.answer = answer
    with pytest.raises(ServerModelError) as raised:
        models.predict(found.model_id, TEXTS)
    assert raised.value.cause == cause
    assert [finding.cause for finding in models.doctor(model_id=found.model_id)] == [cause]


def test_too_few_vectors_are_refused(models: ServerModels, service: EncoderService, named: str) -> None:
    service.fewer = 1
    with pytest.raises(ServerModelError, match="gives 1 vectors for 2 texts") as raised:
        models.deploy_remote(service.url, name=named)
    assert raised.value.cause == "encoder_too_few"


def test_a_service_that_is_down_is_explained(models: ServerModels, named: str, files: ModelFiles) -> None:
    with pytest.raises(ServerModelError, match="cannot reach the encoder") as raised:
        models.deploy_remote("http://127.0.0.1:1", name=named, model=files)
    assert raised.value.cause == "encoder_unreachable"


def test_an_address_that_is_not_trusted_needs_a_setting(
    models: ServerModels, model_client: Any, named: str, files: ModelFiles
) -> None:
    with pytest.raises(ServerModelError, match=r"matches no pattern.*PUT /_cluster/settings") as raised:
        models.deploy_remote("http://192.0.2.7:8080", template="http", name=named, model=files)
    assert raised.value.cause == "untrusted_endpoint"
    assert '"^http://192\\\\.0\\\\.2\\\\.7:8080(/.*)?$"' in str(raised.value)
    assert not any(_own(model_client, named).values())


def test_the_server_itself_names_an_address_that_it_does_not_trust(model_client: Any, named: str) -> None:
    body = ConnectorTemplate.named("http").body(
        named, "http://192.0.2.7:8080", credential={}, parameters={}, read_timeout=30
    )
    with pytest.raises(ServerModelError) as raised:
        MlRequests(model_client).send("POST", "connectors/_create", body, model=named)
    assert raised.value.cause == "untrusted_endpoint"


def test_deleting_takes_connector_and_group_along(
    models: ServerModels, model_client: Any, service: EncoderService, named: str
) -> None:
    found = models.deploy_remote(service.url, name=named)
    models.delete(found.model_id)
    assert not any(_own(model_client, named).values())


def test_a_connector_that_another_model_has_stays(
    models: ServerModels, model_client: Any, service: EncoderService, named: str
) -> None:
    first = models.deploy_remote(service.url, name=named)
    service.info["weights_sha256"] = "0" * 64
    models.deploy_remote(service.url, name=named)
    models.delete(first.model_id)
    assert [len(ids) for ids in _own(model_client, named).values()] == [1, 1, 1]


def test_a_model_that_a_pipeline_names_is_deleted_by_force_alone(
    models: ServerModels, model_client: Any, service: EncoderService, named: str
) -> None:
    found = models.deploy_remote(service.url, name=named)
    processor = {"sparse_encoding": {"model_id": found.model_id, "field_map": {"text": "vector"}}}
    model_client.ingest.put_pipeline(id=named, body={"processors": [processor]})
    try:
        with pytest.raises(ServerModelError, match=f"named by ingest pipeline '{named}'") as raised:
            models.delete(found.model_id)
        assert raised.value.cause == "in_use"
        models.delete(found.model_id, force=True)
    finally:
        model_client.ingest.delete_pipeline(id=named)
    assert not any(_own(model_client, named).values())


def test_a_model_that_was_undeployed_answers_again(models: ServerModels, service: EncoderService, named: str) -> None:
    found = models.deploy_remote(service.url, name=named)
    models.undeploy(found.model_id)
    assert len(models.predict(found.model_id, TEXTS)) == len(TEXTS)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("nowhere", {}, "template is one of 'opensearch-neural-sparse', 'http', 'sagemaker', 'sagemaker-role'"),
        ("sagemaker", {"parameters": {"region": "eu-west-1"}}, "credential has the keys access_key, secret_key"),
        ("sagemaker-role", {"credential": {"roleArn": "a"}}, "parameters of this template are service_name, region"),
        ("http", {"credential": {"key": "a"}}, "credential has the keys api_key, got key"),
    ],
)
def test_templates_say_what_they_need(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConnectorTemplate.named(name).body(
            "name", "http://localhost", **{"credential": {}, "parameters": {}, "read_timeout": 30, **given}
        )


def test_a_sagemaker_connector_is_that_of_the_blueprint() -> None:
    body = ConnectorTemplate.named("sagemaker").body(
        "name",
        "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/sparse/invocations",
        credential={"access_key": "a", "secret_key": "b"},
        parameters={"region": "eu-west-1"},
        read_timeout=30,
    )
    assert body["protocol"] == "aws_sigv4"
    assert body["parameters"] == {"service_name": "sagemaker", "region": "eu-west-1"}
    assert body["actions"][0]["request_body"] == "${parameters.input}"
