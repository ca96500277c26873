"""Models that the nodes of a cluster run themselves: registered once, deployed, and used when they answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.models.files.resolve import ModelFiles
from opensearch_neural_sparse.server_models.archive import (
    ArchiveFormat,
    ModelArchive,
    write_document_archive,
    write_tokenizer_archive,
)
from opensearch_neural_sparse.server_models.cluster.archive_source import offered
from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests, patiently
from opensearch_neural_sparse.server_models.cluster.settings import ClusterSettings, change_settings
from opensearch_neural_sparse.server_models.identity import ModelIdentity
from opensearch_neural_sparse.server_models.registered_model import ENCODING, REMOTE, TOKENIZING, RegisteredModel

CHECK_TEXTS = ("A heart pumps blood.", "Rivers carry stones.")
"""Texts that a model encodes to show that it answers."""
_VERSION = "1.0.0"
_FAILED = ("REGISTER_FAILED",)
_NOT_READY = "not_deployed"


@dataclass(frozen=True, kw_only=True)
class ModelPart:
    """Part of a model that is registered: the encoder, or the tokenizer of its queries.

    Attributes:
        name: Its name in the server.
        function: The server's name of what it does.
        identity: Of the model's files.
        format: Format of its archive; None takes any.
        write: Writes the archive.
    """

    name: str
    function: str
    identity: ModelIdentity
    format: ArchiveFormat | None
    write: Callable[[], ModelArchive]


@dataclass(frozen=True, kw_only=True)
class DeployOptions:
    """Options of a deployment.

    Attributes:
        serve_from: Address of this machine at which archives are served.
        archive_url: URL of the folder that holds the archives.
        change_settings: Whether cluster settings may be changed.
    """

    serve_from: str | None = None
    archive_url: str | None = None
    change_settings: bool = False


def parts_of(files: ModelFiles, name: str, format: ArchiveFormat, folder: Path | None) -> Iterator[ModelPart]:  # noqa: A002
    """Yield what is registered of a model: its encoder and, of a doc-only model, the tokenizer of its queries.

    Args:
        files: The model's files.
        name: Its name in the server.
        format: Format of the encoder's archive.
        folder: Folder of archives; None is one in the user's cache.
    """
    identity = ModelIdentity(model=files.spec.id, query_sha256=files.query_sha256, weights_sha256=files.weights_sha256)
    home = (folder or archive_cache()) / identity.weights_sha256[:16]
    yield ModelPart(
        name=name,
        function=ENCODING,
        identity=identity,
        format=None if format is ArchiveFormat.AUTO else format,
        write=lambda: write_document_archive(files, home, format=format),
    )
    if files.idf is not None:
        yield ModelPart(
            name=f"{name}-tokenizer",
            function=TOKENIZING,
            identity=identity,
            format=None,
            write=lambda: write_tokenizer_archive(files, home),
        )


def archive_cache() -> Path:
    """Return the folder of archives in the user's cache."""
    default = "~/AppData/Local" if sys.platform == "win32" else "~/.cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or default).expanduser() / "opensearch-neural-sparse" / "archives"


