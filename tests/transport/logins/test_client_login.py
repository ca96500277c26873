"""A login as options of a client, given or read from environment variables."""

from __future__ import annotations

import asyncio
import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    AwsAuth,
    ClientLogin,
    MissingDependencyError,
    NeuralSparseStore,
)
from opensearch_neural_sparse.transport.logins.client_login import VARIABLES

USER = {"OPENSEARCH_USERNAME": "ada", "OPENSEARCH_PASSWORD": "SECRET"}
APIKEY = {"headers": {"authorization": "ApiKey os_SECRET"}}
KEY = {"OPENSEARCH_API_KEY": "os_SECRET"}
TOKEN = {"OPENSEARCH_BEARER_TOKEN": "SECRET.of.ada"}
FILES = {"OPENSEARCH_CLIENT_CERT": "c.pem", "OPENSEARCH_CLIENT_KEY": "k.pem", "OPENSEARCH_CA_CERTS": "ca.pem"}


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({}, {}),
        (USER, {"http_auth": ("ada", "SECRET")}),
        (KEY, APIKEY),
        (TOKEN, {"headers": {"authorization": "Bearer SECRET.of.ada"}}),
        (FILES, {"client_cert": "c.pem", "client_key": "k.pem", "ca_certs": "ca.pem"}),
        (
            {**TOKEN, "OPENSEARCH_CLIENT_CERT": "c.pem"},
            {"headers": {"authorization": "Bearer SECRET.of.ada"}, "client_cert": "c.pem"},
        ),
        ({"OPENSEARCH_PASSWORD": "of nobody", "OPENSEARCH_AWS_SERVICE": "aoss"}, {}),
        (
            {**KEY, "OPENSEARCH_USERNAME": "", "OPENSEARCH_PASSWORD": ""},
            {"headers": {"authorization": "ApiKey os_SECRET"}},
        ),
    ],
)
def test_a_login_of_the_environment_is_options_of_a_client(
    environment: dict[str, str], options: dict[str, Any]
) -> None:
    assert ClientLogin.from_environment(environment).client_options() == options


def test_signing_without_boto3_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = AwsAuth("eu-central-1")
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.setattr("opensearch_neural_sparse.transport.logins.aws_auth.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"boto3.*\[aws\]"):
        AwsAuth("eu-central-1")
    named = pytest.raises(MissingDependencyError, match=r"^Signing requests .*boto3.*\[aws\]")
    arguments: dict[str, Any] = {"url": "http://127.0.0.1:9", "client_options": {"http_auth": sent}}
    with NeuralSparseStore("none", **arguments) as store, named:
        store.count()

    async def count() -> None:
        async with AsyncNeuralSparseStore("none", **arguments) as other:
            await other.count()

    with named:
        asyncio.run(count())


def test_a_region_signs_requests() -> None:
    environment = {"OPENSEARCH_AWS_REGION": "eu-central-1", "OPENSEARCH_AWS_SERVICE": "aoss"}
    signer = ClientLogin.from_environment(environment).client_options()["http_auth"]
    assert isinstance(signer, AwsAuth)
    assert (signer.region, signer.service) == ("eu-central-1", "aoss")
    assert ClientLogin(aws_region="eu-west-1").client_options()["http_auth"].service == "es"


def test_the_process_has_the_environment_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    assert ClientLogin.from_environment() == ClientLogin()
    monkeypatch.setenv("OPENSEARCH_API_KEY", "os_SECRET")
    assert ClientLogin.from_environment() == ClientLogin(api_key="os_SECRET")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"username": "ada"}, r"^username is set without password\. Set both\.$"),
        ({"password": "SECRET"}, r"^password is set without username\. Set both\.$"),
        ({"client_key": "k.pem"}, r"^client_key is set without client_cert\. Set both\.$"),
        ({"aws_service": "es"}, r"^aws_service is set without aws_region\. Set both\.$"),
        ({"api_key": "SECRET", "bearer_token": "SECRET"}, r"api_key and bearer_token are set\. Keep one of them\.$"),
        ({"username": "a", "password": "SECRET", "aws_region": "x"}, r"username and aws_region are set"),
    ],
)
def test_two_logins_or_half_of_one_are_refused_without_the_secret(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        ClientLogin(**given)
    assert "SECRET" not in str(caught.value)


def test_two_logins_of_the_environment_are_named_by_their_variables() -> None:
    with pytest.raises(ValueError, match="OPENSEARCH_USERNAME and OPENSEARCH_API_KEY are set") as caught:
        ClientLogin.from_environment({**USER, **KEY})
    assert "SECRET" not in str(caught.value)
    with pytest.raises(ValueError, match=r"^OPENSEARCH_USERNAME is set without OPENSEARCH_PASSWORD"):
        ClientLogin.from_environment({"OPENSEARCH_USERNAME": "ada"})


def test_a_login_that_is_given_replaces_those_of_the_environment() -> None:
    read = ClientLogin.from_environment({**USER, **KEY, "OPENSEARCH_CA_CERTS": "ca.pem"}, bearer_token="SECRET")
    assert read == ClientLogin(bearer_token="SECRET", ca_certs="ca.pem")
    assert ClientLogin.from_environment({**USER, **KEY}, username="eve").username == "eve"


def test_secrets_of_pydantic_are_taken_and_no_representation_has_one() -> None:
    for name in ("password", "api_key", "bearer_token"):
        user = {"username": "ada"} if name == "password" else {}
        for secret in ("SECRET", SecretStr("SECRET")):
            login = ClientLogin(**user, **{name: secret})
            options = login.client_options()
            assert "SECRET" in "".join(map(str, (*options.get("http_auth", ()), *options.get("headers", {}).values())))
            assert "SECRET" not in repr(login) + repr(options)


@pytest.mark.parametrize("environment", [USER, KEY, TOKEN])
def test_a_copy_of_options_is_as_they_were(environment: dict[str, str]) -> None:
    options = ClientLogin.from_environment(environment).client_options()
    for copied in (copy.deepcopy(options), pickle.loads(pickle.dumps(options))):
        assert (copied, repr(copied)) == (options, repr(options))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ClientLogin(username=7), "username is a text"),
        (lambda: ClientLogin(username="a", password=b"SECRET"), "password is a str or SecretValue or None, got bytes"),
        (lambda: ClientLogin(ca_certs=True), "ca_certs is a path"),
        (lambda: ClientLogin(sources=["password"]), "sources is a mapping"),
        (lambda: ClientLogin.from_environment(["OPENSEARCH_API_KEY"]), "environment is a mapping"),
        (lambda: ClientLogin.from_environment({}, sources=7), "sources is a mapping"),
        (lambda: AwsAuth(None), "region is a text"),
    ],
)
def test_wrong_types_are_refused_by_the_name_of_the_parameter(make: Callable[[], object], said: str) -> None:
    with pytest.raises(TypeError, match=said) as refused:
        make()
    assert "SECRET" not in str(refused.value)
