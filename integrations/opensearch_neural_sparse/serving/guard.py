"""Middleware that every request passes: the count, the key, and the answer of a refusal."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opensearch_neural_sparse.serving.access import is_authorized, names_this_machine
from opensearch_neural_sparse.serving.refusals import TEI_PATH, Refusal, ending, foreign_host, unauthorized
from opensearch_neural_sparse.serving.request_body import BodyReader
from opensearch_neural_sparse.serving.service import ClientGoneError, EncoderService

logger = logging.getLogger(__name__)

HEALTH = "/health"
PATHS = ("/info", "/encode", "/connector", TEI_PATH, HEALTH, "/metrics")
TOO_SLOW = 408
CLIENT_GONE = 499
"""Status, in metrics alone, of a request that its client left."""


class _Body:
    """The channel of a request's body, which knows whether all of it has come."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_complete = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self.is_complete = self.is_complete or not message.get("more_body", False)
        return message


class Guard:
    """ASGI middleware that refuses requests without the key or at the end, and answers refusals.

    Args:
        app: What answers the others.
        service: The service.
        reader: Reads the rest of refused bodies.
        api_key: The key, or None.
        local_only: Whether the Host header must name this machine, so that no web page of another site, by a name that
            resolves to this machine, can use the service.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        service: EncoderService,
        reader: BodyReader,
        api_key: str | None,
        local_only: bool = False,
    ) -> None:
        self._app, self._service, self._reader, self._api_key = app, service, reader, api_key
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = CLIENT_GONE
        self._service.in_flight += 1

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._answer(scope, _Body(receive), counted)
        finally:
            self._service.in_flight -= 1
            endpoint = scope["path"] if scope["path"] in PATHS else "other"
            self._service.metrics.requests.labels(endpoint, status).inc()

    async def _answer(self, scope: Scope, receive: _Body, send: Send) -> None:
        try:
            self._check(scope)
            await self._app(scope, receive, send)
        except Refusal as refusal:
            await self._refuse(refusal, scope, receive, send)
        except (ClientDisconnect, ClientGoneError):
            return
        except Exception as error:  # noqa: BLE001  its message may hold a text, so its type alone is logged
            logger.error("A request to %s failed with %s.", scope["path"], type(error).__name__)  # noqa: TRY400
            await self._refuse(Refusal(500, "internal_error", "The service failed."), scope, receive, send)

    def _check(self, scope: Scope) -> None:
        if scope["path"] == HEALTH:
            return
        if self._local_only and not names_this_machine(scope["headers"]):
            raise foreign_host()
        if not is_authorized(scope["headers"], self._api_key):
            raise unauthorized()
        if self._service.is_ending:
            raise ending()

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: _Body, send: Send) -> None:
        self._service.metrics.refused.labels(refusal.type).inc()
        if not receive.is_complete and refusal.status != TOO_SLOW:
            await self._reader.discard(Request(scope, receive))
        body = refusal.body(scope["path"])
        await JSONResponse(body, refusal.status, headers=refusal.headers)(scope, receive, send)


async def refuse_route(_: Request, error: Exception) -> JSONResponse:
    """Raise the refusal of a path or method that there is not.

    Args:
        error: What routing raised.

    Raises:
        Refusal: Always.
    """
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 405:
        raise Refusal(405, "method_not_allowed", "The path has no such method. GET or POST is the other one.")
    raise Refusal(status, "not_found", f"There is no such path. Known are {', '.join(PATHS)}.")
