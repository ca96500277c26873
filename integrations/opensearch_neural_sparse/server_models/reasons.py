"""Causes of failures of models in the server: the server's words, the problem, and the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.error_reasons import without_values
from opensearch_neural_sparse.errors import ServerModelError

PREFIX = "plugins.ml_commons."
ML_NODES_ONLY = f"{PREFIX}only_run_on_ml_node"
URL_REGISTRATION = f"{PREFIX}allow_registering_model_via_url"
PRIVATE_ADDRESSES = f"{PREFIX}connector.private_ip_enabled"
TRUSTED_ENDPOINTS = f"{PREFIX}trusted_connector_endpoints_regex"
MEMORY_LIMIT = f"{PREFIX}native_memory_threshold"
HEAP_LIMIT = f"{PREFIX}jvm_heap_memory_threshold"


def settings_request(settings: Mapping[str, Any]) -> str:
    """Return the request that changes cluster settings, as text."""
    return f"PUT /_cluster/settings {json.dumps({'persistent': dict(settings)})}"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause of failures.

    Attributes:
        name: Its name.
        pattern: Regular expression of the server's words.
        problem: What is wrong.
        remedy: Way out.
        settings: Cluster settings that mend it.
    """

    name: str
    pattern: str
    problem: str
    remedy: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def way_out(self) -> str:
        """The remedy, with the request that changes the settings."""
        parts = [self.remedy, f"Send {settings_request(self.settings)}." if self.settings else ""]
        return " ".join(part for part in parts if part)

    def error(self, model: str, reason: str = "") -> ServerModelError:
        """Return the error of a model that fails for this cause."""
        return ServerModelError(model, self.problem, remedy=self.way_out, reason=reason, cause=self.name)


