"""Cluster settings that models need."""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from opensearch_neural_sparse.errors import ServerModelError, ServerRequestError
from opensearch_neural_sparse.server_models.reasons import (
    MEMORY_LIMIT,
    ML_NODES_ONLY,
    PRIVATE_ADDRESSES,
    TRUSTED_ENDPOINTS,
    URL_REGISTRATION,
    cause_named,
    settings_request,
)
from opensearch_neural_sparse.transport.errors import REFUSALS, translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

logger = logging.getLogger(__name__)
CAUSE_OF = {
    ML_NODES_ONLY: "no_node",
    URL_REGISTRATION: "url_registration",
    PRIVATE_ADDRESSES: "private_address",
    TRUSTED_ENDPOINTS: "untrusted_endpoint",
    MEMORY_LIMIT: "memory",
}
"""Setting -> the cause that it mends."""


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """Cluster settings and the state of nodes, as models need them.

    Attributes:
        values: Setting -> value; empty where the login may not read them.
        roles: Roles of all nodes; empty where they are unknown.
        memory_used: Node -> percent of its machine's memory that is used.
    """

    values: Mapping[str, Any]
    roles: frozenset[str]
    memory_used: Mapping[str, int]

    @classmethod
    def read(cls, client: OpenSearch) -> Self:
        """Read them; what the login may not read is empty."""
        limits = {"include_defaults": "true", "flat_settings": "true"}
        levels = _permitted(client, lambda: client.cluster.get_settings(params=limits))
        nodes = _permitted(client, lambda: client.nodes.stats(metric="os")).get("nodes", {})
        values = {**levels.get("defaults", {}), **levels.get("persistent", {}), **levels.get("transient", {})}
        roles = frozenset(role for node in nodes.values() for role in node.get("roles", ()))
        used = {name: node["os"]["mem"]["used_percent"] for name, node in nodes.items() if "os" in node}
        return cls(values=values, roles=roles, memory_used=used)

    def missing_to_run(self) -> dict[str, Any]:
        """Return the settings to change so that a node runs models."""
        runs = self._is_on(ML_NODES_ONLY) is not True or not self.roles or "ml" in self.roles
        return {} if runs else {ML_NODES_ONLY: False}

    def missing_to_register(self) -> dict[str, Any]:
        """Return the settings to change so that a model is registered by a URL."""
        return {URL_REGISTRATION: True} if self._is_on(URL_REGISTRATION) is False else {}

    def missing_to_call(self, url: str) -> dict[str, Any]:
        """Return the settings to change so that an encoder is called.

        Args:
            url: Its address.
        """
        missing: dict[str, Any] = {}
        if self._is_on(PRIVATE_ADDRESSES) is False and is_private(url):
            missing[PRIVATE_ADDRESSES] = True
        patterns = _listed(self.values.get(TRUSTED_ENDPOINTS))
        if patterns is not None and not any(_matches(pattern, url) for pattern in patterns):
            missing[TRUSTED_ENDPOINTS] = [*patterns, pattern_of(url)]
        return missing

    def full_nodes(self) -> list[str]:
        """Return the nodes with memory so full that models are refused."""
        limit = int(self.values.get(MEMORY_LIMIT, 90))
        return [node for node, used in self.memory_used.items() if limit < 100 and used > limit]

    def _is_on(self, setting: str) -> bool | None:
        value = self.values.get(setting)
        return None if value is None else str(value).lower() == "true"


def change_settings(client: OpenSearch, missing: Mapping[str, Any], *, model: str, allowed: bool) -> None:
    """Change cluster settings, persistently, where that is allowed.

    Args:
        client: A client.
        missing: Setting -> value.
        model: Name of the model, for the message.
        allowed: Whether the caller asked for it.

    Raises:
        ServerModelError: It is not allowed; the message has the request.
    """
    if not missing:
        return
    if not allowed:
        cause = cause_named(CAUSE_OF[next(iter(missing))])
        remedy = f"Give change_settings=True, or send {settings_request(missing)}."
        raise ServerModelError(model, cause.problem, remedy=remedy, cause=cause.name)
    logger.warning("Changing cluster settings for model %r: %s", model, settings_request(missing))
    with translated_errors(client, model):
        client.cluster.put_settings(body={"persistent": dict(missing)})


def pattern_of(url: str) -> str:
    """Return the regular expression of all addresses of a service."""
    parts = urlsplit(url)
    return "^" + re.escape(f"{parts.scheme}://{parts.netloc}") + "(/.*)?$"


def is_private(url: str) -> bool:
    """Return whether an address is of a private network, as far as names can be resolved here."""
    host = urlsplit(url).hostname or ""
    try:
        found = {row[4][0] for row in socket.getaddrinfo(host, None)}
        return any(not ipaddress.ip_address(address).is_global for address in found)
    except (OSError, ValueError):
        return False


def _matches(pattern: str, url: str) -> bool:
    try:
        return re.fullmatch(pattern, url) is not None
    except re.error:  # Java's, not Python's: the server will say
        return True


def _listed(value: Any) -> Sequence[str] | None:
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else [value]
    return value if isinstance(value, list) else None


def _permitted(client: OpenSearch, ask: Any) -> Mapping[str, Any]:
    try:
        with translated_errors(client, "*"):
            answer: Mapping[str, Any] = ask()
            return answer
    except ServerRequestError as error:
        if error.status not in (*REFUSALS, 401):
            raise
        return {}
