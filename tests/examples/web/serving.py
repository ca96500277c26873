"""Serve an application for the length of a block."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

HOST = "127.0.0.1"


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[int]:
    """Serve in a thread, on a free port or a given one, which is yielded."""
    with socket.create_server((HOST, port)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def free_port() -> int:
    """Return a port where nothing answers."""
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]
