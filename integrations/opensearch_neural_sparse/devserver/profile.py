"""Define the profiles of a development server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from opensearch_neural_sparse.errors import Choice

ML_SETTINGS = {
    "plugins.ml_commons.only_run_on_ml_node": False,
    "plugins.ml_commons.connector.private_ip_enabled": True,
    "plugins.ml_commons.trusted_connector_endpoints_regex": [r"^https?://(127\.0\.0\.1|localhost)(:\d+)?(/.*)?$"],
    "plugins.ml_commons.allow_registering_model_via_url": True,
    "plugins.ml_commons.native_memory_threshold": 100,
    "plugins.ml_commons.jvm_heap_memory_threshold": 100,
    "indices.breaker.total.use_real_memory": False,
}
"""Allow models on the only node, from a URL too, and connectors to an encoder on this machine alone.

By default ml-commons refuses all work while 90 % of the machine's memory or 85 % of the Java heap is in use; a busy
machine has often less memory left, and a small heap fills with garbage, collected only when it is needed. The server's
own circuit breaker counts that garbage too, unless it counts what requests use.
"""


class Profile(Choice):
    """Profile of a server: its nodes and plugins."""

    PLAIN = "plain"
    """One node with k-NN and neural-search."""
    CLUSTER = "cluster"
    """Three such nodes that form one cluster."""
    ML = "ml"
    """One node with ml-commons too: analyzers for sparse models, connectors, model ids."""
    SECURITY = "security"
    """One node with the security plugin too: TLS, a login, users and roles."""
    SECURITY_ML = "security-ml"
    """One node with the security plugin and ml-commons."""

    @property
    def parts(self) -> tuple[Profile, ...]:
        """The profiles of which artifacts it is made beside those of the plain one."""
        if self is Profile.SECURITY_ML:
            return Profile.ML, Profile.SECURITY
        return (self,) if self in (Profile.ML, Profile.SECURITY) else ()

    @property
    def runs_models(self) -> bool:
        """Whether its nodes have ml-commons."""
        return Profile.ML in self.parts

    @property
    def is_secured(self) -> bool:
        """Whether its server has TLS and a login."""
        return Profile.SECURITY in self.parts

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes; the first one answers at the server's URL."""
        return ("n1", "n2", "n3") if self is Profile.CLUSTER else ("n1",)

    @property
    def heap(self) -> str:
        """Default Java heap of each node."""
        return "512m" if self is Profile.CLUSTER else "2g" if self.runs_models else "1g"

    @property
    def settings(self) -> Mapping[str, Any]:
        """Default settings in opensearch.yml."""
        return ML_SETTINGS if self.runs_models else {}

    @property
    def scheme(self) -> str:
        """Scheme of its URL."""
        return "https" if self.is_secured else "http"


ProfileLike = Profile | Literal["plain", "cluster", "ml", "security", "security-ml"]
"""A `Profile`, or its value as text."""
