"""Read the login of a secured server: user, password and certificate authority."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path

ADMINISTRATOR = "admin"
AUTHORITY_FILE, PASSWORD_FILE = "ca.pem", "admin-password"


@dataclass(frozen=True, kw_only=True)
class Login:
    """Login of the administrator of a secured development server.

    Attributes:
        user: Name of the user.
        password: Password of the user, random for each home. Left out of the representation.
        ca_file: PEM file of the certificate authority.
    """

    user: str
    password: str = field(repr=False)
    ca_file: Path

    @classmethod
    def read(cls, folder: Path) -> Login | None:
        """Read the login from a folder, or return None.

        Args:
            folder: The folder `security`.
        """
        try:
            password = (folder / PASSWORD_FILE).read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        return cls(user=ADMINISTRATOR, password=password, ca_file=folder / AUTHORITY_FILE)

    def tls(self) -> ssl.SSLContext:
        """Return a TLS context that trusts the server's authority alone.

        Raises:
            OSError: The certificate of the authority is missing or invalid.
        """
        return ssl.create_default_context(cafile=self.ca_file)


def basic_authorization(user: str, password: str) -> str:
    """Return the value of the header `Authorization`."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