CAUSES: tuple[Cause, ...] = (
    Cause(
        name="no_plugin",
        pattern=r"no handler found for uri \[/_plugins/_ml",
        problem="the server lacks the plugin opensearch-ml, which runs models",
        remedy="Install opensearch-ml on every node; the development server has it with the profile ml.",
    ),
    Cause(
        name="no_node",
        pattern=r"[Nn]o eligible node|only_run_on_ml_node",
        problem="no node of the cluster may run models: none has the role ml",
        remedy="Give a node the role ml, or let data nodes run models.",
        settings={ML_NODES_ONLY: False},
    ),
    Cause(
        name="private_address",
        pattern=r"private ip address",
        problem="the server calls no encoder at a private address",
        settings={PRIVATE_ADDRESSES: True},
    ),
    Cause(
        name="untrusted_endpoint",
        pattern=r"not matching the trusted connector endpoint regex",
        problem=f"the encoder's address matches no pattern of {TRUSTED_ENDPOINTS}",
        remedy="Add a pattern for the address to that setting; deploy_remote(change_settings=True) does so.",
    ),
    Cause(
        name="url_registration",
        pattern=r"allow_registering_model_via_url",
        problem="the server takes no model by a URL",
        settings={URL_REGISTRATION: True},
    ),
    Cause(
        name="untrusted_url",
        pattern=r"trusted url regex",
        problem=f"the archive's address does not match {PREFIX}trusted_url_regex",
        remedy="Offer the archive at another address, or change that setting.",
    ),
    Cause(
        name="memory",
        pattern=r"Native Memory Circuit Breaker",
        problem=f"the memory of a node is fuller than {MEMORY_LIMIT} allows (90 percent by default)",
        remedy="Give the node more memory, undeploy models that are not used, or switch the check off.",
        settings={MEMORY_LIMIT: 100},
    ),
    Cause(
        name="heap",
        pattern=r"Memory Circuit Breaker",
        problem=f"the heap of a node is fuller than {HEAP_LIMIT} allows (85 percent by default)",
        remedy="Try again, give the node a larger heap, or undeploy models that are not used.",
    ),
    Cause(
        name="heap_request",
        pattern=r"Data too large, data for \[<http_request>\]",
        problem="the heap of a node is fuller than indices.breaker.total.limit allows (95 percent by default)",
        remedy="Try again, give the node a larger heap, or undeploy models that are not used.",
    ),
    Cause(
        name="disk",
        pattern=r"Disk Circuit Breaker",
        problem=f"a node has less free disk than {PREFIX}disk_free_space_threshold",
        remedy="Free disk space on the node.",
    ),
    Cause(
        name="libtorch",
        pattern=r"publish\.djl\.ai|libtorch|djl_torch|[Ff]ailed to \w+ [Pp]y[Tt]orch|UnsatisfiedLinkError",
        problem="a node has no PyTorch library: it downloads one from publish.djl.ai, or loads what lies in its cache",
        remedy=(
            "Let the nodes reach publish.djl.ai, or put the five files of PyTorch 2.5.1 into a folder that "
            "PYTORCH_LIBRARY_PATH names when a node starts."
        ),
    ),
    Cause(
        name="content_changed",
        pattern=r"model content changed",
        problem="the archive that the server read has another checksum than the given one",
        remedy="Put the archive at that address again, or deploy without archive_url.",
    ),
    Cause(
        name="no_hash",
        pattern=r"Model content Hash code need",
        problem="no checksum of the archive was given",
        remedy="Register it with model_content_hash_value, the SHA-256 of the archive.",
    ),
    Cause(
        name="unreadable_archive",
        pattern=r"\(No such file or directory\)|\(Permission denied\)|FileNotFoundException",
        problem="a node cannot read the archive",
        remedy="Give serve_from, an address of this machine that the nodes reach, or archive_url.",
    ),
    Cause(
        name="broken_archive",
        pattern=r"found multiple models|Invalid input tensor name|zip END header|error in opening zip file",
        problem="the archive is none that the server can run",
        remedy="Deploy the model's folder, which writes the archive.",
    ),
    Cause(
        name="model_config",
        pattern=r"BaseModelConfig cannot be cast|embedding dimension is null|Model config is null",
        problem="the model was registered with a model_config that this version of the server does not take",
        remedy="Delete it and deploy it by deploy() or deploy_remote().",
    ),
    Cause(
        name="not_deployed",
        pattern=r"Model not ready yet|not deployed",
        problem="the model is not deployed",
        remedy="Deploy it: deploy() does, and continues where it was interrupted.",
    ),
    Cause(
        name="no_model",
        pattern=r"Failed to find model|Model .*is not found",
        problem="the server has no such model",
        remedy="list() shows the models; deploy() makes one.",
    ),
    Cause(
        name="too_many_models",
        pattern=r"max local model per node|[Ee]xceed max .*model",
        problem=f"a node runs as many models as {PREFIX}max_model_on_node allows",
        remedy="Undeploy models that are not used, or raise that setting.",
    ),
    Cause(
        name="too_many_tasks",
        pattern=r"max running task limit|[Ee]xceed max .*task",
        problem="a node does as much at once as it may",
        remedy=f"Try again later, or raise {PREFIX}max_ml_task_per_node.",
    ),
    Cause(
        name="being_deployed",
        pattern=r"Duplicate deploy model task",
        problem="another deployment of it is under way",
        remedy="Wait for it: deploy() does.",
    ),
    Cause(
        name="local_models_off",
        pattern=r"local_model\.enabled|Local Model is currently disabled",
        problem="the server runs no models of its own",
        settings={f"{PREFIX}local_model.enabled": True},
    ),
    Cause(
        name="connectors_off",
        pattern=r"remote_inference\.enabled|Remote Inference is currently disabled",
        problem="the server calls no encoders",
        settings={f"{PREFIX}remote_inference.enabled": True},
    ),
    Cause(
        name="no_credential",
        pattern=r"Connector credential is null",
        problem="the connector has no credential",
        remedy="Give api_key or credential; any value works if the encoder needs none.",
    ),
    Cause(
        name="in_use",
        pattern=r"are still using this connector|has associated model versions|in deploying or deployed state",
        problem="it is in use",
        remedy="Stop the programs that encode with it, and try again.",
    ),
    Cause(
        name="encoder_login",
        pattern=r"status(Code)?\W+40[13]|[Uu]nauthorized|Forbidden|\b401\b|\b403\b",
        problem="the encoder refuses the connector's login",
        remedy="Give the encoder's token: deploy_remote(api_key=...).",
    ),
    Cause(
        name="encoder_not_json",
        pattern=r"Invalid JSON format|Fail to execute PREDICT in aws connector|Expected BEGIN_",
        problem="the encoder's answer is no JSON",
        remedy="Check the address: is it that of the encoder, and not of a proxy or a login page?",
    ),
    Cause(
        name="encoder_not_vectors",
        pattern=r"associated with the field \[response\]",
        problem="the encoder's answer is not a list of token weights",
        remedy="An encoder answers with a list of {token: weight}, one for each text.",
    ),
    Cause(
        name="encoder_too_few",
        pattern=r"toIndex ?=|index_out_of_bounds|IndexOutOfBounds|Index \d+ out of bounds",
        problem="the encoder answers with fewer vectors than texts",
        remedy="An encoder answers with a list of {token: weight}, one for each text.",
    ),
    Cause(
        name="template_in_text",
        pattern=r"Infinite loop in property interpolation|parameter placeholder not filled",
        problem="a text holds ${parameters., which a connector replaces",
        remedy="Write it as $ {parameters. in the text.",
    ),
    Cause(
        name="encoder_timeout",
        pattern=r"Read timed out|ReadTimeoutException",
        problem="the encoder did not answer within the connector's read_timeout",
        remedy="Give fewer texts at once (batch_size), or deploy_remote(read_timeout=...).",
    ),
    Cause(
        name="encoder_unreachable",
        pattern=r"Error communicating with remote model|Connection refused|Acquire operation took longer|UnknownHost",
        problem="the server cannot reach the encoder",
        remedy="Start the encoder, and check that its address is reachable from every node.",
    ),
    Cause(
        name="encoder_error",
        pattern=r"Error from remote service|No response from model",
        problem="the encoder answers with an error",
        remedy="Read the encoder's log.",
    ),
    Cause(
        name="no_pipeline",
        pattern=r"pipeline with id \[.*\] does not exist",
        problem="the index's default pipeline does not exist",
        remedy="Make it again, or set index.default_pipeline to another one.",
    ),
)
"""Causes, the more special ones first: the first with a pattern that is found is the cause."""
_BY_NAME = {cause.name: cause for cause in CAUSES}


def cause_named(name: str) -> Cause:
    """Return a cause by its name."""
    return _BY_NAME[name]


def find_cause(reason: str) -> Cause | None:
    """Return the cause of a failure by the server's words; None where it is unknown."""
    return next((cause for cause in CAUSES if re.search(cause.pattern, reason)), None)


def explain(model: str, reason: str) -> ServerModelError:
    """Return the error of a failure by the server's words.

    Args:
        model: Name or id of the model.
        reason: The server's words.
    """
    said = without_values(" ".join(reason.split()))
    cause = find_cause(reason)
    if cause is None:
        return ServerModelError(model, "the server refused the request", remedy="Read its log.", reason=said)
    return cause.error(model, said)
