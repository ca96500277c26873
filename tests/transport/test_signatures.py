"""Requests that are signed for Amazon, checked by a server that verifies signatures by itself."""

from __future__ import annotations

from typing import Any

import pytest
from opensearchpy import (
    AsyncHttpConnection,
    AuthorizationException,
    AWSV4SignerAsyncAuth,
    RequestsAWSV4SignerAuth,
    RequestsHttpConnection,
    Urllib3AWSV4SignerAuth,
)

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, ServerRequestError
from tests.transport.signature_verifier import ACCESS_KEY, REGION, SECRET_KEY, SESSION_TOKEN, verifying_server

pytest.importorskip("botocore")
PATHS = ("a/b", "with a blank", "größe", "1+1=2", "50%")
BODY = {"query": {"match": {"content": "größer als 1 + 1"}}}


class Credentials:
    access_key, secret_key = ACCESS_KEY, SECRET_KEY

    def __init__(self, token: str | None) -> None:
        self.token = token


BLOCKING = {
    "urllib3": (Urllib3AWSV4SignerAuth, {}),
    "requests": (RequestsAWSV4SignerAuth, {"connection_class": RequestsHttpConnection}),
}


@pytest.mark.parametrize("service", ["es", "aoss"])
@pytest.mark.parametrize("token", [None, SESSION_TOKEN])
@pytest.mark.parametrize("connection", BLOCKING)
def test_blocking_requests_have_the_right_signature(service: str, token: str | None, connection: str) -> None:
    signer, options = BLOCKING[connection]
    with verifying_server(service) as verifier:
        login: dict[str, Any] = {"http_auth": signer(Credentials(token), REGION, service), "max_retries": 0, **options}
        with NeuralSparseStore("articles", url=verifier.url, client_options=login) as store:
            client = store.client()
            for path in PATHS:
                client.index(index="articles", id=path, body=BODY)
                client.search(index="articles", body=BODY, params={"routing": path.replace(" ", "")})
            client.msearch(body=[{}, BODY])
    assert verifier.problems == [""] * (2 * len(PATHS) + 1)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("service", ["es", "aoss"])
@pytest.mark.parametrize("token", [None, SESSION_TOKEN])
async def test_awaited_requests_have_the_right_signature(service: str, token: str | None) -> None:
    with verifying_server(service) as verifier:
        signer = AWSV4SignerAsyncAuth(Credentials(token), REGION, service)
        login: dict[str, Any] = {"http_auth": signer, "connection_class": AsyncHttpConnection, "max_retries": 0}
        async with AsyncNeuralSparseStore("articles", url=verifier.url, client_options=login) as store:
            client = await store.client()
            for path in PATHS:
                await client.index(index="articles", id=path, body=BODY)
            await client.msearch(body=[{}, BODY])
    assert verifier.problems == [""] * (len(PATHS) + 1)


def test_a_blank_in_a_parameter_is_signed_as_a_plus_as_the_documentation_says() -> None:
    with verifying_server("es") as verifier:
        login = {"http_auth": Urllib3AWSV4SignerAuth(Credentials(None), REGION, "es"), "max_retries": 0}
        with NeuralSparseStore("articles", url=verifier.url, client_options=login) as store:
            client = store.client()
            with pytest.raises(AuthorizationException):
                client.search(index="articles", body=BODY, params={"routing": "x y"})
    assert verifier.problems == ["another signature for /articles/_search?routing=x+y"]


def test_a_verifier_refuses_what_was_signed_with_another_key() -> None:
    class Others(Credentials):
        secret_key = "another key"

    with verifying_server("es") as verifier:
        login = {"http_auth": Urllib3AWSV4SignerAuth(Others(None), REGION, "es"), "max_retries": 0}
        store = NeuralSparseStore("articles", url=verifier.url, client_options=login)
        with store, pytest.raises(ServerRequestError) as caught:
            store.open()
    assert verifier.problems == ["another signature for /articles"]
    assert "signed by Urllib3AWSV4SignerAuth (from http_auth)" in str(caught.value)
    assert not {"another key", ACCESS_KEY} & set(str(caught.value).split())
