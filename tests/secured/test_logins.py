"""Ways to log in to a real secured server: passwords, certificates, tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    ClientLogin,
    NeuralSparseStore,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.cli import main
from opensearch_neural_sparse.transport.logins.client_login import VARIABLES
from tests.secured.cluster import ALICE, ONE_SHARD, PASSWORD, SIGNING_KEY, SecuredCluster

INDEX = "logins"
READS = ["read", "indices:admin/get", "indices:monitor/*"]


def token_of(name: str, *, expires: float, key: bytes = SIGNING_KEY) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": name, "roles": "readers", "exp": int(expires)})
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_encoded(hmac.digest(key, signed.encode(), hashlib.sha256))}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def logins(cluster: SecuredCluster) -> Iterator[SecuredCluster]:
    """An index that Alice may read, whichever way she comes."""
    cluster.allow_logins()
    cluster.give_role("test-basic", ["cluster:monitor/main"], {"index_patterns": [INDEX], "allowed_actions": READS})
    cluster.put("rolesmapping", "test-basic", {"users": ["test-basic", ALICE], "backend_roles": ["readers"]})
    owner = cluster.owner(INDEX)
    owner.create(settings=ONE_SHARD)
    owner.write([{"id": "1", "text": "red planet"}])
    yield cluster
    owner.delete_index()


def login_of(kind: str, cluster: SecuredCluster) -> dict[str, Any]:
    if kind == "basic":
        return {"http_auth": ("test-basic", PASSWORD)}
    if kind == "certificate":
        return cluster.certificate(ALICE)
    return {"headers": {"authorization": f"Bearer {token_of(ALICE, expires=time.time() + 600)}"}}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("basic", "as user 'test-basic' (from http_auth)"),
        ("certificate", "with a certificate (from client_cert) and without a user"),
        ("token", "with an authorization header (from headers)"),
    ],
)
async def test_each_login_reads_and_is_refused_what_it_may_not(logins: SecuredCluster, kind: str, said: str) -> None:
    login = {**login_of(kind, logins), **logins.tls}
    given: dict[str, Any] = {"url": logins.server.url, "client_options": login, **logins.encoders}
    with NeuralSparseStore(INDEX, **given) as store:
        assert [hit.id for hit in store.search("planet")] == ["1"]
        with pytest.raises(BulkWriteError, match="no permissions for"):
            store.write([{"id": "2", "text": "blue"}])
        with pytest.raises(ServerRequestError, match=r"403.*docs/security-role\.yml") as caught:
            store.delete_index()
    assert said in str(caught.value)
    async with AsyncNeuralSparseStore(INDEX, **given) as several:
        assert [hit.id for hit in await several.search("planet")] == ["1"]
        with pytest.raises(ServerRequestError) as awaited:
            await several.delete_index()
    assert said in str(awaited.value)


ENVIRONMENTS: dict[str, Callable[[SecuredCluster], dict[str, str]]] = {
    "basic": lambda _: {"OPENSEARCH_USERNAME": "test-basic", "OPENSEARCH_PASSWORD": PASSWORD},
    "certificate": lambda cluster: {
        f"OPENSEARCH_{key.upper()}": name for key, name in cluster.certificate(ALICE).items()
    },
    "token": lambda _: {"OPENSEARCH_BEARER_TOKEN": token_of(ALICE, expires=time.time() + 600)},
}


@pytest.mark.parametrize("kind", ENVIRONMENTS)
async def test_every_layer_reads_by_the_login_of_the_environment(
    logins: SecuredCluster, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    environment = {**ENVIRONMENTS[kind](logins), "OPENSEARCH_CA_CERTS": logins.tls["ca_certs"]}
    for name, value in {**environment, "OPENSEARCH_URL": logins.server.url}.items():
        monkeypatch.setenv(name, value)
    options = ClientLogin.from_environment().client_options()
    async with AsyncNeuralSparseStore(INDEX, url=logins.server.url, client_options=options, **logins.encoders) as store:
        assert await store.count() == 1
    with OpenSearchNeuralSparseVectorStore(INDEX, **logins.encoders) as vectorstore:
        assert [found.id for found in vectorstore.similarity_search("planet")] == ["1"]
        assert [found.id for found in await vectorstore.asimilarity_search("planet")] == ["1"]
        await vectorstore.aclose()
    files = {name: options[name] for name in ("client_cert", "client_key", "ca_certs") if name in options}
    document_store = OpenSearchNeuralSparseDocumentStore(
        hosts=logins.server.url, index=INDEX, create_index=False, **files
    )
    assert document_store.count_documents() == 1
    assert await document_store.count_documents_async() == 1
    document_store.close()
    await document_store.close_async()
    with pytest.raises(SystemExit) as done:
        main(["index", "info", INDEX])
    assert done.value.code in (0, None)


@pytest.mark.parametrize("wrong", ["expired", "of another key"])
async def test_a_token_that_is_not_valid_is_one_line_without_the_token(logins: SecuredCluster, wrong: str) -> None:
    late = {"expires": time.time() - 600} if wrong == "expired" else {"expires": time.time() + 600, "key": b"x" * 32}
    token = token_of(ALICE, **late)
    login = {"headers": {"authorization": f"Bearer {token}"}, **logins.tls}
    given: dict[str, Any] = {"url": logins.server.url, "client_options": login, **logins.encoders}
    with NeuralSparseStore(INDEX, **given) as store, pytest.raises(ServerRequestError) as caught:
        store.search("planet")
    async with AsyncNeuralSparseStore(INDEX, **given) as several:
        with pytest.raises(ServerRequestError) as awaited:
            await several.search("planet")
    for error in (caught.value, awaited.value):
        assert error.status == 401
        assert "with an authorization header (from headers)" in str(error)
        assert "\n" not in str(error)
        assert token not in str(error)


def test_a_certificate_of_nobody_known_is_refused(logins: SecuredCluster, tmp_path: Any) -> None:
    import trustme

    stranger = trustme.CA().issue_cert("localhost", common_name=ALICE)
    stranger.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    stranger.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    login = {"client_cert": str(tmp_path / "cert.pem"), "client_key": str(tmp_path / "key.pem"), "max_retries": 0}
    store = NeuralSparseStore(INDEX, url=logins.server.url, client_options={**login, **logins.tls}, **logins.encoders)
    with store, pytest.raises((ServerConnectionError, ServerRequestError)) as caught:
        store.search("planet")
    assert "\n" not in str(caught.value)
