"""Description of a client's login, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from opensearch_neural_sparse.errors import UnencryptedLoginWarning
from opensearch_neural_sparse.loopback import is_loopback
from opensearch_neural_sparse.telemetry.caller import warn_caller
from opensearch_neural_sparse.transport.address import hosts_of, shown, split_url

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


class SourcedHeader(str):
    """Value of an authorization header with its kind and source; a string, as opensearch-py takes it.

    Args:
        value: The value.
        kind: What it is, such as `a bearer token`.
        source: Its origin, such as an environment variable.
    """

    kind: str
    source: str

    def __new__(cls, value: str, kind: str, source: str) -> Self:
        """Make the value."""
        header = super().__new__(cls, value)
        header.kind, header.source = kind, source
        return header

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.kind, self.source)

    def __repr__(self) -> str:
        return f"SourcedHeader({self.kind!r}, source={self.source!r})"


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


def has_login(options: Mapping[str, Any]) -> bool:
    """Return whether options of a client hold a login: a user, a signer, a certificate or an authorization."""
    logins = (options.get("http_auth"), options.get("client_cert"), _authorization(options.get("headers")))
    return any(logins)


def warn_of_plain_login(url: Any, options: Mapping[str, Any]) -> None:
    """Warn of a password, or an authorization header, that travels without TLS to another machine.

    Args:
        url: One or several addresses, as `check_address` takes them.
        options: Options of the client.
    """
    plain = [host for host in hosts_of(url) if _is_plain(host, options) and _has_secret(host, options)]
    if plain:
        message = (
            f"The login for {shown(plain)} is sent without TLS, and can be read on the way. Give an address that "
            "begins with https://."
        )
        warn_caller(UnencryptedLoginWarning(message))


def _is_plain(host: Any, options: Mapping[str, Any]) -> bool:
    """Return whether requests to a host leave this machine without TLS."""
    if isinstance(host, str):
        parts = split_url(host)
        name, scheme, secure = parts.hostname or "", parts.scheme, options.get("use_ssl")
    else:
        name, scheme = str(host.get("host", "localhost")), str(host.get("scheme") or options.get("scheme"))
        secure = host.get("use_ssl", options.get("use_ssl"))
    return not secure and scheme != "https" and not is_loopback(name)


def _has_secret(host: Any, options: Mapping[str, Any]) -> bool:
    """Return whether requests carry a password or an authorization; a signature by a key of AWS reveals no secret."""
    own: Mapping[str, Any] = host if isinstance(host, Mapping) else {}
    in_url = isinstance(host, str) and split_url(host).password is not None
    logins = (own.get("http_auth"), options.get("http_auth"))
    headers = (own.get("headers"), options.get("headers"))
    return in_url or any(map(user_of, logins)) or any(_authorization(row) is not None for row in headers)


def _describe(host: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    login = host.get("http_auth") or options.get("http_auth")
    if (user := user_of(login)) is not None:
        return f"as user {user!r} (from {_source(login, host)})"
    if login is not None:
        return f"signed by {_name_of(login)} (from http_auth)"
    for headers in (host.get("headers"), options.get("headers")):
        if (value := _authorization(headers)) is not None:
            return _describe_header(value)
    if host.get("client_cert") or options.get("client_cert"):
        return "with a certificate (from client_cert) and without a user"
    return NO_LOGIN


def _authorization(headers: object) -> object:
    """Return the authorization of headers, or None."""
    rows = headers.items() if isinstance(headers, Mapping) else ()
    return next((value for name, value in rows if str(name).lower() == AUTHORIZATION), None)


def _describe_header(value: object) -> str:
    if isinstance(value, SourcedHeader):
        return f"with {value.kind} (from {value.source})"
    return "with an authorization header (from headers)"


def _source(login: object, host: Mapping[str, Any]) -> str:
    if isinstance(login, SourcedLogin):
        return login.source
    return "the server's address" if host.get("http_auth") else "http_auth"


def _name_of(signer: object) -> str:
    return str(getattr(signer, "__name__", type(signer).__name__))
