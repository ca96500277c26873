"""The words of servers, as 3.6.0 and 2.19.1 sent them, and the causes that they are of.

Those marked as documented come from the source of ml-commons: no server here could be made to send them.
"""

from __future__ import annotations

import pickle

import pytest

from opensearch_neural_sparse.server_models.reasons import CAUSES, cause_named, explain, find_cause

SENT = [
    ("no_plugin", "no handler found for uri [/_plugins/_ml/models/_search] and method [POST]"),
    ("no_node", "no eligible node found"),
    ("private_address", "Remote inference host name has private ip address: 127.0.0.1"),
    ("untrusted_endpoint", "Connector URL is not matching the trusted connector endpoint regex"),
    ("untrusted_endpoint", "Connector URL is not matching the trusted connector endpoint regex, URL is: http://a/"),
    (
        "url_registration",
        "To upload custom model user needs to enable allow_registering_model_via_url settings.",
    ),
    ("heap", "Memory Circuit Breaker is open, please check your resources!"),
    ("heap_request", "[parent] Data too large, data for [<http_request>] would be [2065510100/1.9gb]"),
    ("libtorch", "publish.djl.ai"),
    ("libtorch", "Exception ai.djl.engine.EngineException: Failed to save pytorch index file"),
    ("content_changed", "model content changed"),
    (
        "no_hash",
        "Model content Hash code need to be provided when register via url. Please calculate sha 256 Hash code.",
    ),
    ("unreadable_archive", "/nowhere/model.zip (No such file or directory)"),
    ("broken_archive", "found multiple models"),
    ("broken_archive", "Invalid input tensor name: input1.input_ids"),
    ("model_config", "class BaseModelConfig cannot be cast to class TextEmbeddingModelConfig"),
    ("model_config", "embedding dimension is null"),
    ("model_config", "Model config is null"),
    ("not_deployed", "Model not ready yet. Please deploy the model first."),
    ("no_model", "Failed to find model with the provided model id: nope"),
    ("no_model", "Failed to find model"),
    ("being_deployed", "Duplicate deploy model task"),
    ("no_credential", "Connector credential is null or empty list"),
    ("in_use", "2 models are still using this connector, please undeploy the models first: [a, b]"),
    ("in_use", "Cannot delete the model group when it has associated model versions"),
    ("in_use", "Model cannot be deleted in deploying or deployed state. Try undeploy model first then delete"),
    ("encoder_login", 'Error from remote service: {"error": {"type": "unauthorized", "reason": "wrong token"}}'),
    ("encoder_login", "Remote service returned error status 401 with empty body"),
    ("encoder_not_json", "Invalid JSON format: Unexpected character ('<' (code 60))"),
    ("encoder_not_json", "Fail to execute PREDICT in aws connector"),
    ("encoder_not_vectors", "The inference result should be associated with the field [response]."),
    ("encoder_too_few", "toIndex = 5"),
    ("template_in_text", 'Infinite loop in property interpolation of {"inputs": ${parameters.input}}: input'),
    ("template_in_text", "Some parameter placeholder not filled in payload: none"),
    ("encoder_timeout", "Error communicating with remote model: Read timed out"),
    ("encoder_unreachable", "Error communicating with remote model: Connection refused: /127.0.0.1:8799"),
    ("encoder_unreachable", "Acquire operation took longer than the configured maximum time."),
    ("encoder_error", 'Error from remote service: {"error": "x"}'),
    ("encoder_error", "No response from model"),
    ("no_pipeline", "pipeline with id [p] does not exist"),
]
DOCUMENTED = [
    ("untrusted_url", "URL can't match trusted url regex"),
    ("memory", "Native Memory Circuit Breaker is open, please check your resources!"),
    ("disk", "Disk Circuit Breaker is open, please check your resources!"),
    ("too_many_models", "Exceed max local model per node limit"),
    ("too_many_tasks", "exceed max running task limit"),
    (
        "local_models_off",
        ('Local Model is currently disabled. To enable it, update "plugins.ml_commons.local_model.enabled" to true.'),
    ),
    (
        "connectors_off",
        'Remote Inference is currently disabled. Update "plugins.ml_commons.remote_inference.enabled" to true.',
    ),
]


@pytest.mark.parametrize(("cause", "said"), SENT + DOCUMENTED)
def test_the_words_of_a_server_have_a_cause(cause: str, said: str) -> None:
    found = find_cause(said)
    assert found is not None
    assert found.name == cause
    error = explain("small-en", said)
    assert (error.cause, error.reason) == (cause, said)
    assert found.problem in str(error)
    assert found.way_out in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_every_cause_was_sent_or_is_documented() -> None:
    assert [cause.name for cause in CAUSES if cause.name not in {name for name, _ in SENT + DOCUMENTED}] == []


def test_every_cause_has_a_way_out() -> None:
    assert [cause.name for cause in CAUSES if not cause.way_out] == []


def test_settings_that_mend_a_cause_are_named_as_a_request() -> None:
    assert cause_named("url_registration").way_out == (
        'Send PUT /_cluster/settings {"persistent": {"plugins.ml_commons.allow_registering_model_via_url": true}}.'
    )


def test_words_of_an_unknown_cause_are_passed_on() -> None:
    error = explain("small-en", "a reason that nobody knows")
    assert error.cause is None
    assert "a reason that nobody knows" in str(error)