class LocalModels:
    """Registers and deploys models that the nodes run themselves.

    Args:
        requests: Requests to the server.
        options: How models are deployed.
        deadline: Until when it may take.
    """

    def __init__(self, requests: MlRequests, options: DeployOptions, deadline: Deadline) -> None:
        self._requests, self._options, self._deadline = requests, options, deadline
        self.changed: dict[str, Any] = {}

    def deploy(self, part: ModelPart) -> str:
        """Return the server's id of a model that answers; what is there already is used.

        Args:
            part: What is deployed.

        Raises:
            ServerModelError: It cannot be registered or deployed, or the time is over.
        """
        found = self._find(part)
        if found is not None and answers(self._requests, found, self._deadline):
            return found.model_id
        settings = ClusterSettings.read(self._requests.client)
        self._change(settings.missing_to_run(), part.name)
        if found is None:
            self._change(settings.missing_to_register(), part.name)
            found = self._register(part)
        make_ready(self._requests, found, self._deadline)
        return found.model_id

    def deploy_published(self, name: str, version: str, function: str) -> str:
        """Return the server's id of a model that OpenSearch publishes and that answers.

        Args:
            name: Its published name.
            version: Its published version.
            function: The server's name of what it does.
        """
        found = self._usable(self._requests.named(name, algorithm=function))
        if found is None:
            body = {"name": name, "version": version, "model_format": "TORCH_SCRIPT"}
            found = self._registered(body)
        self._change(ClusterSettings.read(self._requests.client).missing_to_run(), name)
        make_ready(self._requests, found, self._deadline)
        return found.model_id

    def _find(self, part: ModelPart) -> RegisteredModel | None:
        """Find a model by the identity in its description, or else by the checksum of its archive."""
        named = self._requests.named(part.name, algorithm=part.function)
        ours = [model for model in named if _is_of(model, part)]
        if ours or not named:
            return self._usable(ours)
        sha256 = part.write().sha256
        return self._usable([model for model in named if model.content_sha256 == sha256])

    def _usable(self, models: list[RegisteredModel]) -> RegisteredModel | None:
        """Return a model that is registered, after a registration under way has ended; None where there is none."""
        for model in models:
            while model.state == "REGISTERING":
                self._deadline.pause(model.name, "registration")
                model = self._requests.model(model.model_id)
            if model.state not in _FAILED:
                return model
        return None

    def _register(self, part: ModelPart) -> RegisteredModel:
        archive, options = part.write(), self._options
        body = {
            "name": part.name,
            "version": _VERSION,
            "description": part.identity.describe(),
            "model_format": str(archive.format).upper(),
            "function_name": archive.function_name,
            "model_content_hash_value": archive.sha256,
        }
        client, source = self._requests.client, (options.serve_from, options.archive_url)
        with offered(archive.path, client, model=part.name, serve_from=source[0], archive_url=source[1]) as url:
            return self._registered({**body, "url": url})

    def _registered(self, body: Mapping[str, Any]) -> RegisteredModel:
        name = body["name"]
        requests, deadline = self._requests, self._deadline

        def register() -> Mapping[str, Any]:
            task = requests.send("POST", "models/_register", body, model=name)["task_id"]
            return requests.wait(task, deadline, model=name, wait_for="registration")

        return requests.model(patiently(register, deadline)["model_id"])

    def _change(self, missing: Mapping[str, Any], name: str) -> None:
        change_settings(self._requests.client, missing, model=name, allowed=self._options.change_settings)
        self.changed.update(missing)


def answers(requests: MlRequests, model: RegisteredModel, deadline: Deadline) -> bool:
    """Return whether a model gives vectors; its state says too little.

    Args:
        requests: Requests to the server.
        model: The model.
        deadline: Until when a node may be too busy.

    Raises:
        ServerModelError: It fails for another reason than not being deployed.
    """
    try:
        patiently(lambda: requests.predict(model, CHECK_TEXTS), deadline)
    except ServerModelError as error:
        if error.cause != _NOT_READY:
            raise
        return False
    return True


def make_ready(requests: MlRequests, model: RegisteredModel, deadline: Deadline) -> None:
    """Deploy a model and wait until it gives vectors.

    Args:
        requests: Requests to the server.
        model: The model.
        deadline: Until when it may take.

    Raises:
        ServerModelError: It cannot be deployed, or the time is over.
    """

    def deploy() -> None:
        task = requests.send("POST", f"models/{model.model_id}/_deploy", model=model.name)["task_id"]
        try:
            requests.wait(task, deadline, model=model.name, wait_for="deployment")
        except ServerModelError as error:
            if error.cause != "being_deployed":
                raise

    if requests.model(model.model_id).state != "DEPLOYING":
        patiently(deploy, deadline)
    while not answers(requests, model, deadline):
        if model.function != REMOTE and requests.model(model.model_id).state == "DEPLOY_FAILED":
            problem, remedy = "its deployment failed", "Call it again, which shows the reason."
            raise ServerModelError(model.name, problem, remedy=remedy, cause="deploy_failed")
        deadline.pause(model.name, "deployment")


def _is_of(model: RegisteredModel, part: ModelPart) -> bool:
    found = model.identity
    if found is None or (part.format is not None and model.format != str(part.format).upper()):
        return False
    return (found.query_sha256, found.weights_sha256) == (part.identity.query_sha256, part.identity.weights_sha256)
