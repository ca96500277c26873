"""Client options, and signed requests of both clients."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from langchain_opensearch_neural_sparse import AwsAuth, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse.transport.logins.aws_auth import awaitable_options

pytestmark = pytest.mark.newest_server

SIGNED_FOR = ("AKIAEXAMPLE", "a secret key of somebody")


class Credentials:
    access_key, secret_key = SIGNED_FOR
    token = None


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
    assert awaitable_options(given) is given
    basic = {"http_auth": ("user", "password")}
    assert awaitable_options(basic) is basic


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
