"""The ASGI application of an encoder service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
from opensearch_neural_sparse.serving.batcher import EncodedText, InputType
from opensearch_neural_sparse.serving.guard import HEALTH, Guard, refuse_route
from opensearch_neural_sparse.serving.options import ServiceOptions
from opensearch_neural_sparse.serving.refusals import TEI_PATH, Refusal
from opensearch_neural_sparse.serving.request_body import BodyReader, choice_of, texts_of
from opensearch_neural_sparse.serving.service import EncoderService

INPUT_TYPES = {str(kind): kind for kind in InputType}
SWITCH = {True: True, False: False}


def create_app(
    document_encoder: DocumentEncoder,
    query_encoder: QueryEncoder,
    *,
    options: ServiceOptions | None = None,
    api_key: str | None = None,
    local_only: bool = False,
) -> FastAPI:
    """Return the ASGI application of an encoder service, for any ASGI server.

    Its lifespan starts and stops the thread that runs the model. `app.state.service` is the `EncoderService`.

    Args:
        document_encoder: Encoder of documents; one thread calls it.
        query_encoder: Encoder of queries, of the same model.
        options: The limits; by default those of `ServiceOptions`.
        api_key: Key that each request but `/health` must carry; None lets everyone in.
        local_only: Whether the Host header of each request but `/health` must name this machine, as fits a service
            that listens on it alone and has no key.
    """
    options = options or ServiceOptions()
    service = EncoderService(document_encoder, query_encoder, options)
    reader = BodyReader(options)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan, redirect_slashes=False)
    app.state.service = service
    app.add_middleware(Guard, service=service, reader=reader, api_key=api_key, local_only=local_only)
    app.add_exception_handler(HTTPException, refuse_route)
    endpoints = _Endpoints(service, reader)
    app.add_route("/info", endpoints.info, ["GET"])
    app.add_route(HEALTH, endpoints.health, ["GET"])
    app.add_route("/metrics", endpoints.metrics, ["GET"])
    app.add_route("/encode", endpoints.encode, ["POST"])
    app.add_route("/connector", endpoints.connector, ["POST"])
    app.add_route(TEI_PATH, endpoints.embed_sparse, ["POST"])
    return app


class _Endpoints:
    """Endpoints of a service."""

    def __init__(self, service: EncoderService, reader: BodyReader) -> None:
        self._service, self._reader = service, reader

    async def info(self, _: Request) -> Response:
        """Return the facts of the model and the limits."""
        return _json(self._service.info)

    async def health(self, _: Request) -> Response:
        """Return whether the model answers."""
        self._service.ensure_healthy()
        return _json({"status": "ok"})

    async def metrics(self, _: Request) -> Response:
        """Return the metrics."""
        return Response(self._service.metrics.as_text(), media_type="text/plain; version=0.0.4")

    async def encode(self, request: Request) -> Response:
        """Return the vectors of documents or queries, with the model's fingerprints."""
        body = await self._reader.read(request)
        kind = choice_of(body, "input_type", INPUT_TYPES, InputType.DOCUMENT)
        encoded = await self._encode(request, kind, texts_of(body, "texts", self._service.options))
        return _json(
            {
                **self._service.fingerprints,
                "vectors": _vectors(encoded),
                "dropped_tokens": [each.dropped_tokens for each in encoded],
            }
        )

    async def connector(self, request: Request) -> Response:
        """Return the vectors of documents as OpenSearch's connectors expect them."""
        body = await self._reader.read(request)
        texts = texts_of(body, "inputs", self._service.options, or_one=True)
        return _json(_vectors(await self._encode(request, InputType.DOCUMENT, texts)))

    async def embed_sparse(self, request: Request) -> Response:
        """Return the vectors of documents as Text Embeddings Inference does."""
        body = await self._reader.read(request)
        may_cut = choice_of(body, "truncate", SWITCH, default=True)
        texts = texts_of(body, "inputs", self._service.options, or_one=True)
        encoded = await self._encode(request, InputType.DOCUMENT, texts)
        cut = next((place for place, each in enumerate(encoded) if each.dropped_tokens), None)
        if cut is not None and not may_cut:
            limit = self._service.info["max_length"]
            reason = f"inputs[{cut}] has more than {limit} tokens, and truncate is false. Split it into passages."
            raise Refusal(413, "request_too_large", reason)
        return _json([self._by_id(each) for each in encoded])

    async def _encode(self, request: Request, kind: InputType, texts: Sequence[str]) -> list[EncodedText]:
        return await self._service.encode(kind, texts, request.receive)

    def _by_id(self, encoded: EncodedText) -> list[dict[str, Any]]:
        ids, weights = encoded.vector.to_ids(self._service.vocabulary)
        return [{"index": index, "value": weight} for index, weight in zip(ids, weights, strict=True)]


def _vectors(encoded: Sequence[EncodedText]) -> list[dict[str, float]]:
    return [each.vector.to_dict() for each in encoded]


def _json(value: Mapping[str, Any] | Sequence[Any]) -> Response:
    return Response(json.dumps(value, separators=(",", ":")), media_type="application/json")
