"""Why a server did not answer, and the way out: what lies behind the errors of sockets and of TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.error_reasons import without_values
from opensearch_neural_sparse.errors import Remedy, ServerConnectionError

_DEEPEST_CAUSE = 10
_HOST_NAMES = frozenset({62, 64})
"""OpenSSL's numbers of a certificate that is another host's: by its name, by its address."""
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})
"""What TLS is told where the answer is plain text, by the version of OpenSSL."""
_NO_CERTIFICATES = frozenset(
    {"NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE", "PEM", "BAD_BASE64_DECODE", "KEY_VALUES_MISMATCH"}
)
_CLOSED = frozenset(
    {"RemoteDisconnected", "ServerDisconnectedError", "ConnectionResetError", "BadStatusLine", "BadHttpMessage"}
)
"""Errors of the clients where a server closes a connection, or answers by what is not HTTP."""
_FILES = ("ca_certs", "client_cert", "client_key")


def explain(error: BaseException, *, secure: bool) -> tuple[str, str]:
    """Return why there was no answer, and the way out.

    Args:
        error: What the client raised.
        secure: Whether it spoke TLS.
    """
    cause = _root(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        said = cause.verify_message.rstrip(".")
        named = cause.verify_code in _HOST_NAMES
        return f"its certificate is not trusted: {said}", Remedy.CHECK_HOST_NAME if named else Remedy.TRUST_AUTHORITY
    if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
        return f"it does not speak TLS ({cause.reason})", Remedy.USE_HTTP
    if (isinstance(cause, ssl.SSLError) and cause.reason in _NO_CERTIFICATES) or isinstance(cause, FileNotFoundError):
        return f"a file of certificates cannot be read ({_told(cause)})", Remedy.CHECK_CERTIFICATE_FILES
    if not secure and type(cause).__name__ in _CLOSED:
        return _told(cause), Remedy.USE_HTTPS
    return _told(cause), "Is it running and reachable from here?"


def check_files(options: Mapping[str, Any], address: str) -> None:
    """Check the files of certificates that a client shall read, of which each kind of client complains in its own way.

    Args:
        options: Options of a client.
        address: Address of the server.

    Raises:
        ServerConnectionError: A file is missing, or holds no certificate.
    """
    for name in _FILES:
        path = options.get(name)
        if isinstance(path, str | Path) and not Path(path).exists():
            reason = f"{name} names no file, {str(path)!r}"
            raise ServerConnectionError(address, reason, Remedy.CHECK_CERTIFICATE_FILES, asked=False)
    authorities = options.get("ca_certs")
    if isinstance(authorities, str | Path) and Path(authorities).is_file():
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=str(authorities))
        except OSError as error:
            reason = f"ca_certs names a file that holds no certificate, {str(authorities)!r} ({_told(error)})"
            raise ServerConnectionError(address, reason, Remedy.CHECK_CERTIFICATE_FILES, asked=False) from None


def _told(cause: BaseException) -> str:
    said = getattr(cause, "strerror", None) or str(cause)
    return without_values(f"{type(cause).__name__}: {said}")


def _root(error: BaseException) -> BaseException:
    """Return the first cause: that of a certificate where there is one, else the innermost."""
    causes = list(_causes(error))
    return next((cause for cause in causes if _is_of_certificate(cause)), causes[-1])


def _is_of_certificate(cause: BaseException) -> bool:
    """Return whether OpenSSL itself refused a certificate; aiohttp has errors of the same class that say nothing."""
    return isinstance(cause, ssl.SSLCertVerificationError) and hasattr(cause, "verify_message")


def _causes(error: BaseException) -> Iterator[BaseException]:
    info = getattr(error, "info", None)
    cause: BaseException | None = info if isinstance(info, BaseException) else error
    for _ in range(_DEEPEST_CAUSE):
        if cause is None:
            return
        yield cause
        inner = cause.__cause__ or next((arg for arg in cause.args if isinstance(arg, BaseException)), None)
        cause = None if inner is cause else inner
