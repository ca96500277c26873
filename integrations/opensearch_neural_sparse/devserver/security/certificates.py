"""Create certificates, the administrator's password and the configuration of the security plugin."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.devserver.node.ports import LOOPBACK
from opensearch_neural_sparse.devserver.security.login import ADMINISTRATOR, AUTHORITY_FILE, PASSWORD_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import trustme

PLUGIN = "opensearch-security"
ORGANISATION, UNIT = "opensearch-neural-sparse", "devserver"
NODE = "node"
USERS_FILE = "internal_users.yml"
SECURITY_HEALTH = "/_plugins/_security/health"
"""Health endpoint that needs no login and fails until users and roles are loaded."""


def prepare_security(folder: Path, authority: trustme.CA | None = None) -> None:
    """Create certificates and a password, unless the home has them. Only for the holder of the home's lock.

    They are written atomically, and only their owner may read them.

    Args:
        folder: Target folder; if it exists, it is complete.
        authority: Who signs the certificates; None makes an authority whose key is kept nowhere.
    """
    if folder.exists():
        return
    draft = folder.with_name(f".{folder.name}-draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    for name, content in {**_certificates(authority), PASSWORD_FILE: secrets.token_urlsafe(24).encode()}.items():
        _write_private(draft / name, content)
    draft.rename(folder)


def security_settings(folder: Path) -> Mapping[str, Any]:
    """Return the security settings of opensearch.yml: TLS on both ports, and the administrators.

    Args:
        folder: Folder of the certificates.
    """
    settings: dict[str, Any] = {
        "plugins.security.ssl.http.enabled": True,
        "plugins.security.ssl.transport.enforce_hostname_verification": False,
        "plugins.security.allow_default_init_securityindex": True,
        "plugins.security.audit.type": "noop",
        "plugins.security.restapi.roles_enabled": ["all_access"],
        "plugins.security.nodes_dn": [_distinguished_name(NODE)],
        "plugins.security.authcz.admin_dn": [_distinguished_name(ADMINISTRATOR)],
    }
    for port in ("http", "transport"):
        settings[f"plugins.security.ssl.{port}.pemcert_filepath"] = str(folder / f"{NODE}.pem")
        settings[f"plugins.security.ssl.{port}.pemkey_filepath"] = str(folder / f"{NODE}-key.pem")
        settings[f"plugins.security.ssl.{port}.pemtrustedcas_filepath"] = str(folder / AUTHORITY_FILE)
    return settings


def write_security_configuration(config: Path, distribution: Path, folder: Path) -> None:
    """Write the initial content of the security index: the plugin's roles, and one user.

    The demonstration users of the plugin, whose passwords are public, are left out.

    Args:
        config: Folder of the node's configuration.
        distribution: Folder of the distribution.
        folder: Folder of the password.
    """
    target = config / PLUGIN
    if (target / USERS_FILE).exists():
        return
    config.chmod(0o700)
    target.mkdir(exist_ok=True, mode=0o700)
    for source in (distribution / "plugins" / PLUGIN / "config").glob("*.yml"):
        if source.name != USERS_FILE:
            _write_private(target / source.name, source.read_bytes())
    user = {"hash": _hashed((folder / PASSWORD_FILE).read_bytes()), "reserved": True, "backend_roles": ["admin"]}
    users = {"_meta": {"type": "internalusers", "config_version": 2}, ADMINISTRATOR: user}
    _write_private(target / USERS_FILE, json.dumps(users, indent=1).encode())


def _certificates(authority: trustme.CA | None) -> dict[str, bytes]:
    """Sign certificates for the node and its administrator, by a new authority if there is none."""
    import trustme

    authority = authority or trustme.CA(organization_name=ORGANISATION, organization_unit_name=UNIT)
    files = {AUTHORITY_FILE: authority.cert_pem.bytes()}
    for name in (NODE, ADMINISTRATOR):
        files |= issue_certificate(authority, name)
    return files


def issue_certificate(authority: trustme.CA, name: str) -> dict[str, bytes]:
    """Return the files of a certificate and its key.

    Args:
        authority: Who signs it.
        name: Whom it names; the files are called after it.
    """
    issued = authority.issue_cert(
        "localhost", LOOPBACK, common_name=name, organization_name=ORGANISATION, organization_unit_name=UNIT
    )
    return {f"{name}.pem": issued.cert_chain_pems[0].bytes(), f"{name}-key.pem": _as_pkcs8(issued)}


def _as_pkcs8(issued: trustme.LeafCert) -> bytes:
    """Convert a key to PKCS #8, the only form that the server reads."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _distinguished_name(name: str) -> str:
    return f"CN={name},OU={UNIT},O={ORGANISATION}"


def _hashed(password: bytes) -> str:
    import bcrypt

    return bcrypt.hashpw(password, bcrypt.gensalt()).decode("ascii")


def _write_private(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
