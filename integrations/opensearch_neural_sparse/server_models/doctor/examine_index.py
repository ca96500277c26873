"""Checks of an index that the server encodes documents or queries of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding, read_bindings
from opensearch_neural_sparse.index.binding.probe import PROBE, probe_difference
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.index.mapping import flat_settings
from opensearch_neural_sparse.server_models.cluster.ml_requests import MlRequests
from opensearch_neural_sparse.server_models.cluster.settings import ClusterSettings
from opensearch_neural_sparse.server_models.doctor.examine_models import examine_model
from opensearch_neural_sparse.server_models.doctor.finding import Finding, finding_of
from opensearch_neural_sparse.transport.errors import translated_errors

_NONE = "_none"
_PIPELINE_SETTINGS = ("index.default_pipeline", "index.final_pipeline")


def examine_index(requests: MlRequests, index: str, settings: ClusterSettings) -> Iterator[Finding]:
    """Yield the problems of the indices behind a name: of their pipelines, models and stamps.

    Args:
        requests: Requests to the server.
        index: Name of an index or alias.
        settings: Settings of the cluster.

    Raises:
        IndexNotFoundError: There is no such index.
    """
    with translated_errors(requests.client, index):
        bodies = requests.client.indices.get(index=index)
    for name, body in bodies.items():
        bindings = read_bindings(body["mappings"])
        encodings = [binding.server for binding in bindings.values() if binding.server is not None]
        for pipeline in _pipelines(flat_settings(body["settings"]), encodings):
            yield from _examine_pipeline(requests, name, pipeline)
        for model_id in _model_ids(encodings):
            yield from examine_model(requests, model_id, settings)
        for binding in bindings.values():
            yield from _examine_stamp(requests, name, binding)


def _pipelines(settings: Mapping[str, Any], encodings: list[ServerEncoding]) -> list[str]:
    named = [settings.get(setting) for setting in _PIPELINE_SETTINGS]
    named += [encoding.pipeline for encoding in encodings]
    return [*dict.fromkeys(name for name in named if name and name != _NONE)]


def _model_ids(encodings: list[ServerEncoding]) -> list[str]:
    ids = [model_id for encoding in encodings for model_id in (encoding.model_id, encoding.query_model_id)]
    return [*dict.fromkeys(model_id for model_id in ids if model_id)]


def _examine_pipeline(requests: MlRequests, index: str, pipeline: str) -> Iterator[Finding]:
    with translated_errors(requests.client, index):
        found = requests.client.ingest.get_pipeline(id=pipeline, params={"ignore": 404})
    if pipeline not in found:
        yield finding_of("no_pipeline", f"index {index}, pipeline {pipeline}")
        return
    for model_id in dict.fromkeys(_models_in(found[pipeline])):
        try:
            requests.model(model_id)
        except ServerModelError as error:
            yield Finding(
                cause="pipeline_model",
                subject=f"index {index}, pipeline {pipeline}",
                problem=f"the pipeline names model {model_id!r}, which the server does not have",
                remedy="Deploy the model, and make the pipeline again with its id.",
                reason=error.reason,
            )


def _models_in(body: Any) -> Iterator[str]:
    """Yield the ids of models that a pipeline names, at whatever depth."""
    if isinstance(body, Mapping):
        for key, value in body.items():
            if key == "model_id" and isinstance(value, str):
                yield value
            else:
                yield from _models_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from _models_in(value)


def _examine_stamp(requests: MlRequests, index: str, binding: ModelBinding) -> Iterator[Finding]:
    """Yield that another model is behind the id that an index was made with."""
    encoding = binding.server
    if encoding is None:
        return
    try:
        difference = _difference(requests, binding, encoding)
    except ServerModelError:  # examine_model has found it
        return
    if difference is not None:
        yield Finding(
            cause="other_model",
            subject=f"index {index}",
            problem=f"model {encoding.model_id!r} is not the one that the index was made with: {difference}",
            remedy=f"Run {binding.model!r} there again, or encode the index again into a new one.",
        )


def _difference(requests: MlRequests, binding: ModelBinding, encoding: ServerEncoding) -> str | None:
    model = requests.model(encoding.model_id)
    identity = model.identity
    if identity is not None and (identity.query_sha256, identity.weights_sha256) != binding.identity:
        return f"it is registered as {identity.model!r} with other files"
    if encoding.content_sha256 is not None and model.content_sha256 != encoding.content_sha256:
        return "its archive has another checksum"
    if encoding.probe is None:
        return None
    return probe_difference(encoding.probe, requests.predict(model, [PROBE])[0])
