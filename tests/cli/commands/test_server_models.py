from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import DeployedModel, get_model, resolve_files
from tests.cli.conftest import MODEL, Run
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL
from tests.server_models.encoder_service import encoder_service
from tests.server_models.own_names import own_name


@pytest.fixture
def ml(run: Run, model_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run commands against the server that runs models."""
    monkeypatch.setenv("OPENSEARCH_URL", model_server.url)
    return run


def test_a_deployed_model_is_found_listed_and_tried(ml: Run, deployed: DeployedModel) -> None:
    found = ml("server-model", "deploy", MODEL, "--json")
    assert (found.status, found.err) == (0, "")
    assert found.json == {
        "name": deployed.name,
        "model_id": deployed.model_id,
        "query_model_id": deployed.query_model_id,
        "changed_settings": {},
    }
    assert deployed.model_id in ml("server-model", "deploy", MODEL).out
    listed = ml("server-model", "list", "--json").json["models"]
    assert {deployed.model_id, deployed.query_model_id} <= {model["model_id"] for model in listed}
    assert f"{deployed.model_id}  small-en" in ml("server-model", "list").out
    tried = ml("server-model", "predict", deployed.query_model_id, "hello world", "--json").json
    assert set(tried["vectors"][0]) == {"hello", "world"}
    assert "hello" in ml("server-model", "predict", deployed.query_model_id, "hello world", "--top", "1").out


def test_a_service_is_connected_examined_and_removed(
    ml: Run, model_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = resolve_files(get_model(SMALL_MODEL))
    with own_name(model_client) as named, encoder_service(files) as service:
        service.token = "a-token"
        refused = ml("server-model", "deploy-remote", service.url, "--name", named)
        assert (refused.status, refused.out, len(refused.err.splitlines())) == (1, "", 1)
        assert "refuses the connector's login" in refused.err
        monkeypatch.setenv("ENCODER_API_KEY", "a-token")
        made = ml("server-model", "deploy-remote", service.url, "--name", named, "--json")
        assert (made.status, made.err) == (0, "")
        model_id = made.json["model_id"]
        well = ml("server-model", "doctor", "--model-id", model_id, "--json")
        assert (well.status, well.json) == (0, {"ok": True, "findings": []})
        service.answer = (200, "<html>")
        ill = ml("server-model", "doctor", "--model-id", model_id)
        assert ill.status == 1
        assert "the encoder's answer is no JSON" in ill.out
        assert "-> Check the address" in ill.out
        assert ml("server-model", "undeploy", model_id, "--json").json == {"model_id": model_id, "undeployed": True}
        assert ml("server-model", "delete", model_id).out == f"Deleted {model_id}.\n"


@pytest.mark.newest_server
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--template", "nowhere"), "template is one of 'opensearch-neural-sparse'"),
        (("--credential", "access_key"), "It is given as KEY=VALUE."),
        (("--credential", "access_key=NOT_SET_ANYWHERE"), "The environment has no NOT_SET_ANYWHERE."),
    ],
)
def test_a_wrong_option_is_one_line(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run("server-model", "deploy-remote", "http://localhost:1", *arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err


@pytest.mark.newest_server
def test_a_server_without_the_plugin_is_explained(cli: Run) -> None:
    done = cli("server-model", "list")
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert done.err.startswith("Error: Models in the server: the server lacks the plugin opensearch-ml")
    found = cli("server-model", "doctor", "--json")
    assert (found.status, [finding["cause"] for finding in found.json["findings"]]) == (1, ["no_plugin"])
