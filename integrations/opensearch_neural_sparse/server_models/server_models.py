"""Models in a server: deployed, listed, tried, checked and removed."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.models.files.resolve import ModelFiles, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Mode, ModelSpec
from opensearch_neural_sparse.server_models.archive import ArchiveFormat, ArchiveFormatLike
from opensearch_neural_sparse.server_models.cluster.local_models import DeployOptions, LocalModels, parts_of
from opensearch_neural_sparse.server_models.cluster.ml_requests import Deadline, MlRequests
from opensearch_neural_sparse.server_models.cluster.removal import delete, undeploy
from opensearch_neural_sparse.server_models.cluster.settings import ClusterSettings
from opensearch_neural_sparse.server_models.cluster.settings import change_settings as allow_settings
from opensearch_neural_sparse.server_models.connectors.remote_models import RemoteModel, RemoteModels
from opensearch_neural_sparse.server_models.connectors.service_info import ask_identity
from opensearch_neural_sparse.server_models.connectors.templates import OWN_SERVICE, ConnectorTemplate
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from opensearch_neural_sparse.server_models.doctor.examine_index import examine_index
from opensearch_neural_sparse.server_models.doctor.examine_models import examine_model, examine_settings
from opensearch_neural_sparse.server_models.doctor.finding import Finding, finding_of_error
from opensearch_neural_sparse.server_models.identity import ModelIdentity
from opensearch_neural_sparse.server_models.registered_model import ENCODING, TOKENIZING
from opensearch_neural_sparse.transport.address import check_address
from opensearch_neural_sparse.transport.blocking_client import BlockingClient

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

    from opensearch_neural_sparse.encode.sparse_vector import SparseVector
    from opensearch_neural_sparse.server_models.registered_model import RegisteredModel

_TOKENIZERS = {
    "bert-uncased": ("amazon/neural-sparse/opensearch-neural-sparse-tokenizer-v1", "1.0.1"),
    "mbert-uncased": ("amazon/neural-sparse/opensearch-neural-sparse-tokenizer-multilingual-v1", "1.0.0"),
}
"""Query tokenizer -> the name and version under which OpenSearch publishes it."""


class ServerModels:
    """Models in a server, which run in its nodes or behind a connector.

    What a call finds done it leaves as it is, and what was interrupted it continues. Cluster settings are changed only
    with `change_settings=True`; without it, the error names the request.

    Args:
        client: A client of opensearch-py.
        url: Address of a server, in place of a client.
        client_options: Options of the client that is made for a url, such as `http_auth`.

    Raises:
        TypeError: An unknown client option.
        ValueError: Neither a client nor a url, or both.
    """

    def __init__(
        self,
        client: OpenSearch | None = None,
        *,
        url: Any = None,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._source = BlockingClient(client, url, client_options)
        self._client: OpenSearch | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def client(self) -> OpenSearch:
        """Return the client, made when it is first needed."""
        if self._client is None:
            self._client = self._source.open()
        return self._client

    def close(self) -> None:
        """Close the client that was made here."""
        if self._client is not None:
            self._source.close(self._client)
            self._client = None

    def deploy(
        self,
        model: str | Path | ModelSpec | ModelFiles,
        *,
        name: str | None = None,
        format: ArchiveFormatLike = ArchiveFormat.AUTO,  # noqa: A002  the server's word
        serve_from: str | None = None,
        archive_url: str | None = None,
        archive_folder: str | Path | None = None,
        change_settings: bool = False,
        timeout: float = 600.0,
    ) -> DeployedModel:
        """Deploy a model in the nodes of the cluster, and wait until it answers.

        A doc-only model is registered twice: what encodes its documents, and the tokenizer of its queries.

        Args:
            model: Name, hub id or folder of a model, or its files with the document side.
            name: Its name in the server; by default its short name.
            format: Format of its archive; `auto` is ONNX where it is possible.
            serve_from: Address of this machine that the nodes reach, `host` or `host:port`; the archive is served there
                while the nodes read it. Not needed where the server is on this machine.
            archive_url: URL of a folder that holds the archives, in place of `serve_from`.
            archive_folder: Folder that archives are written to; by default one in the user's cache.
            change_settings: Whether cluster settings that it needs are changed, persistently.
            timeout: Longest time in seconds.

        Raises:
            ServerModelError: It cannot be registered or deployed, a setting is missing, or the time is over; the
                message has the server's reason and the way out.
            ModelFilesError: Its files are missing, or no server can run it.
            UnknownModelError: No such model.
        """
        files = model if isinstance(model, ModelFiles) else resolve_files(get_model(model))
        name = name or files.spec.name
        folder = None if archive_folder is None else Path(archive_folder)
        options = DeployOptions(serve_from=serve_from, archive_url=archive_url, change_settings=change_settings)
        models = LocalModels(MlRequests(self.client()), options, Deadline(timeout))
        ids = [models.deploy(part) for part in parts_of(files, name, ArchiveFormat(format), folder)]
        return DeployedModel(name=name, model_id=ids[0], query_model_id=ids[-1], changed_settings=models.changed)

    def deploy_pretrained(
        self, model: str | ModelSpec, *, change_settings: bool = False, timeout: float = 1800.0
    ) -> DeployedModel:
        """Deploy a model that OpenSearch publishes for its servers; the nodes download it.

        Built to OpenSearch's documentation. It was not run here, where no node reaches artifacts.opensearch.org.

        Args:
            model: A model of the catalogue, by name, hub id or its name in servers, such as
                `amazon/neural-sparse/opensearch-neural-sparse-encoding-doc-v3-distill`.
            change_settings: Whether cluster settings that it needs are changed, persistently.
            timeout: Longest time in seconds.

        Raises:
            ServerModelError: It cannot be registered or deployed, or the time is over.
            UnknownModelError: No such model.
            ValueError: OpenSearch publishes no such model for its servers.
        """
        from opensearch_neural_sparse.models.registry import list_models

        by_server_name = {spec.server_name: spec for spec in list_models() if spec.server_name}
        spec = by_server_name.get(model) if isinstance(model, str) else None
        spec = spec or get_model(model)
        if spec.server_name is None or spec.server_version is None:
            raise ValueError(
                f"OpenSearch publishes no model {spec.name!r} for its servers; it publishes "
                f"{', '.join(known.name for known in by_server_name.values())}. Use deploy() for others."
            )
        models = LocalModels(
            MlRequests(self.client()), DeployOptions(change_settings=change_settings), Deadline(timeout)
        )
        ids = [models.deploy_published(spec.server_name, spec.server_version, ENCODING)]
        if spec.mode is Mode.DOC_ONLY:
            ids.append(models.deploy_published(*_TOKENIZERS[spec.tokenizer], TOKENIZING))
        return DeployedModel(
            name=spec.server_name, model_id=ids[0], query_model_id=ids[-1], changed_settings=models.changed
        )

    def deploy_remote(
        self,
        url: str,
        *,
        template: str = OWN_SERVICE,
        model: str | Path | ModelSpec | ModelFiles | None = None,
        name: str | None = None,
        api_key: str | None = None,
        credential: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        read_timeout: int = 30,
        change_settings: bool = False,
        timeout: float = 120.0,
    ) -> DeployedModel:
        """Connect the server to an encoder elsewhere, and wait until it answers.

        The connector's parameters are empty but for what its template needs, since a connector replaces
        `${parameters.name}` in texts, too. Where a service's model has changed, another model is registered.

        Args:
            url: Address of the encoder service; of other templates than that of this package, the URL that is called.
            template: `opensearch-neural-sparse` is the service of this package, `http` another one that answers alike;
                `sagemaker` (keys) and `sagemaker-role` are built to OpenSearch's blueprint and were not run.
            model: Its model, by name, folder or files; not needed for a service of this package that is reachable from
                here.
            name: Its name in the server; by default that of its model, with `-remote`.
            api_key: The service's token, sent as a bearer token.
            credential: Secrets of a template, such as `access_key` and `secret_key`, in place of `api_key`.
            parameters: Values of a template, such as `region`.
            read_timeout: Longest time in seconds that an answer of the encoder may take.
            change_settings: Whether cluster settings that it needs are changed, persistently.
            timeout: Longest time in seconds until it answers.

        Raises:
            ServerModelError: A setting is missing, the encoder does not answer with vectors, or its model is another
                one than the given.
            ValueError: An unknown template, a missing secret, or an address that is none.
        """
        check_address(url)
        kind = ConnectorTemplate.named(template)
        base = url.rstrip("/").removesuffix(kind.path)
        identity = _identity(base, model, api_key, asked=template == OWN_SERVICE)
        name = name or f"{identity.model.rsplit('/', 1)[-1]}-remote"
        secrets = dict(credential or ({"api_key": api_key} if api_key else {}))
        address = f"{base}{kind.path}"
        connector = kind.body(name, address, credential=secrets, parameters=parameters or {}, read_timeout=read_timeout)
        requests = MlRequests(self.client())
        requests.models(model=name)  # explains a server without the plugin
        settings = ClusterSettings.read(requests.client)
        missing = settings.missing_to_run() | settings.missing_to_call(address)
        allow_settings(requests.client, missing, model=name, allowed=change_settings)
        remote = RemoteModel(name=name, identity=identity, connector=connector)
        model_id = RemoteModels(requests, Deadline(timeout)).deploy(remote)
        return DeployedModel(name=name, model_id=model_id, query_model_id=model_id, changed_settings=missing)

    def list(self) -> list[RegisteredModel]:
        """List the models in the server, by name: those of this package and others.

        Raises:
            ServerModelError: The server runs no models.
        """
        return sorted(MlRequests(self.client()).models(), key=lambda model: (model.name, model.model_id))

    def predict(self, model_id: str, texts: Sequence[str]) -> builtins.list[SparseVector]:
        """Encode texts by a model in the server.

        Args:
            model_id: The server's id of the model.
            texts: What is encoded.

        Raises:
            ServerModelError: There is no such model, it does not answer, or it gives no token weights.
            TypeError: One text in place of several.
        """
        if isinstance(texts, str):
            raise TypeError("texts is a list of texts, got one; put it into a list.")
        requests = MlRequests(self.client())
        return requests.predict(requests.model(model_id), texts)

    def undeploy(self, model_id: str) -> None:
        """Take a model out of the memory of the nodes; it stays registered.

        A model behind a connector is deployed again by the next text that it is asked to encode. End the loads and
        searches that use a model of the nodes first: a node that encodes with it at that moment may crash.

        Args:
            model_id: The server's id of the model.

        Raises:
            ServerModelError: There is no such model.
        """
        requests = MlRequests(self.client())
        undeploy(requests, requests.model(model_id))

    def delete(self, model_id: str, *, force: bool = False, timeout: float = 60.0) -> None:
        """Delete a model, and its connector and group where no other model has them.

        Args:
            model_id: The server's id of the model.
            force: Whether to delete it though a pipeline or an index names it.
            timeout: Longest time in seconds; whoever encodes by a model behind a connector deploys it again meanwhile.

        Raises:
            ServerModelError: There is no such model, something names it, or the time is over.
        """
        requests = MlRequests(self.client())
        delete(requests, requests.model(model_id), Deadline(timeout), force=force)

    def doctor(self, index: str | None = None, model_id: str | None = None) -> builtins.list[Finding]:
        """Look for problems of the cluster, of an index and of a model; none of them is changed.

        Args:
            index: An index whose pipelines, stamp and models are checked.
            model_id: The server's id of a model that is checked: it encodes two texts.

        Raises:
            IndexNotFoundError: There is no such index.
        """
        requests = MlRequests(self.client())
        try:
            requests.models()
        except ServerModelError as error:
            return [finding_of_error(error, "cluster")]
        settings = ClusterSettings.read(requests.client)
        found = [*examine_settings(settings)]
        if model_id is not None:
            found += examine_model(requests, model_id, settings)
        if index is not None:
            found += examine_index(requests, index, settings)
        return found


def _identity(
    url: str, model: str | Path | ModelSpec | ModelFiles | None, api_key: str | None, *, asked: bool
) -> ModelIdentity:
    """Return the identity of an encoder's model: as the service says, and as the caller says.

    Raises:
        ServerModelError: They differ, or neither is known.
    """
    told = ask_identity(url, api_key) if asked else None
    if model is None and told is None:
        problem = "it is not known which model encodes there" + (
            ", as /info is out of reach from here" if asked else ""
        )
        raise ServerModelError(url, problem, remedy="Name it: model='...'.", cause="unknown_model")
    if model is None:
        return told  # type: ignore[return-value]
    files = model if isinstance(model, ModelFiles) else resolve_files(get_model(model))
    given = ModelIdentity.of(files)
    if told is not None and (told.query_sha256, told.weights_sha256) != (given.query_sha256, given.weights_sha256):
        problem = f"the service encodes with {told.model!r}, with other files than those of {given.model!r}"
        raise ServerModelError(url, problem, remedy="Start it with that model, or name its own.", cause="other_model")
    return given
