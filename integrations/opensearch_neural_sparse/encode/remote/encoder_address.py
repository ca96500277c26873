"""Address and key of an encoder behind HTTP."""

from __future__ import annotations

from urllib.parse import urlsplit

from opensearch_neural_sparse.errors import UnencryptedLoginWarning
from opensearch_neural_sparse.loopback import is_loopback
from opensearch_neural_sparse.telemetry.caller import warn_caller


def check_encoder_url(url: str, service: str = "an encoder") -> str:
    """Return the address of an encoder, without a slash at its end.

    Args:
        url: Such as `http://localhost:8080`, perhaps with a path.
        service: What is there, for messages.

    Raises:
        ValueError: No such address, or one with credentials, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except (AttributeError, TypeError, ValueError):
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url is the address of {service}, such as 'http://localhost:8080'; this one is not.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("url holds credentials. Give the address without them, and the key as api_key.")
    if parts.query or parts.fragment:
        raise ValueError(f"url has a query or a fragment; give the address alone, such as {_bare(url)!r}.")
    return _bare(url)


def check_api_key(key: str | None) -> str | None:
    """Return the key of an encoder, which travels in a header.

    Args:
        key: The key, or None.

    Raises:
        ValueError: It is empty, or holds characters that no header can.
    """
    if key is not None and not (isinstance(key, str) and key.isascii() and key.isprintable() and key.strip()):
        raise ValueError("api_key is empty, or holds characters other than printable ASCII. Check where it comes from.")
    return key


def warn_of_plain_key(url: str, key: str | None) -> None:
    """Warn of a key that travels without TLS to another machine.

    Args:
        url: Address of the encoder.
        key: Its key, or None.
    """
    parts = urlsplit(url)
    if key is not None and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        message = (
            f"The key for {url} is sent without TLS, and can be read on the way. Give an address that begins "
            "with https://."
        )
        warn_caller(UnencryptedLoginWarning(message))


def _bare(url: str) -> str:
    return url.partition("?")[0].partition("#")[0].rstrip("/")
