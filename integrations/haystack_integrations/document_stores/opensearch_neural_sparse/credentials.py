"""Find credentials in the parameters of a document store, which would be saved as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from opensearch_neural_sparse.layer_support import hosts_of, split_url

_SECRET = re.compile(r"auth|token|api.?key|access.?key|secret|passw|credential|cookie|bearer|signature", re.IGNORECASE)
"""Parts of the names of headers and options that hold credentials."""


def refuse_credentials(hosts: Any, options: Mapping[str, Any], *, plain_login: bool) -> None:
    """Refuse to save credentials.

    Args:
        hosts: Addresses of the server.
        options: Options of its clients.
        plain_login: Whether `http_auth` is given and is no secret.

    Raises:
        ValueError: There are some.
    """
    found = [*(["http_auth"] if plain_login else []), *_in_hosts(hosts), *_in_options(options)]
    if found:
        raise ValueError(
            f"Plain credentials are not saved: {', '.join(dict.fromkeys(found))}. Give http_auth as two secrets: "
            "(Secret.from_env_var('OPENSEARCH_USERNAME'), Secret.from_env_var('OPENSEARCH_PASSWORD')); api_key and "
            "bearer_token take a secret."
        )


def _in_hosts(hosts: Any) -> Iterator[str]:
    for host in hosts_of(hosts):
        if isinstance(host, Mapping):
            yield from (f"{name} in hosts" for name in _in_options(host))
        address = host.get("host", "") if isinstance(host, Mapping) else host
        if split_url(str(address)).username is not None:
            yield "user and password in hosts"


def _in_options(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        if name == "headers" and isinstance(value, Mapping):
            yield from (f"headers[{str(header)!r}]" for header in value if _SECRET.search(str(header)))
        elif _SECRET.search(name) and value is not None:
            yield name
