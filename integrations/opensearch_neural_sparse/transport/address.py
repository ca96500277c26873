"""Server addresses: validation, and display without credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

_SCHEMES = ("http", "https")
_FORM = "such as https://localhost:9200"


def check_address(url: Any) -> None:
    """Validate the address of a server, or several, in the forms of opensearch-py.

    Args:
        url: A URL, a mapping with the key `host`, or a sequence of either.

    Raises:
        TypeError: Another type.
        ValueError: No address, or a user without a password.
    """
    for one in hosts_of(url):
        if isinstance(one, str):
            _check_url(one)
        elif not isinstance(one, Mapping):
            raise TypeError(f"The address of a server is a URL, {_FORM}, got {type(one).__name__}.")


def hosts_of(url: Any) -> Sequence[Any]:
    """Return the addresses of a URL, a mapping, or a sequence of either."""
    return url if isinstance(url, Sequence) and not isinstance(url, str) else [url]


def shown(url: Any, *, secure: bool = False) -> str:
    """Format the address of one or several servers without credentials.

    Args:
        url: As `check_address` takes it.
        secure: Whether TLS is spoken to an address that does not say.
    """
    return ", ".join(_shown(one, secure) for one in hosts_of(url)) or "an unknown address"


def split_url(url: str) -> SplitResult:
    """Split a URL, with or without a scheme."""
    return urlsplit(url if "://" in url else f"//{url}")


def _check_url(url: str) -> None:
    if not url.strip():
        raise ValueError(
            f"The address of a server is empty. Give one, {_FORM}; where it is read from an environment variable, such "
            "as OPENSEARCH_URL, that one is set and empty: set it to the address, or unset it."
        )
    try:
        parts = split_url(url)
    except ValueError as error:  # such as brackets that are not closed
        raise ValueError(f"The address of a server is a URL, {_FORM}; this one cannot be read: {error}.") from None
    try:
        port_is_good = parts.port is None or parts.port > 0
    except ValueError:
        port_is_good = False
    if not parts.hostname or not port_is_good or parts.scheme not in ("", *_SCHEMES):
        raise ValueError(
            f"The address of a server begins with http:// or https://, {_FORM}, got {_shown(url, False)!r}."
        )
    if parts.username is not None and parts.password is None:
        raise ValueError(f"The address {_shown(url, False)!r} has a user without a password; give both as http_auth.")


def _shown(one: Any, secure: bool) -> str:
    if isinstance(one, str):
        before, separator, rest = one.rpartition("@")
        rest = rest.partition("?")[0].partition("#")[0]
        scheme = before.partition("://")[0] if "://" in before else ""
        return f"{scheme}://{rest}" if separator and scheme else rest
    if not isinstance(one, Mapping):
        return f"<{type(one).__name__}>"
    scheme = one.get("scheme") or ("https" if one.get("use_ssl", secure) else "http")
    prefix = str(one.get("url_prefix") or "").strip("/")
    port = f":{one['port']}" if one.get("port") else ""
    host = str(one.get("host", "localhost")).rpartition("@")[2]
    return f"{scheme}://{host}{port}" + (f"/{prefix}" if prefix else "")
