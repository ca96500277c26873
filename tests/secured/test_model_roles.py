"""The roles for models in the server: sufficient beside the others, and minimal, action by action."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    DeployedModel,
    NeuralSparseError,
    NeuralSparseStore,
    SearchOptions,
    ServerEncoding,
    ServerModels,
    ServerQuery,
    ServerRequestError,
    get_model,
    resolve_files,
)
from opensearch_neural_sparse.server_models.reasons import MEMORY_LIMIT, URL_REGISTRATION, cause_named
from tests.paths import SMALL_MODEL
from tests.secured.cluster import ONE_SHARD, SecuredCluster
from tests.secured.roles import OWNER, READER, ROLES, WRITER, actions_of, without
from tests.server_models.encoder_service import EncoderService, encoder_service
from tests.server_models.own_names import own_name

USER, ADMIN = "neural_sparse_model_user", "neural_sparse_model_admin"
INDEX = "articles-encoded"
PRIVATE = "plugins.ml_commons.connector.private_ip_enabled"


@dataclass(frozen=True)
class Models:
    """A secured cluster with a model, and an encoder elsewhere.

    Attributes:
        cluster: The cluster.
        deployed: A model that the administrator has deployed.
        service: An encoder that connectors may call.
        folder: A folder for archives.
        name: Beginning of the names of models that a test deploys.
    """

    cluster: SecuredCluster
    deployed: DeployedModel
    service: EncoderService
    folder: Path
    name: str

    def models(self, user: str) -> ServerModels:
        """Return the models as a user may use them."""
        return ServerModels(**self.cluster.options(user))

    def store(self, user: str, index: str = INDEX) -> NeuralSparseStore:
        """Return a user's store of an index that the server encodes."""
        encoding = ServerEncoding(model_id=self.deployed.model_id, query_model_id=self.deployed.query_model_id)
        return NeuralSparseStore(index, **self.cluster.options(user), model=SMALL_MODEL, server_encoding=encoding)

    def put_settings(self, **values: Any) -> None:
        """Change cluster settings as the administrator."""
        self.cluster.admin.cluster.put_settings(body={"persistent": values})

    def deploy(self, by: ServerModels) -> DeployedModel:
        """Deploy a model that is not there."""
        return by.deploy(SMALL_MODEL, name=self._new(), archive_folder=self.folder)

    def deploy_remote(self, by: ServerModels, name: str = "", **options: Any) -> DeployedModel:
        """Connect the server to the encoder by a connector that is not there."""
        name = name or self._new()
        return by.deploy_remote(self.service.url, name=name, api_key=self.service.token, **options)

    def _new(self) -> str:
        return f"{self.name}-{uuid.uuid4().hex[:8]}"


Call = Callable[[Models, ServerModels], object]


def _by_admin(there: Models) -> ServerModels:
    return ServerModels(there.cluster.admin)


def _change_connector(there: Models, models: ServerModels) -> None:
    name = f"{there.name}-changed"
    there.deploy_remote(_by_admin(there), name)
    there.deploy_remote(models, name, read_timeout=uuid.uuid4().int % 100 + 31)


def _allow_private_addresses(there: Models, models: ServerModels) -> None:
    there.put_settings(**{PRIVATE: False})
    try:
        there.deploy_remote(models, change_settings=True)
    finally:
        there.put_settings(**{PRIVATE: True})


def _doctor_of_undeployed(there: Models, models: ServerModels) -> None:
    model = there.deploy_remote(_by_admin(there))
    _by_admin(there).undeploy(there.deployed.query_model_id)
    try:
        assert [found.problem for found in models.doctor(model_id=there.deployed.query_model_id)]
        assert models.doctor(model_id=model.model_id) == []
    finally:
        _by_admin(there).deploy(SMALL_MODEL, name=there.deployed.name, archive_folder=there.folder)


def _create(there: Models, _: ServerModels) -> None:
    with there.store(OWNER, f"articles-{uuid.uuid4().hex}") as store:  # with a pipeline that is not there
        store.create(settings=ONE_SHARD)
        store.delete_index()


