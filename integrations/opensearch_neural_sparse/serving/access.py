"""Access to the service: its key, and the addresses that need one."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping

from opensearch_neural_sparse.loopback import is_loopback, is_loopback_header

DEFAULT_KEY_VARIABLE = "ENCODER_API_KEY"


def read_api_key(variable: str, environment: Mapping[str, str]) -> str | None:
    """Return the key that an environment variable holds, or None.

    Args:
        variable: Its name.
        environment: The environment variables.

    Raises:
        ValueError: A named variable is not set, or a key that no header can hold.
    """
    key = environment.get(variable, "").strip()
    if not key:
        if variable != DEFAULT_KEY_VARIABLE:
            raise ValueError(f"The environment variable {variable!r} is not set, or empty. Set it to the key.")
        return None
    if not all("!" <= character <= "~" for character in key):
        raise ValueError(f"The key in {variable!r} has spaces or characters beyond ASCII, which no header can hold.")
    return key


def ensure_protected(host: str, api_key: str | None, *, no_auth: bool) -> None:
    """Refuse to listen without a key where other machines can connect.

    Args:
        host: Address that the service listens on.
        api_key: Its key, or None.
        no_auth: Whether it does without a key on purpose.

    Raises:
        ValueError: No key, on an address that is not of this machine alone.
    """
    if api_key is None and not no_auth and not is_loopback(host):
        raise ValueError(
            f"{host} can be reached from other machines, and there is no key. Set {DEFAULT_KEY_VARIABLE}, or name its "
            "variable by --api-key-env; --no-auth serves everyone."
        )


def is_authorized(headers: Iterable[tuple[bytes, bytes]], api_key: str | None) -> bool:
    """Return whether headers carry the key, in a time that does not depend on how much of it is right.

    Args:
        headers: Names, in lower case, and values.
        api_key: The key; None lets everyone in.
    """
    if api_key is None:
        return True
    given = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, key = given.partition(b" ")
    return scheme.lower() == b"bearer" and hmac.compare_digest(key.strip(), api_key.encode())


def names_this_machine(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Return whether a request's Host header names this machine, as those of a foreign page's name do not.

    Args:
        headers: Names, in lower case, and values.
    """
    return is_loopback_header(next((value.decode("latin-1") for name, value in headers if name == b"host"), ""))
