"""A login as options of a client, given or read from environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, Self, runtime_checkable

from opensearch_neural_sparse.arguments import check_mapping, check_path, check_text, check_type
from opensearch_neural_sparse.transport.logins.aws_auth import AwsAuth
from opensearch_neural_sparse.transport.logins.described_login import AUTHORIZATION, SourcedHeader, SourcedLogin

VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "username": "OPENSEARCH_USERNAME",
        "password": "OPENSEARCH_PASSWORD",
        "api_key": "OPENSEARCH_API_KEY",
        "bearer_token": "OPENSEARCH_BEARER_TOKEN",
        "client_cert": "OPENSEARCH_CLIENT_CERT",
        "client_key": "OPENSEARCH_CLIENT_KEY",
        "ca_certs": "OPENSEARCH_CA_CERTS",
        "aws_region": "OPENSEARCH_AWS_REGION",
        "aws_service": "OPENSEARCH_AWS_SERVICE",
    }
)
"""Attribute of a login -> the environment variable that holds it."""
_KINDS = ("username", "api_key", "bearer_token", "aws_region")
"""Attributes of which a login has at most one."""
_LEFT_OUT = (("password", "username"), ("aws_service", "aws_region"))
"""An attribute, and the one without which the environment's is left out."""
_TOGETHER = (*_LEFT_OUT, ("username", "password"), ("client_key", "client_cert"))
"""An attribute, and the one that it needs."""
_DEFAULT_SERVICE = "es"


@runtime_checkable
class SecretValue(Protocol):
    """A secret that shows itself only when asked, such as pydantic's `SecretStr`."""

    def get_secret_value(self) -> str:
        """Return the secret."""
        ...


@dataclass(frozen=True, kw_only=True)
class ClientLogin:
    """A login at OpenSearch, as options of its clients.

    It has a user and password, an API key, a bearer token or an AWS region, at most one of them; a client certificate
    stands alone or beside one. Secrets are strings, or objects with `get_secret_value`, such as pydantic's `SecretStr`;
    the representation holds none.

    Attributes:
        username: The user.
        password: Its password.
        api_key: An API key of the security plugin, which OpenSearch 3.7 and later have.
        bearer_token: A JSON web token, without the word `Bearer`.
        client_cert: File of the client's certificate, PEM.
        client_key: File of its private key, unless `client_cert` holds both.
        ca_certs: File of the authorities to trust.
        aws_region: Region of Amazon's service, such as `eu-central-1`; requests are signed (SigV4) with the credentials
            that boto3 finds.
        aws_service: `es` for a domain, `aoss` for a serverless collection; by default `es`.
        sources: Attribute -> its origin, which errors name, such as an environment variable.

    Raises:
        TypeError: Something of a wrong type.
        ValueError: Two logins, or half of one.

    Examples:
        ```python
        login = ClientLogin(api_key="os_...")
        options = {**login.client_options(), "timeout": 30}
        store = NeuralSparseStore("articles", url="https://search.example.com:9200", client_options=options)
        ```
    """

    username: str | None = None
    password: str | SecretValue | None = field(default=None, repr=False)
    api_key: str | SecretValue | None = field(default=None, repr=False)
    bearer_token: str | SecretValue | None = field(default=None, repr=False)
    client_cert: str | Path | None = None
    client_key: str | Path | None = None
    ca_certs: str | Path | None = None
    aws_region: str | None = None
    aws_service: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_text(optional=True, username=self.username, aws_region=self.aws_region, aws_service=self.aws_service)
        check_path(optional=True, client_cert=self.client_cert, client_key=self.client_key, ca_certs=self.ca_certs)
        secrets = {name: getattr(self, name) for name in ("password", "api_key", "bearer_token")}
        check_type((str, SecretValue), optional=True, **secrets)
        check_mapping(sources=self.sources)
        kinds = [name for name in _KINDS if self._has(name)]
        if len(kinds) > 1:
            names = " and ".join(map(self._source_of, kinds))
            raise ValueError(f"A login is one of several kinds, and {names} are set. Keep one of them.")
        for name, needed in _TOGETHER:
            if self._has(name) and not self._has(needed):
                raise ValueError(f"{self._source_of(name)} is set without {self._source_of(needed)}. Set both.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Read a login from environment variables: `OPENSEARCH_` and the attribute, such as `OPENSEARCH_API_KEY`.

        A password without a user, or a service without a region, is left out.

        Args:
            environment: Variables in place of the process's; an empty one counts as not set.
            **given: Attributes in place of their variables; one that logs in replaces every login of the environment.

        Raises:
            ValueError: Two logins, or half of one.
        """
        environment = os.environ if environment is None else environment
        check_mapping(environment=environment)
        given = {name: value for name, value in given.items() if value is not None}
        others = _KINDS if any(name in given for name in _KINDS) else ()
        read = {
            name: environment[variable]
            for name, variable in VARIABLES.items()
            if environment.get(variable) and name not in (*given, *others)
        }
        for name, needed in _LEFT_OUT:
            if needed not in {**read, **given}:
                read.pop(name, None)
        check_mapping(optional=True, sources=given.get("sources"))
        sources = {**{name: VARIABLES[name] for name in VARIABLES if name not in given}, **given.pop("sources", {})}
        return cls(sources=sources, **read, **given)

    def client_options(self) -> dict[str, Any]:
        """Return the options of a client, blocking or asynchronous; none where there is no login."""
        files = {"client_cert": self.client_cert, "client_key": self.client_key, "ca_certs": self.ca_certs}
        options: dict[str, Any] = {name: str(path) for name, path in files.items() if path}
        if self.username and self.password:
            names = [self._source_of(name) for name in ("username", "password")]
            options["http_auth"] = SourcedLogin(self.username, _plain(self.password), _joined(names))
        if self.aws_region:
            options["http_auth"] = AwsAuth(self.aws_region, self.aws_service or _DEFAULT_SERVICE)
        for name, scheme, kind in (("api_key", "ApiKey", "an API key"), ("bearer_token", "Bearer", "a bearer token")):
            if self._has(name):
                value = f"{scheme} {_plain(getattr(self, name))}"
                options["headers"] = {AUTHORIZATION: SourcedHeader(value, kind, self._source_of(name))}
        return options

    def _has(self, name: str) -> bool:
        value = getattr(self, name)
        return bool(value) and bool(_plain(value))

    def _source_of(self, name: str) -> str:
        return self.sources.get(name, name)


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretValue) else str(value)


def _joined(names: list[str]) -> str:
    if all(map(_is_variable, names)):
        return f"the environment variables {' and '.join(names)}"
    return " and ".join(f"the environment variable {name}" if _is_variable(name) else name for name in names)


def _is_variable(name: str) -> bool:
    return name in VARIABLES.values()
