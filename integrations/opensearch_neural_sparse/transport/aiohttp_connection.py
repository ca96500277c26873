"""Connection class of the stores' asynchronous clients; imported only with a client."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from opensearchpy import AIOHttpConnection

LARGE = 1024 * 1024
"""Body size in bytes beyond which aiohttp warns unless the body is a stream."""


class StreamingConnection(AIOHttpConnection):
    """Stream large requests, so that a bulk request does not block the event loop."""

    async def perform_request(
        self, method: str, url: str, params: Any = None, body: Any = None, *arguments: Any, **options: Any
    ) -> Any:
        """Send a request; see `opensearchpy.AIOHttpConnection`."""
        if isinstance(body, bytes) and len(body) > LARGE and not self.http_compress:
            body = BytesIO(body)
        return await super().perform_request(method, url, params, body, *arguments, **options)