ADMIN_CALLS: dict[str, Call] = {
    "list": lambda there, models: models.list(),
    "predict": lambda there, models: models.predict(there.deployed.model_id, ["heart"]),
    "deploy": lambda there, models: there.deploy(models),
    "deploy_remote": lambda there, models: there.deploy_remote(models),
    "change a connector": _change_connector,
    "change_settings": _allow_private_addresses,
    "doctor": lambda there, models: models.doctor(model_id=there.deployed.model_id),
    "doctor of an undeployed model": _doctor_of_undeployed,
    "undeploy": lambda there, models: models.undeploy(there.deploy_remote(_by_admin(there)).model_id),
    "delete": lambda there, models: models.delete(there.deploy_remote(_by_admin(there)).model_id),
    "create": _create,
}
ML = "cluster:admin/opensearch/ml/"
NEEDED_BY = {
    "cluster:monitor/main": "deploy_remote",
    "cluster:admin/settings/update": "change_settings",
    f"{ML}models/search": "list",
    f"{ML}models/get": "predict",
    f"{ML}predict": "predict",
    f"{ML}register_model": "deploy",
    f"{ML}deploy_model": "deploy",
    f"{ML}deploy_model_on_nodes": "deploy",
    f"{ML}tasks/get": "deploy",
    f"{ML}tasks/search": "doctor of an undeployed model",
    f"{ML}model_groups/search": "deploy_remote",
    f"{ML}register_model_group": "deploy_remote",
    f"{ML}connectors/search": "deploy_remote",
    f"{ML}connectors/get": "change a connector",
    f"{ML}create_connector": "deploy_remote",
    f"{ML}connectors/update": "change a connector",
    f"{ML}undeploy_model": "undeploy",
    f"{ML}undeploy_models": "undeploy",
    f"{ML}models/delete": "delete",
    f"{ML}connectors/delete": "delete",
    f"{ML}model_groups/delete": "delete",
    "cluster:admin/ingest/pipeline/get": "delete",
    "cluster:admin/search/pipeline/get": "delete",
    "indices:admin/mappings/get": "delete",
    "cluster:admin/ingest/pipeline/put": "create",
    "cluster:admin/ingest/pipeline/simulate": "create",
}
"""Action -> a call that names it where it is missing."""
ONLY_READ = {"cluster:monitor/state", "cluster:monitor/nodes/stats"}
"""Actions without which `doctor` sees less."""


