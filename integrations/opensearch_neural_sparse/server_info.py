"""Version and capabilities of an OpenSearch server, read once per client."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import UnsupportedServerError, unreadable_answer

Version = tuple[int, int, int]
OLDEST_SUPPORTED: Version = (2, 19, 0)
NEURAL_SEARCH = "opensearch-neural-search"
KNN = "opensearch-knn"
ML_COMMONS = "opensearch-ml"
SECURITY = "opensearch-security"


def parse_version(number: str) -> Version:
    """Return (major, minor, patch) of a version such as `3.6.0` or `3.6.0-SNAPSHOT`."""
    match = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", number) if isinstance(number, str) else None
    if match is None:
        raise UnsupportedServerError(
            "Reading the server's version", found=shown_value(number), required="major.minor.patch"
        )
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def format_version(version: Version) -> str:
    """Return `3.6.0` of (3, 6, 0)."""
    return ".".join(map(str, version))


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """Version and plugins of a server.

    Attributes:
        version: (major, minor, patch).
        plugins: Names of the plugins on every node; None where they are unknown (no right to ask, serverless).
        tells_version: Whether the version is known. If not, it is the oldest supported one, and only features common to
            all supported versions are used.
        assumes_plugins: Whether `plugins` was inferred from an error response.
    """

    version: Version
    plugins: frozenset[str] | None = None
    tells_version: bool = True
    assumes_plugins: bool = False

    @property
    def may_hide_documents(self) -> bool:
        """Whether the security plugin is there, as far as is known; without it nothing is hidden from a login."""
        return self.plugins is None or self.assumes_plugins or SECURITY in self.plugins

    @classmethod
    def named(cls, number: str) -> ServerInfo:
        """Make the server info of a given version.

        Args:
            number: The version, such as `3.6.0`.

        Raises:
            UnsupportedServerError: No version, or one before 2.19.
        """
        server = cls(version=parse_version(number))
        server.require(OLDEST_SUPPORTED, "opensearch-neural-sparse")
        return server

    @classmethod
    def silent(cls) -> ServerInfo:
        """Make the server info of a server that hides its version."""
        return cls(version=OLDEST_SUPPORTED, tells_version=False)

    @classmethod
    def from_responses(
        cls, info: Mapping[str, Any], cat_plugins: Iterable[Mapping[str, Any]] | None = None
    ) -> ServerInfo:
        """Parse the responses of `GET /` and `GET /_cat/plugins?format=json`.

        Args:
            info: The answer of `GET /`.
            cat_plugins: The answer of `GET /_cat/plugins`; None where it was refused.

        Raises:
            UnsupportedServerError: Not an OpenSearch, or one before 2.19.
            ServerRequestError: These are not the answers of a server.
        """
        version_info = info.get("version", {}) if isinstance(info, Mapping) else None
        if not isinstance(version_info, Mapping):
            raise unreadable_answer("it has no version")
        distribution = version_info.get("distribution", "elasticsearch")
        number = str(version_info.get("number", "unknown"))
        if distribution != "opensearch":
            raise UnsupportedServerError(
                "opensearch-neural-sparse", found=f"{distribution} {number}", required="OpenSearch 2.19 or later"
            )
        server = cls(version=parse_version(number), plugins=_plugins_on_all_nodes(cat_plugins))
        server.require(OLDEST_SUPPORTED, "opensearch-neural-sparse")
        return server

    def __str__(self) -> str:
        return f"OpenSearch {format_version(self.version)}" if self.tells_version else "one that hides its version"

    def without(self, plugin: str) -> ServerInfo:
        """Return the server info without a plugin that an error response showed to be missing.

        Args:
            plugin: The one that it lacks; the others that are used here may be there.
        """
        return replace(self, plugins=frozenset({KNN, NEURAL_SEARCH} - {plugin}), assumes_plugins=True)

    def at_least(self, version: Version) -> bool:
        """Return whether the server is of this version or later.

        Args:
            version: Major and minor number and patch.
        """
        return self.version >= version

    def require(self, version: Version, feature: str) -> None:
        """Raise UnsupportedServerError unless the server is of this version or later.

        Args:
            version: The least version.
            feature: What needs it, for the message.
        """
        if not self.at_least(version):
            required = f"OpenSearch {format_version(version)} or later"
            reason = "" if self.tells_version else "Name it: server_version='...'."
            raise UnsupportedServerError(feature, found=str(self), required=required, reason=reason)

    def require_version_told(self, feature: str) -> None:
        """Raise UnsupportedServerError if the version is unknown and the feature differs by version.

        Args:
            feature: What needs it, for the message.
        """
        if not self.tells_version:
            self.require((self.version[0], self.version[1], self.version[2] + 1), feature)

    def require_plugin(self, plugin: str, feature: str) -> None:
        """Raise UnsupportedServerError if the server is known to lack a plugin.

        Args:
            plugin: Name of the plugin.
            feature: What needs it, for the message.
        """
        if self.plugins is not None and plugin not in self.plugins:
            listed = ", ".join(sorted(self.plugins)) or "no plugins"
            found = f"{self} without it" if self.assumes_plugins else f"{self} with {listed}"
            raise UnsupportedServerError(feature, found=found, required=f"the plugin {plugin}")

    @property
    def ranks_across_shards(self) -> bool:
        """Whether RRF ranks across all shards (3.5 and later) rather than per shard."""
        return self.at_least((3, 5, 0))


def _plugins_on_all_nodes(rows: Iterable[Mapping[str, Any]] | None) -> frozenset[str] | None:
    if rows is None:
        return None
    if not isinstance(rows, list | tuple):
        raise unreadable_answer("it is no list of plugins")
    nodes: dict[str, set[str]] = {}
    for row in rows:
        if not isinstance(row, Mapping) or not {"name", "component"} <= row.keys():
            raise unreadable_answer("it does not list plugins by node")
        nodes.setdefault(str(row["name"]), set()).add(str(row["component"]))
    return frozenset(set.intersection(*nodes.values())) if nodes else frozenset()
