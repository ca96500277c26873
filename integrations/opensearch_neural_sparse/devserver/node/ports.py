"""Find free TCP ports on the loopback address."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from opensearch_neural_sparse.errors import DevServerError

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return free ports."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def ensure_free(port: int) -> None:
    """Check that a port is free.

    Raises:
        DevServerError: It is busy, or may not be used.
    """
    with socket.socket() as caller, socket.socket() as listener:
        caller.settimeout(2)
        if caller.connect_ex((LOOPBACK, port)) == 0:
            raise DevServerError(f"Port {port} is busy: something answers there. Give another port, or none.")
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise DevServerError(
                f"Port {port} cannot be used: {error.strerror}. Give another port, or none."
            ) from error
