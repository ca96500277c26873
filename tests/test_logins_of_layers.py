"""Each kind of login, in the core, both layers and the command line: what is sent, and what a refusal says of it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from haystack.utils import Secret
from pydantic import SecretStr

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import AsyncNeuralSparseStore, ClientLogin, NeuralSparseStore, ServerRequestError
from opensearch_neural_sparse.cli.connection import Connection
from opensearch_neural_sparse.transport.logins.client_login import VARIABLES
from tests.refusing_server import refusing_server
from tests.transport.signature_verifier import ACCESS_KEY, REGION, SECRET_KEY, verifying_server

Ask = Callable[[str], None]
BASIC = f"Basic {b64encode(b'ada:SECRET').decode()}"
KINDS = [
    (
        {"OPENSEARCH_USERNAME": "ada", "OPENSEARCH_PASSWORD": "SECRET"},
        BASIC,
        "as user 'ada' (from the environment variables OPENSEARCH_USERNAME and OPENSEARCH_PASSWORD)",
    ),
    ({"OPENSEARCH_API_KEY": "SECRET"}, "ApiKey SECRET", "with an API key (from OPENSEARCH_API_KEY)"),
    ({"OPENSEARCH_BEARER_TOKEN": "SECRET"}, "Bearer SECRET", "with a bearer token (from OPENSEARCH_BEARER_TOKEN)"),
]


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*VARIABLES.values(), "OPENSEARCH_URL"):
        monkeypatch.delenv(variable, raising=False)


def by_core(url: str) -> None:
    with NeuralSparseStore(
        "articles", url=url, client_options=ClientLogin.from_environment().client_options()
    ) as store:
        store.open()


def by_awaited_core(url: str) -> None:
    async def ask() -> None:
        options = ClientLogin.from_environment().client_options()
        async with AsyncNeuralSparseStore("articles", url=url, client_options=options) as store:
            await store.open()

    asyncio.run(ask())


def by_langchain(url: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENSEARCH_URL", url)
        with OpenSearchNeuralSparseVectorStore("articles") as vectorstore:
            vectorstore.store.open()


def by_awaited_langchain(url: str) -> None:
    async def ask() -> None:
        async with OpenSearchNeuralSparseVectorStore("articles") as vectorstore:
            await vectorstore.async_store.open()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENSEARCH_URL", url)
        asyncio.run(ask())


def by_haystack(url: str) -> None:
    OpenSearchNeuralSparseDocumentStore(hosts=url, index="articles", create_index=False).count_documents()


def by_awaited_haystack(url: str) -> None:
    async def ask() -> None:
        store = OpenSearchNeuralSparseDocumentStore(hosts=url, index="articles", create_index=False)
        try:
            await store.count_documents_async()
        finally:
            await store.close_async()

    asyncio.run(ask())


def by_command_line(url: str) -> None:
    import os

    with Connection(url=url, user=os.environ.get("OPENSEARCH_USERNAME")).store("articles") as store:
        store.open()


EVERY_LAYER = pytest.mark.parametrize(
    "ask",
    [by_core, by_awaited_core, by_langchain, by_awaited_langchain, by_haystack, by_awaited_haystack, by_command_line],
)


@EVERY_LAYER
@pytest.mark.parametrize(("environment", "sent", "said"), KINDS)
def test_every_layer_logs_in_by_the_environment(
    ask: Ask, environment: dict[str, str], sent: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with refusing_server() as (url, seen), pytest.raises(Exception, match="401") as caught:
        ask(url)
    assert set(seen) == {sent}
    assert said in str(caught.value)
    assert "SECRET" not in str(caught.value)


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("boto3")
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "OPENSEARCH_AWS_REGION": REGION,
        "OPENSEARCH_AWS_SERVICE": "aoss",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with verifying_server("aoss") as verifier:
        yield verifier


def test_every_layer_signs_for_amazon(amazon: Any) -> None:
    options = ClientLogin.from_environment().client_options()

    async def awaited() -> None:
        async with AsyncNeuralSparseStore("articles", url=amazon.url, client_options=options) as store:
            await (await store.client()).search(index="articles", body={"query": {"match_all": {}}})

    with NeuralSparseStore("articles", url=amazon.url, client_options=options) as store:
        store.client().search(index="articles", body={"query": {"match_all": {}}})
    asyncio.run(awaited())
    with Connection(url=amazon.url, aws_region=REGION, aws_service="aoss").client() as client:
        client.search(index="articles", body={"query": {"match_all": {}}})
    assert amazon.problems == [""] * 3


def test_the_command_line_names_options_that_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "SECRET")
    with pytest.raises(typer.BadParameter, match="--user and --aws-region are set"):
        Connection(url="http://localhost:1", user="ada", aws_region=REGION).options()
    with pytest.raises(typer.BadParameter, match="--client-key is set without OPENSEARCH_CLIENT_CERT"):
        Connection(url="http://localhost:1", client_key=Path("key.pem")).options()
    monkeypatch.setenv("OPENSEARCH_API_KEY", "SECRET")
    assert "headers" not in Connection(url="http://localhost:1", user="ada").options()


def test_langchain_keeps_a_login_of_its_options_and_takes_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_API_KEY", "SECRET of the environment")
    options = ClientLogin(bearer_token=SecretStr("SECRET")).client_options()
    with refusing_server() as (url, seen):
        monkeypatch.setenv("OPENSEARCH_URL", url)
        for given in ({"client_options": options}, {"client_options": options, "url": url}, {"url": url}):
            with OpenSearchNeuralSparseVectorStore("articles", **given) as vectorstore:
                assert "SECRET" not in repr(vectorstore)
                with pytest.raises(ServerRequestError, match="401"):
                    vectorstore.store.open()
    assert seen == ["Bearer SECRET", "Bearer SECRET", None]


def test_langchain_without_an_address_names_the_variable() -> None:
    with pytest.raises(ValueError, match="set OPENSEARCH_URL"):
        OpenSearchNeuralSparseVectorStore("articles")


def haystack_sends(**parameters: Any) -> set[str | None]:
    with refusing_server() as (url, seen):
        store = OpenSearchNeuralSparseDocumentStore(hosts=url, index="articles", create_index=False, **parameters)
        copied = OpenSearchNeuralSparseDocumentStore.from_dict(store.to_dict())
        for one in (store, copied):
            with pytest.raises(Exception, match="401"):
                one.count_documents()
    return set(seen)


def test_haystack_prefers_a_login_that_is_given_and_saves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_API_KEY", "SECRET")
    monkeypatch.setenv("MY_TOKEN", "a.b.c")
    token = Secret.from_env_var("MY_TOKEN")
    assert haystack_sends() == {"ApiKey SECRET"}
    assert haystack_sends(api_key=None) == {None}
    assert haystack_sends(bearer_token=token) == {"Bearer a.b.c"}
    assert haystack_sends(bearer_token=token, headers={"x-opaque-id": "mine"}) == {"Bearer a.b.c"}
    saved = OpenSearchNeuralSparseDocumentStore(bearer_token=token).to_dict()["init_parameters"]
    assert saved["bearer_token"] == {"type": "env_var", "env_vars": ["MY_TOKEN"], "strict": True}
    assert "api_key" not in saved
    with pytest.raises(ValueError, match="Cannot serialize token-based secret"):
        OpenSearchNeuralSparseDocumentStore(api_key=Secret.from_token("SECRET")).to_dict()


def test_haystack_refuses_two_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_API_KEY", "SECRET")
    monkeypatch.setenv("OPENSEARCH_BEARER_TOKEN", "SECRET")
    store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:1")
    with pytest.raises(ValueError, match="OPENSEARCH_API_KEY and OPENSEARCH_BEARER_TOKEN are set") as caught:
        store.count_documents()
    assert "SECRET" not in str(caught.value)
