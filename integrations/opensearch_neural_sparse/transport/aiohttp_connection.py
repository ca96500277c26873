"""The connection of the asynchronous clients that stores make; import it where a client is made."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from opensearchpy import AIOHttpConnection

LARGE = 1024 * 1024
"""From here on aiohttp warns of bytes that it sends in one go, and sends a stream piece by piece."""


class StreamingConnection(AIOHttpConnection):
    """Send large requests piece by piece, so that a bulk request does not hold up the event loop."""

    async def perform_request(
        self, method: str, url: str, params: Any = None, body: Any = None, *arguments: Any, **options: Any
    ) -> Any:
        """Send a request; see `opensearchpy.AIOHttpConnection`."""
        if isinstance(body, bytes) and len(body) > LARGE and not self.http_compress:
            body = BytesIO(body)
        return await super().perform_request(method, url, params, body, *arguments, **options)
