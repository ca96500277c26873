"""A secured cluster: users, their roles, and ways to log in."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.devserver.security.certificates import issue_certificate, prepare_security

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

ALICE = "alice"
"""A user who logs in by a certificate, or by a token."""
PASSWORD = "Correct-Horse-9-Battery"
SIGNING_KEY = b"a key of tests that is long enough for HS256"
ONE_SHARD = {"number_of_shards": 1, "number_of_replicas": 0}
EVERYTHING = ["*"]


def issue_certificates(home: Path, *names: str) -> None:
    """Make the certificates of a server before its first start, and those of users by the same authority."""
    import trustme

    authority = trustme.CA()
    prepare_security(home / "security", authority)
    for name in names:
        for file, content in issue_certificate(authority, name).items():
            (home / "security" / file).write_bytes(content)


@dataclass(frozen=True, kw_only=True)
class SecuredCluster:
    """A secured server, as its administrator sees it.

    Attributes:
        server: The server.
        admin: The administrator's client.
        encoders: Encoders of the stores.
    """

    server: DevServer
    admin: OpenSearch
    encoders: Mapping[str, Any]

    @property
    def tls(self) -> dict[str, Any]:
        """Client options that trust the server's authority."""
        assert self.server.login is not None
        return {"ca_certs": str(self.server.login.ca_file), "timeout": 60}

    def certificate(self, name: str) -> dict[str, str]:
        """Client options of a user's certificate."""
        assert self.server.home is not None
        folder = self.server.home / "security"
        return {"client_cert": str(folder / f"{name}.pem"), "client_key": str(folder / f"{name}-key.pem")}

    def put(self, kind: str, name: str, body: Mapping[str, Any]) -> None:
        """Write a role, a user or a mapping."""
        self.admin.http.put(f"/_plugins/_security/api/{kind}/{name}", body=body)

    def give_role(self, name: str, cluster: Sequence[str], *index: Mapping[str, Any]) -> None:
        """Make a role, and a user who has no other."""
        self.put("roles", name, {"cluster_permissions": list(cluster), "index_permissions": list(index)})
        self.put("internalusers", name, {"password": PASSWORD})
        self.put("rolesmapping", name, {"users": [name]})

    def options(self, user: str) -> dict[str, Any]:
        """Arguments of a store for a user."""
        return {"url": self.server.url, "client_options": {"http_auth": (user, PASSWORD), **self.tls}}

    def store(self, user: str, index: str, **arguments: Any) -> NeuralSparseStore:
        """Return a store of a user."""
        return NeuralSparseStore(index, **self.options(user), **self.encoders, **arguments)

    def several(self, user: str, index: str, **arguments: Any) -> AsyncNeuralSparseStore:
        """Return an asynchronous store of a user."""
        return AsyncNeuralSparseStore(index, **self.options(user), **self.encoders, **arguments)

    def owner(self, index: str, **arguments: Any) -> NeuralSparseStore:
        """Return the administrator's store."""
        return NeuralSparseStore(index, client=self.admin, **self.encoders, **arguments)

    def allow_logins(self) -> None:
        """Let users log in by certificates and by tokens, beside passwords."""
        self.put(
            "securityconfig", "config", {"dynamic": {"http": {"anonymous_auth_enabled": False}, "authc": _authc()}}
        )


def _authc() -> dict[str, Any]:
    def domain(order: int, kind: str, backend: str, *, challenge: bool = False, **config: Any) -> dict[str, Any]:
        authenticator = {"type": kind, "challenge": challenge, "config": config}
        backends = {"authentication_backend": {"type": backend}}
        return {"http_enabled": True, "order": order, "http_authenticator": authenticator, **backends}

    key = base64.b64encode(SIGNING_KEY).decode()
    return {
        "basic_internal_auth_domain": domain(0, "basic", "intern"),
        "jwt_auth_domain": domain(1, "jwt", "noop", signing_key=key, subject_key="sub", roles_key="roles"),
        "clientcert_auth_domain": domain(2, "clientcert", "noop", username_attribute="cn"),
    }
