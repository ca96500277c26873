"""Causes and remedies of connection errors, from sockets and TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.error_reasons import without_values
from opensearch_neural_sparse.errors import Remedy, ServerConnectionError
from opensearch_neural_sparse.loopback import is_loopback
from opensearch_neural_sparse.transport.address import split_url

_DEEPEST_CAUSE = 10
_HOST_NAMES = frozenset({62, 64})
"""OpenSSL's codes of a certificate for another host, by name or by address."""
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"})
"""OpenSSL's reasons of a plain-text answer to TLS, by its version."""
_NO_CERTIFICATES = frozenset(
    {"NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE", "PEM", "BAD_BASE64_DECODE", "KEY_VALUES_MISMATCH"}
)
_CLOSED = frozenset(
    {"RemoteDisconnected", "ServerDisconnectedError", "ConnectionResetError", "BadStatusLine", "BadHttpMessage"}
)
"""Client errors of a closed connection, or of an answer that is not HTTP."""
_FILES = ("ca_certs", "client_cert", "client_key")


def explain(error: BaseException, address: str) -> tuple[str, str]:
    """Explain a connection error: cause and remedy.

    Args:
        error: What the client raised.
        address: Addresses of the servers.
    """
    cause = _root(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        said = cause.verify_message.rstrip(".")
        named = cause.verify_code in _HOST_NAMES
        return f"its certificate is not trusted: {said}", Remedy.CHECK_HOST_NAME if named else Remedy.TRUST_AUTHORITY
    if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
        return f"it does not speak TLS ({cause.reason})", Remedy.USE_HTTP
    if (isinstance(cause, ssl.SSLError) and cause.reason in _NO_CERTIFICATES) or isinstance(cause, FileNotFoundError):
        return f"a file of certificates cannot be read ({_shown(cause)})", Remedy.CHECK_CERTIFICATE_FILES
    if "https://" not in address and type(cause).__name__ in _CLOSED:
        return _shown(cause), Remedy.USE_HTTPS
    if isinstance(cause, ConnectionRefusedError) and is_loopback(split_url(address).hostname or ""):
        return _shown(cause), Remedy.START_SERVER
    return _shown(cause), "Is it running and reachable from here?"


def timed_out(error: Exception) -> str:
    """Return the reason of a request that timed out: the time that was spent, how often it was sent, and why again.

    Args:
        error: What the client raised; one that was handed in gives no more than the reason.
    """
    seconds, attempts = getattr(error, "seconds", None), getattr(error, "attempts", 0)
    if seconds is None:
        return "the request timed out"
    tried = "" if attempts < 2 else f", in which it was sent {attempts} times"
    status = getattr(getattr(error, "failure", None), "status_code", None)
    last = f"; the last answer had status {status}" if isinstance(status, int) else ""
    return f"the request timed out after {seconds:g} s{tried}{last}"


def check_files(options: Mapping[str, Any], address: str) -> None:
    """Check a client's certificate files, so that all clients report them alike.

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
            reason = f"ca_certs names a file that holds no certificate, {str(authorities)!r} ({_shown(error)})"
            raise ServerConnectionError(address, reason, Remedy.CHECK_CERTIFICATE_FILES, asked=False) from None


def _shown(cause: BaseException) -> str:
    said = getattr(cause, "strerror", None) or str(cause)
    return without_values(f"{type(cause).__name__}: {said}")


def _root(error: BaseException) -> BaseException:
    """Return the root cause: a certificate error if there is one, else the innermost error."""
    causes = list(_causes(error))
    return next((cause for cause in causes if _is_of_certificate(cause)), causes[-1])


def _is_of_certificate(cause: BaseException) -> bool:
    """Return whether OpenSSL refused a certificate; aiohttp has errors of the same class without a reason."""
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
