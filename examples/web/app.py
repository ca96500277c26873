"""The server of the page: one HTML file, and the three searches as JSON."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import StringConstraints

from examples.web.answers import ask
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseError, SparseTokenizer

PAGE = Path(__file__).with_name("page.html")
Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def create_app(store: AsyncNeuralSparseStore, tokenizer: SparseTokenizer) -> FastAPI:
    """Return the page's server over a store, which is open for as long as the server runs.

    Args:
        store: The index that is searched.
        tokenizer: The model's; it finds the tokens that matched in the texts.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with store:
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    page = PAGE.read_text(encoding="utf-8")
    headers = {"Content-Security-Policy": content_security_policy(page), "X-Content-Type-Options": "nosniff"}

    @app.get("/")
    async def show() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    @app.get("/api/search")
    async def search(q: Question) -> dict[str, Any]:
        return await ask(store, tokenizer, q)

    @app.exception_handler(NeuralSparseError)
    async def tell(_: Request, error: NeuralSparseError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status_code=503)

    return app


def content_security_policy(page: str) -> str:
    """Let the page run its own script and style, known by their hashes, and speak to its own server; nothing else."""
    return (
        f"default-src 'none'; script-src {_hash_of('script', page)}; style-src {_hash_of('style', page)}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def _hash_of(tag: str, page: str) -> str:
    (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
