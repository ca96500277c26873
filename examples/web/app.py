"""The server of the page: its files, and the searches as JSON."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from pydantic import StringConstraints
from starlette.middleware.trustedhost import TrustedHostMiddleware

from examples.web.answers import answer
from examples.web.searches import analyze
from examples.web.searches import search as search_all
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseError, SparseTokenizer

PAGE = Path(__file__).with_name("page")
FILES = {path.name: path for path in PAGE.iterdir()}
"""Name -> the file; no other is served."""
HOSTS = ["localhost", "127.0.0.1"]
"""Names by which the page may be asked for, so that no other site can read it by a name of its own."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
"""The page may run its own scripts and styles and speak to its own server, and nothing else."""
Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Value = Annotated[str, StringConstraints(min_length=1, max_length=200)] | None


def create_app(
    store: AsyncNeuralSparseStore, tokenizer: SparseTokenizer, network: AsyncNeuralSparseStore | None = None
) -> FastAPI:
    """Return the page's server over its stores, which are open for as long as the server runs.

    Args:
        store: The index that is searched.
        tokenizer: The tokenizer of both models; it finds the tokens that matched in the texts.
        network: The same index by the field of a second model; None where it has none.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for each in (store, network):
                if each is not None:
                    await stack.enter_async_context(each)
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)

    @app.get("/")
    async def show() -> FileResponse:
        return FileResponse(FILES["index.html"], headers=HEADERS)

    @app.get("/api/search")
    async def search(q: Question, topic: Value = None, kind: Value = None) -> dict[str, Any]:
        chosen = {field: value for field, value in (("topic", topic), ("kind", kind)) if value is not None}
        found = await search_all(store, q, chosen, network)
        return answer(found, await analyze(store, q, found["bm25"].hits), tokenizer)

    @app.get("/{name}")
    async def file(name: str) -> FileResponse:
        if name not in FILES:
            raise HTTPException(404)
        return FileResponse(FILES[name], headers=HEADERS)

    @app.exception_handler(NeuralSparseError)
    async def tell(_: Request, error: NeuralSparseError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status_code=503)

    return app
