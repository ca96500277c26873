"""The process of an encoder service: its socket, its signals and its end."""

from __future__ import annotations

import logging
import socket
import time
from asyncio import TimerHandle
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from opensearch_neural_sparse.errors import NeuralSparseError
from opensearch_neural_sparse.serving.service import EncoderService

logger = logging.getLogger(__name__)

BACKLOG = 2048
MOST_CONNECTIONS = 1000
MOST_HEADER_BYTES = 32768


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Args:
        host: Name or address.
        port: Its port; 0 is a free one.

    Raises:
        NeuralSparseError: The address is not there, or taken.
    """
    bound = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        if bound is not None:
            bound.close()
        raise NeuralSparseError(
            f"The service cannot listen on {host}, port {port}: {error.strerror}. Name another address or port."
        ) from error
    return bound


def serve(app: FastAPI, listener: socket.socket, *, on_ready: Callable[[], None] | None = None) -> None:
    """Serve an application of `create_app` until SIGTERM or SIGINT, then answer what is in flight.

    Args:
        app: The application.
        listener: A bound socket.
        on_ready: Called when it answers.

    Raises:
        NeuralSparseError: The model fails at the start.
    """
    server = ServiceServer(app, on_ready=on_ready)
    try:
        server.run(sockets=[listener])
    except SystemExit as error:
        raise NeuralSparseError("The service did not start: the model failed on its first text.") from error
    logger.info("Stopped after %d requests.", server.server_state.total_requests)


class ServiceServer(uvicorn.Server):
    """A uvicorn server that answers with 503 while requests in flight end.

    Args:
        app: The application.
        on_ready: Called when it answers.
    """

    def __init__(self, app: FastAPI, *, on_ready: Callable[[], None] | None = None) -> None:
        self._service: EncoderService = app.state.service
        self._on_ready = on_ready
        self._ends_at = 0.0
        options = self._service.options

        class Protocol(BoundedProtocol):
            read_timeout = options.read_timeout

        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=MOST_CONNECTIONS,
                h11_max_incomplete_event_size=MOST_HEADER_BYTES,
                timeout_graceful_shutdown=int(options.end_timeout),
            )
        )

    def end(self) -> None:
        """Refuse further requests, and stop when those in flight are answered."""
        self._ends_at = time.monotonic() + self._service.options.end_timeout
        self._service.is_ending = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End at the first signal, and stop at once at the second."""
        if self._service.is_ending:
            super().handle_exit(sig, frame)
        else:
            self.end()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the model and listen."""
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop."""
        stop = await super().on_tick(counter)
        if not self._service.is_ending:
            return stop
        return stop or not self._service.in_flight or time.monotonic() > self._ends_at


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 connections that are cut when a client sends headers, or takes its answer, too slowly."""

    read_timeout: float
    _headers_expected: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Expect the headers of the first request within the time."""
        super().connection_made(transport)
        self._headers_expected = self.loop.call_later(self.read_timeout, self._cut)

    def data_received(self, data: bytes) -> None:
        """Expect the rest of the headers within the time from the first byte."""
        if self._headers_expected is None and self._is_idle():
            self._headers_expected = self.loop.call_later(self.read_timeout, self._cut)
        super().data_received(data)
        if self._headers_expected is not None and not self._is_idle():
            self._headers_expected.cancel()
            self._headers_expected = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        if self._headers_expected is not None:
            self._headers_expected.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Let the client take its answer within the time, if the connection is then closed."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.loop.call_later(self.read_timeout, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also of a client that has not taken its answer."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.read_timeout, self.transport.abort)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _cut(self) -> None:
        self._headers_expected = None
        if self._is_idle():
            self.transport.abort()
