"""A server where no model was ever registered: it answers 404, of which the client's log has no warning."""

from __future__ import annotations

from typing import Any

from opensearch_neural_sparse.server_models.cluster.ml_requests import MlRequests

MISSING = {
    "error": {"type": "index_not_found_exception", "reason": "no such index", "index": ".plugins-ml-model"},
    "status": 404,
}


class EmptyServer:
    """A client of a server without models; it lets a 404 through where it is told to ignore it."""

    def __init__(self) -> None:
        self.transport, self.ignored = self, list[Any]()
        self.hosts, self.kwargs = [{"host": "localhost", "port": 9200}], dict[str, Any]()

    def perform_request(self, method: str, url: str, params: dict[str, Any], body: Any = None) -> Any:
        self.ignored.append(params.get("ignore"))
        return MISSING


def test_a_search_for_models_finds_none_and_expects_the_404() -> None:
    client: Any = EmptyServer()
    assert MlRequests(client).search("models", {"match_all": {}}, model="small-en") == []
    assert client.ignored == [404]
