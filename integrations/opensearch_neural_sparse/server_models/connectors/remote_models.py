"""Models behind a connector: group, connector and model, each made once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.server_models.cluster.local_models import answers, make_ready
from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests
from opensearch_neural_sparse.server_models.identity import ModelIdentity
from opensearch_neural_sparse.server_models.registered_model import RegisteredModel
from opensearch_neural_sparse.transport.errors import translated_errors

_MODEL_CONFIG = {"model_type": "SPARSE_ENCODING", "framework_type": "SENTENCE_TRANSFORMERS", "all_config": "{}"}
"""Configuration that a semantic field wants of a model from 3.0 on; before, the server refuses it."""
_SINCE = (3, 0, 0)
_COMPARED = ("url", "headers", "request_body", "pre_process_function")


@dataclass(frozen=True, kw_only=True)
class RemoteModel:
    """An encoder elsewhere, as it is deployed.

    Attributes:
        name: Name of the model, its group and its connector.
        identity: Of the encoder's model.
        connector: Body of the request that creates the connector.
    """

    name: str
    identity: ModelIdentity
    connector: Mapping[str, Any]


class RemoteModels:
    """Registers and deploys models behind connectors.

    Args:
        requests: Requests to the server.
        deadline: Until when it may take.
    """

    def __init__(self, requests: MlRequests, deadline: Deadline) -> None:
        self._requests, self._deadline = requests, deadline

    def deploy(self, remote: RemoteModel) -> str:
        """Return the server's id of a model that answers; what is there already is used.

        Args:
            remote: What is deployed.

        Raises:
            ServerModelError: It cannot be registered, or its encoder does not answer with vectors.
        """
        group = self._group(remote.name)
        connector, is_new = self._connector(remote)
        model = self._find(remote, connector) or self._register(remote, connector, group)
        try:
            self._ready(model)
        except ServerModelError as error:
            if is_new or error.cause != "encoder_login":
                raise
            self._change(remote, connector, model)  # a connector that is there may hold an older secret
            self._ready(model)
        return model.model_id

    def _ready(self, model: RegisteredModel) -> None:
        if not answers(self._requests, model, self._deadline):
            make_ready(self._requests, model, self._deadline)

    def _group(self, name: str) -> str:
        found = self._requests.search("model_groups", {"term": {"name.keyword": name}}, model=name)
        if found:
            return found[0][0]
        body = {"name": name, "description": "Models of opensearch-neural-sparse behind connectors"}
        return str(self._requests.send("POST", "model_groups/_register", body, model=name)["model_group_id"])

    def _connector(self, remote: RemoteModel) -> tuple[str, bool]:
        """Return the id of the connector, and whether it was made now."""
        url = remote.connector["actions"][0]["url"]
        for connector_id, _ in self._requests.search(
            "connectors", {"term": {"name.keyword": remote.name}}, model=remote.name
        ):
            found = self._requests.send("GET", f"connectors/{connector_id}", model=remote.name)
            if found["actions"][0].get("url") != url:
                continue
            if differs(found, remote.connector):
                self._change(remote, connector_id, None)
            return connector_id, False
        created = self._requests.send("POST", "connectors/_create", remote.connector, model=remote.name)
        return str(created["connector_id"]), True

    def _change(self, remote: RemoteModel, connector: str, model: RegisteredModel | None) -> None:
        """Change a connector; its models are undeployed for it, and deployed by the next call."""
        used = [model] if model else self._requests.models(model=remote.name, connector_id__keyword=connector)
        for each in used:
            self._requests.send("POST", f"models/{each.model_id}/_undeploy", model=remote.name)
        changed = {key: remote.connector[key] for key in ("actions", "client_config", "parameters", "credential")}
        self._requests.send("PUT", f"connectors/{connector}", changed, model=remote.name)

    def _find(self, remote: RemoteModel, connector: str) -> RegisteredModel | None:
        """Find the model of this connector and of the same encoder's model."""
        named = self._requests.named(remote.name, connector_id__keyword=connector)
        own = (remote.identity.query_sha256, remote.identity.weights_sha256)
        for model in named:
            found = model.identity
            if found is not None and (found.query_sha256, found.weights_sha256) == own:
                return model
        return None

    def _register(self, remote: RemoteModel, connector: str, group: str) -> RegisteredModel:
        body = {
            "name": remote.name,
            "function_name": "remote",
            "description": remote.identity.describe(),
            "connector_id": connector,
            "model_group_id": group,
        }
        if self._server().at_least(_SINCE):
            body["model_config"] = _MODEL_CONFIG  # type: ignore[assignment]
        task = self._requests.send("POST", "models/_register", body, model=remote.name)["task_id"]
        done = self._requests.wait(task, self._deadline, model=remote.name, wait_for="registration")
        return self._requests.model(done["model_id"])

    def _server(self) -> ServerInfo:
        client = self._requests.client
        with translated_errors(client, "*"):
            return ServerInfo.from_responses(client.info())


def differs(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether a connector of the same address calls its encoder in another way.

    Args:
        found: The connector in the server.
        wanted: Body of the request that creates it.
    """
    there, here = found["actions"][0], wanted["actions"][0]
    timeout = (found.get("client_config") or {}).get("read_timeout")
    return timeout != wanted["client_config"]["read_timeout"] or any(
        there.get(key) != here.get(key) for key in _COMPARED
    )
