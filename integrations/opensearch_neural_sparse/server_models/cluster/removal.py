"""Removal of models from a server, and of what nothing uses without them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests
from opensearch_neural_sparse.server_models.registered_model import RegisteredModel
from opensearch_neural_sparse.transport.errors import translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

_STILL_THERE = ("in_use", "no_model")
_MOST_NAMED = 5


def users_of(client: OpenSearch, model_id: str) -> list[str]:
    """Return what names a model: ingest pipelines, search pipelines, indices.

    Args:
        client: A client.
        model_id: The server's id of the model.
    """
    with translated_errors(client, "*"):
        groups: dict[str, Mapping[str, Any]] = {
            "ingest pipeline": client.ingest.get_pipeline(params={"ignore": 404}),
            "search pipeline": client.transport.perform_request("GET", "/_search/pipeline", params={"ignore": 404}),
            "index": client.indices.get_mapping(index="*", params={"expand_wildcards": "all"}),
        }
    quoted = json.dumps(model_id)
    return [
        f"{kind} {name!r}"
        for kind, found in groups.items()
        for name, body in found.items()
        if quoted in json.dumps(body)
    ]


def undeploy(requests: MlRequests, model: RegisteredModel) -> None:
    """Undeploy a model; a model that is not deployed stays as it is."""
    requests.send("POST", f"models/{model.model_id}/_undeploy", model=model.name)


def delete(requests: MlRequests, model: RegisteredModel, deadline: Deadline, *, force: bool) -> None:
    """Delete a model, and its connector and group where nothing else uses them.

    Args:
        requests: Requests to the server.
        model: The model.
        deadline: Until when it may take: each call to a model behind a connector deploys it again.
        force: Whether it is deleted though pipelines or indices name it.

    Raises:
        ServerModelError: Something names it, or the time is over.
    """
    users = [] if force else users_of(requests.client, model.model_id)
    if users:
        more = f" and {len(users) - _MOST_NAMED} more" if len(users) > _MOST_NAMED else ""
        problem = f"it is named by {', '.join(users[:_MOST_NAMED])}{more}, which would fail without it"
        raise ServerModelError(model.name, problem, remedy="Delete these first, or give force=True.", cause="in_use")
    while not _deleted(requests, model):
        deadline.pause(model.name, "deletion")
    for path in _left_over(requests, model):
        try:
            requests.send("DELETE", path, model=model.name)
        except ServerModelError as error:
            if error.cause not in _STILL_THERE and "not found" not in error.reason.lower():
                raise


def _deleted(requests: MlRequests, model: RegisteredModel) -> bool:
    undeploy(requests, model)
    try:
        requests.send("DELETE", f"models/{model.model_id}", model=model.name)
    except ServerModelError as error:
        if error.cause != "in_use":
            raise
        return False
    return True


def _left_over(requests: MlRequests, model: RegisteredModel) -> Iterator[str]:
    """Yield the paths of the connector and the group of a model that was deleted, where no other model has them."""
    own = {
        "connectors": ("connector_id__keyword", model.connector_id),
        "model_groups": ("model_group_id", model.group_id),
    }
    for path, (term, value) in own.items():
        if value is None:
            continue
        others = [other for other in requests.models(**{term: value}) if other.model_id != model.model_id]
        if not others:
            yield f"{path}/{value}"
