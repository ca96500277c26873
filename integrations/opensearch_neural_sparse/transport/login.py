"""Description of a client's login, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

AUTHORIZATION = "authorization"
NO_LOGIN = "without a login"


class SourcedLogin(tuple[str, str]):
    """User and password with their source; a pair, as opensearch-py takes them.

    Args:
        user: The user.
        password: The password.
        source: Origin of both, such as `the environment variables USER and PASSWORD`.
    """

    source: str

    def __new__(cls, user: str, password: str, source: str) -> Self:
        """Make the pair."""
        login = super().__new__(cls, (user, password))
        login.source = source
        return login

    def __getnewargs__(self) -> tuple[str, str, str]:
        return (*self, self.source)

    def __repr__(self) -> str:
        return f"SourcedLogin({self[0]!r}, source={self.source!r})"


def describe_login(client: Any) -> str:
    """Describe the login of a client's requests, such as `as user 'ada' (from http_auth)`.

    Args:
        client: A client of opensearch-py, blocking or asynchronous.
    """
    options = client.transport.kwargs
    return " or ".join(dict.fromkeys(_describe(host, options) for host in client.transport.hosts)) or NO_LOGIN


def user_of(login: object) -> str | None:
    """Return the user of a login in the form of `http_auth`; None if it is not a user and password."""
    if isinstance(login, str):
        return login.partition(":")[0]
    return str(login[0]) if isinstance(login, tuple | list) and login else None


def has_authorization(headers: object) -> bool:
    """Return whether headers include an authorization."""
    return isinstance(headers, Mapping) and any(str(name).lower() == AUTHORIZATION for name in headers)


def _describe(host: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    login = host.get("http_auth") or options.get("http_auth")
    if (user := user_of(login)) is not None:
        return f"as user {user!r} (from {_source(login, host)})"
    if login is not None:
        return f"signed by {_name_of(login)} (from http_auth)"
    if has_authorization(host.get("headers")) or has_authorization(options.get("headers")):
        return "with an authorization header (from headers)"
    if host.get("client_cert") or options.get("client_cert"):
        return "with a certificate (from client_cert) and without a user"
    return NO_LOGIN


def _source(login: object, host: Mapping[str, Any]) -> str:
    if isinstance(login, SourcedLogin):
        return login.source
    return "the server's address" if host.get("http_auth") else "http_auth"


def _name_of(signer: object) -> str:
    return str(getattr(signer, "__name__", type(signer).__name__))
