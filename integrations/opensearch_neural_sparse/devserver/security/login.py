"""What it takes to be let in by a server with users: a name, a password, and whose certificate to trust."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass, field
from pathlib import Path

ADMINISTRATOR = "admin"
AUTHORITY_FILE, PASSWORD_FILE = "ca.pem", "admin-password"


@dataclass(frozen=True, kw_only=True)
class Login:
    """The administrator of a secured development server.

    Attributes:
        user: Name of the user.
        password: The user's password, a random one for each home. Never shown.
        ca_file: The certificate, as PEM, of the authority that signed the server's.
    """

    user: str
    password: str = field(repr=False)
    ca_file: Path

    @classmethod
    def read(cls, folder: Path) -> Login | None:
        """Return the login that was written into the folder of a home, or None.

        Args:
            folder: The folder `security`.
        """
        try:
            password = (folder / PASSWORD_FILE).read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        return cls(user=ADMINISTRATOR, password=password, ca_file=folder / AUTHORITY_FILE)

    def tls(self) -> ssl.SSLContext:
        """Return how to speak to the server: its authority, and no other, is trusted.

        Raises:
            OSError: The authority's certificate is missing or no certificate.
        """
        return ssl.create_default_context(cafile=self.ca_file)


def basic_authorization(user: str, password: str) -> str:
    """Return the header that names a user."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
