"""Requests that a node refuses unread, which no test can make a server do at will."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from opensearchpy import Transport
from opensearchpy.exceptions import TransportError

from opensearch_neural_sparse import ServerModelError
from opensearch_neural_sparse.server_models.cluster import ml_requests
from opensearch_neural_sparse.server_models.cluster.ml_requests import MlRequests

REASON = (
    "[parent] Data too large, data for [<http_request>] would be [2065510100/1.9gb], which is larger than the limit"
)
REFUSAL = {"type": "circuit_breaking_exception", "reason": REASON, "durability": "PERMANENT"}


class RefusingTransport(Transport):
    """Refuses the first requests with 429, as a node with a full heap does."""

    def __init__(self, refusals: int) -> None:
        super().__init__([{"host": "localhost"}])
        self.refusals, self.requests = refusals, 0

    def perform_request(self, method: str, url: str, *_: Any, **__: Any) -> Any:
        self.requests += 1
        if self.requests <= self.refusals:
            raise TransportError(429, "circuit_breaking_exception", {"error": REFUSAL, "status": 429})
        return {"state": "COMPLETED"}


def requests_over(transport: RefusingTransport) -> MlRequests:
    client: Any = SimpleNamespace(transport=transport)
    return MlRequests(client)


def test_a_request_refused_unread_is_sent_again() -> None:
    transport = RefusingTransport(2)
    assert requests_over(transport).send("GET", "tasks/1", model="m") == {"state": "COMPLETED"}
    assert transport.requests == 3


def test_a_heap_that_stays_full_is_an_error_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml_requests, "UNREAD_PATIENCE", 0.15)
    transport = RefusingTransport(1000)
    with pytest.raises(ServerModelError, match=r"indices\.breaker\.total\.limit.*larger heap") as raised:
        requests_over(transport).send("GET", "tasks/1", model="m")
    assert raised.value.cause == "heap_request"
    assert 1 < transport.requests < 10