@pytest.fixture(scope="module")
def there(cluster: SecuredCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    folder = tmp_path_factory.mktemp("archives")
    for role in (READER, WRITER, OWNER, USER, ADMIN):
        _give(cluster, role, ROLES[role])
    for role, users in {ADMIN: [ADMIN, OWNER], USER: [READER, WRITER]}.items():
        cluster.put("rolesmapping", role, {"users": users})
    with own_name(cluster.admin) as name, encoder_service(resolve_files(get_model(SMALL_MODEL))) as service:
        deployed = ServerModels(cluster.admin).deploy(SMALL_MODEL, name=name, archive_folder=folder)
        there = Models(cluster, deployed, service, folder, f"{name}-of-test")
        with there.store(OWNER) as store:
            store.create(settings=ONE_SHARD)
            store.write([{"id": "1", "text": "The heart pumps blood."}])
        yield there
        cluster.admin.indices.delete(index="articles-*", ignore_unavailable=True)
        models = ServerModels(cluster.admin)
        for model in models.list():
            if model.name.startswith(there.name):
                models.delete(model.model_id, force=True)
        for role in (ADMIN, USER):
            cluster.admin.http.delete(f"/_plugins/_security/api/rolesmapping/{role}")


def _give(cluster: SecuredCluster, role: str, rights: dict[str, Any]) -> None:
    cluster.give_role(role, rights["cluster_permissions"], *rights.get("index_permissions", ()))


def _put(there: Models, role: str, rights: dict[str, Any]) -> None:
    body = {"index_permissions": [], **rights}
    there.cluster.put("roles", role, body)


@pytest.mark.parametrize("call", ADMIN_CALLS)
def test_the_role_of_a_models_administrator_is_sufficient(there: Models, call: str) -> None:
    with there.models(ADMIN) as models:
        ADMIN_CALLS[call](there, models)


@pytest.mark.parametrize("action", [each for each in actions_of(ROLES[ADMIN]) if each not in ONLY_READ])
def test_a_call_of_a_models_administrator_names_the_action_that_is_missing(there: Models, action: str) -> None:
    _put(there, ADMIN, without(ROLES[ADMIN], action))
    try:
        with there.models(ADMIN) as models, pytest.raises(NeuralSparseError) as caught:
            ADMIN_CALLS[NEEDED_BY[action]](there, models)
    finally:
        _put(there, ADMIN, ROLES[ADMIN])
    assert action in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("action", "setting", "bad", "good", "cause"),
    [
        ("cluster:monitor/state", URL_REGISTRATION, False, True, "url_registration"),
        ("cluster:monitor/nodes/stats", MEMORY_LIMIT, 1, 100, "memory"),
    ],
)
def test_doctor_sees_the_cluster_only_with_the_rights_to_read_it(
    there: Models, action: str, setting: str, bad: object, good: object, cause: str
) -> None:
    there.put_settings(**{setting: bad})
    try:
        seen = {}
        for missing in ("", action):
            _put(there, ADMIN, without(ROLES[ADMIN], missing))
            with there.models(ADMIN) as models:
                seen[missing] = cause_named(cause).problem in {found.problem for found in models.doctor()}
    finally:
        _put(there, ADMIN, ROLES[ADMIN])
        there.put_settings(**{setting: good})
    assert seen == {"": True, action: False}


def test_force_deletes_a_model_without_the_rights_to_see_what_names_it(there: Models) -> None:
    rights = ROLES[ADMIN]
    for action in (
        "cluster:admin/ingest/pipeline/get",
        "cluster:admin/search/pipeline/get",
        "indices:admin/mappings/get",
    ):
        rights = without(rights, action)
    model = there.deploy_remote(_by_admin(there))
    _put(there, ADMIN, {**rights, "index_permissions": []})
    try:
        with there.models(ADMIN) as models:
            models.delete(model.model_id, force=True)
            assert model.model_id not in {each.model_id for each in models.list()}
    finally:
        _put(there, ADMIN, ROLES[ADMIN])


def _server_query(there: Models) -> Any:
    options = SearchOptions(server_query=ServerQuery(model_id=there.deployed.query_model_id))
    with there.store(READER) as store:
        return store.search("heart", options=options)


def _write(there: Models) -> Any:
    with there.store(WRITER) as store:
        return store.write([{"id": "2", "text": "Rivers carry water."}])


USES: dict[str, Callable[[Models], Any]] = {
    f"{ML}predict": _server_query,
    f"{ML}models/get": _write,
    "cluster:admin/ingest/pipeline/get": _write,
}


@pytest.mark.parametrize("action", USES)
def test_the_role_of_a_models_user_is_sufficient_and_minimal(there: Models, action: str) -> None:
    assert list(USES) == actions_of(ROLES[USER])
    assert USES[action](there)
    _put(there, USER, without(ROLES[USER], action))
    try:
        with pytest.raises(ServerRequestError) as caught:
            USES[action](there)
    finally:
        _put(there, USER, ROLES[USER])
    assert action in str(caught.value)


def test_a_reader_needs_no_right_of_models_to_search_what_the_server_has_encoded(there: Models) -> None:
    _put(there, USER, {"cluster_permissions": []})
    try:
        with there.store(READER) as store:
            assert [hit.id for hit in store.search("heart")][:1] == ["1"]
    finally:
        _put(there, USER, ROLES[USER])
