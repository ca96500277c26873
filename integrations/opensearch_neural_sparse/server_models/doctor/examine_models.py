"""Checks of a cluster's settings and of models in it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.server_models.cluster.local_models import CHECK_TEXTS
from opensearch_neural_sparse.server_models.cluster.ml_requests import MlRequests, failure_of
from opensearch_neural_sparse.server_models.cluster.settings import CAUSE_OF, ClusterSettings
from opensearch_neural_sparse.server_models.doctor.finding import Finding, Severity, finding_of, finding_of_error
from opensearch_neural_sparse.server_models.reasons import PRIVATE_ADDRESSES, explain, settings_request
from opensearch_neural_sparse.server_models.registered_model import RegisteredModel
from opensearch_neural_sparse.transport.errors import translated_errors

_WITH_A_TIMEOUT = (3, 0, 0)
_ENDED = ("FAILED", "COMPLETED")
"""States of a task that has ended; the others are those of one under way."""
_UNTIL_SEARCHABLE = 1.5
"""Seconds after which a search sees what was written: the index of tasks is refreshed every second."""


def examine_settings(settings: ClusterSettings) -> Iterator[Finding]:
    """Yield what the cluster's settings and the state of its nodes forbid.

    Args:
        settings: The settings.
    """
    if settings.missing_to_run():
        yield finding_of("no_node", "cluster")
    if settings.missing_to_register():
        yield finding_of("url_registration", "cluster", severity=Severity.WARN)
    if PRIVATE_ADDRESSES in settings.missing_to_call("http://127.0.0.1"):
        yield finding_of("private_address", "cluster", severity=Severity.WARN)
    for node in settings.full_nodes():
        yield finding_of("memory", f"node {node}")


def examine_model(requests: MlRequests, model_id: str, settings: ClusterSettings) -> Iterator[Finding]:
    """Yield the problems of a model: it does not answer, or its connector may fail.

    Args:
        requests: Requests to the server.
        model_id: The server's id of the model.
        settings: Settings of the cluster.
    """
    try:
        model = requests.model(model_id)
    except ServerModelError as error:
        yield finding_of_error(error, f"model {model_id}")
        return
    subject = f"model {model.name}"
    try:
        requests.predict(model, CHECK_TEXTS)
    except ServerModelError as error:
        yield finding_of_error(error, subject)
        if error.cause == "not_deployed":
            yield from _last_failure(requests, model)
    if model.connector_id is not None:
        yield from _examine_connector(requests, model, settings)


def _last_failure(requests: MlRequests, model: RegisteredModel) -> Iterator[Finding]:
    """Yield why the last deployment of a model failed, if it did."""
    tasks = _deployments(requests, model)
    if not tasks or tasks[0].get("state") not in _ENDED:
        time.sleep(_UNTIL_SEARCHABLE)
        tasks = _deployments(requests, model)
    for task in (task for task in tasks if task.get("state") in _ENDED):
        if task["state"] == "COMPLETED":
            return
        error = explain(model.name, failure_of(task))
        if error.cause != "being_deployed":
            yield finding_of_error(error, f"model {model.name}")
            return


def _deployments(requests: MlRequests, model: RegisteredModel) -> list[Mapping[str, Any]]:
    """Return the tasks that deployed a model, the newest first, as a search sees them: up to a second ago."""
    query = {"bool": {"filter": [{"term": {"model_id": model.model_id}}, {"term": {"task_type": "DEPLOY_MODEL"}}]}}
    tasks = [task for _, task in requests.search("tasks", query, model=model.name)]
    return sorted(tasks, key=lambda task: int(task.get("create_time", 0)), reverse=True)


def _examine_connector(requests: MlRequests, model: RegisteredModel, settings: ClusterSettings) -> Iterator[Finding]:
    connector = requests.send("GET", f"connectors/{model.connector_id}", model=model.name)
    subject = f"connector {connector.get('name')}"
    for setting, value in settings.missing_to_call(connector["actions"][0]["url"]).items():
        found = finding_of(CAUSE_OF[setting], subject)
        remedy = f"Send {settings_request({setting: value})}."
        yield Finding(cause=found.cause, subject=subject, problem=found.problem, remedy=remedy)
    if (connector.get("client_config") or {}).get("read_timeout") is None and not _has_default_timeout(requests):
        yield Finding(
            cause="no_read_timeout",
            subject=subject,
            problem="it has no read_timeout, and this version of the server waits 30000 seconds for an encoder",
            remedy="Set client_config.read_timeout, in seconds; deploy_remote() does.",
            severity=Severity.WARN,
        )


def _has_default_timeout(requests: MlRequests) -> bool:
    with translated_errors(requests.client, "*"):
        return ServerInfo.from_responses(requests.client.info()).at_least(_WITH_A_TIMEOUT)
