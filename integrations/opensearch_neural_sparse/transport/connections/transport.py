"""Transport that gives each request one deadline."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from opensearchpy import Transport

from opensearch_neural_sparse.transport.connections.deadline import deadline_of


class DeadlineTransport(Transport):
    """Gives each request one deadline, which its retries share.

    A request ends after its timeout. Where the client sends a request again that timed out (`retry_on_timeout`), each
    attempt may take as long.
    """

    def perform_request(
        self,
        method: str,
        url: str,
        params: Any = None,
        body: Any = None,
        timeout: Any = None,
        ignore: Collection[int] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request; see `opensearchpy.Transport`, also for how parameters name a timeout."""
        if not timeout and params:
            timeout = params.pop("request_timeout", None) or params.pop("timeout", None)
        deadline = deadline_of(timeout or self._usual, self.max_retries + 1 if self.retry_on_timeout else 1)
        return super().perform_request(method, url, params, body, deadline, ignore, headers)

    @property
    def _usual(self) -> Any:
        """The timeout of requests without one of their own; None where each host has one."""
        return None if any("timeout" in host for host in self.hosts) else self.kwargs.get("timeout")
