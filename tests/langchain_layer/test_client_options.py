"""Clients of one's own and clients made for an address: who closes them, what they are told."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import AwsAuth, OpenSearchNeuralSparseVectorStore
from langchain_opensearch_neural_sparse.client_options import async_options
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore

pytestmark = pytest.mark.newest_server

SIGNED_FOR = ("AKIAEXAMPLE", "a secret key of somebody")


class Credentials:
    access_key, secret_key = SIGNED_FOR
    token = None


@pytest.fixture
def encoders(encoder) -> dict[str, Any]:
    return {"query_encoder": encoder, "document_encoder": encoder}


def test_a_misspelt_option_is_refused_by_name_and_without_its_value() -> None:
    options = {"basic_auth": ("user", "hidden"), "timeout": 5}
    with pytest.raises(TypeError, match="basic_auth") as caught:
        OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9", client_options=options)
    assert "hidden" not in str(caught.value)


def test_client_options_that_no_client_takes_are_refused(server, encoders) -> None:
    from opensearchpy import AsyncOpenSearch, OpenSearch

    told = {"client_options": {"timeout": 5}, **encoders}
    with OpenSearch(server.url) as client:
        for options in ({"client": client}, {"client": client, "async_client": AsyncOpenSearch(), "url": server.url}):
            with pytest.raises(ValueError, match="client_options are for the clients that are made for url"):
                OpenSearchNeuralSparseVectorStore("articles", **options, **told)
        both = OpenSearchNeuralSparseVectorStore("articles", client=client, url=server.url, **told)
        assert both.store.client() is client


async def test_one_side_alone_works_and_the_other_says_what_it_lacks(server, index_name, encoders) -> None:
    from opensearchpy import AsyncOpenSearch, OpenSearch

    with OpenSearch(server.url) as client:
        blocking = OpenSearchNeuralSparseVectorStore(index_name, client=client, **encoders)
        assert blocking.add_texts(["rivers"], ids=["1"]) == ["1"]
        with pytest.raises(ValueError, match="async_client"):
            await blocking.asimilarity_search("rivers")
        await blocking.aclose()
        assert client.ping()
    async with AsyncOpenSearch(server.url) as async_client:
        awaited = OpenSearchNeuralSparseVectorStore(index_name, async_client=async_client, **encoders)
        assert [one.id for one in await awaited.asimilarity_search("rivers")] == ["1"]
        with pytest.raises(ValueError, match="client="):
            awaited.similarity_search("rivers")
        await awaited.aclose()
        assert await async_client.ping()


async def test_both_clients_of_ones_own_stay_open(server, index_name, encoders) -> None:
    from opensearchpy import AsyncOpenSearch, OpenSearch

    with OpenSearch(server.url) as client:
        async with AsyncOpenSearch(server.url) as async_client:
            clients = {"client": client, "async_client": async_client}
            async with OpenSearchNeuralSparseVectorStore(index_name, **clients, **encoders) as vectorstore:
                await vectorstore.aadd_documents([Document(id="1", page_content="rivers")])
                assert len(vectorstore.similarity_search("rivers")) == 1
            assert client.ping()
            assert await async_client.ping()


async def test_stores_of_the_core_will_do_and_stay_open(server, index_name, encoders) -> None:
    async with AsyncNeuralSparseStore(index_name, url=server.url, **encoders) as async_store:
        with NeuralSparseStore(index_name, url=server.url, **encoders) as store:
            async with OpenSearchNeuralSparseVectorStore(store=store, async_store=async_store) as vectorstore:
                await vectorstore.aadd_texts(["rivers"])
            assert store.count() == await async_store.count() == 1


def test_every_event_loop_has_a_client_that_ends_with_it(server, index_name, encoders) -> None:
    vectorstore = OpenSearchNeuralSparseVectorStore(index_name, url=server.url, **encoders)

    async def run(text: str) -> Any:
        await vectorstore.aadd_texts([text], ids=[text])
        return (await vectorstore.async_store.client()).transport.connection_pool.connections[0]

    connections = [asyncio.run(run(text)) for text in ("rivers", "lakes")]
    assert connections[0] is not connections[1]
    assert [one.session for one in connections] == [None, None]
    assert len(vectorstore.similarity_search("rivers")) == 2
    vectorstore.close()


async def test_both_sides_share_one_encoder(make_store, vectorstore) -> None:
    from tests.paths import SMALL_MODEL

    vectorstore = make_store(model=SMALL_MODEL, query_encoder=None, document_encoder=None)
    await vectorstore.aadd_texts(["Rivers carry water to the sea."], ids=["1"])
    vectorstore.add_texts(["A bank lends money."], ids=["2"])
    assert vectorstore.store._context.encoders is vectorstore.async_store._context.encoders
    assert [one.id for one in vectorstore.similarity_search("water", k=1)] == ["1"]
    await vectorstore.aclose()


async def test_requests_of_either_client_are_signed(monkeypatch) -> None:
    from opensearchpy import ConnectionError as NoConnection

    signed = []
    auth = AwsAuth("eu-central-1", "aoss", Credentials())
    original = AwsAuth.__call__

    def noted(self: AwsAuth, *args: Any, **kwargs: Any) -> Any:
        headers = original(self, *args, **kwargs)
        signed.append(headers["Authorization"])
        return headers

    monkeypatch.setattr(AwsAuth, "__call__", noted)
    options = {"http_auth": auth, "max_retries": 0}
    vectorstore = OpenSearchNeuralSparseVectorStore("articles", url="http://localhost:9", client_options=options)
    with pytest.raises(NoConnection):
        vectorstore.store.client().info()
    with pytest.raises(NoConnection):
        await (await vectorstore.async_store.client()).info()
    await vectorstore.aclose()
    scope = "/eu-central-1/aoss/aws4_request"
    assert all(header.startswith(f"AWS4-HMAC-SHA256 Credential={SIGNED_FOR[0]}/") for header in signed)
    assert [scope in header for header in signed] == [True, True]
    assert SIGNED_FOR[1] not in repr(auth) + repr(vectorstore)


def test_a_signature_is_that_of_the_signer_of_opensearch_py(monkeypatch) -> None:
    from opensearchpy import Urllib3AWSV4SignerAuth

    request = ("GET", "https://search.example.com/articles/_search?size=3", b"{}")
    own = AwsAuth("eu-central-1", credentials=Credentials())
    theirs = Urllib3AWSV4SignerAuth(Credentials(), "eu-central-1")
    for _ in range(3):
        mine, other = own(*request), theirs(*request)
        if mine["X-Amz-Date"] == other["X-Amz-Date"]:
            break
    assert mine == other


def test_a_connection_class_of_ones_own_is_kept() -> None:
    given = {"http_auth": AwsAuth("eu-central-1"), "connection_class": object}
    assert async_options(given) is given
    basic = {"http_auth": ("user", "password")}
    assert async_options(basic) is basic


@pytest.mark.slow
async def test_a_login_and_a_root_certificate_serve_both_sides(secured_server, encoders) -> None:
    login = secured_server.login
    options = {"http_auth": (login.user, login.password), "ca_certs": str(login.ca_file)}
    index, url = f"test-{uuid.uuid4().hex}", secured_server.url
    async with OpenSearchNeuralSparseVectorStore(index, url=url, client_options=options, **encoders) as vectorstore:
        await vectorstore.aadd_texts(["rivers"], ids=["1"])
        assert vectorstore.similarity_search("rivers") == await vectorstore.asimilarity_search("rivers")
        assert vectorstore.store.count() == 1
        vectorstore.store.delete_index()
