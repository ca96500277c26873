"""Requests by a name that is not this machine's, as a page of another site can send them."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from opensearch_neural_sparse import load_query_encoder
from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
from opensearch_neural_sparse.serving import create_app
from tests.paths import SMALL_MODEL
from tests.serving.conftest import served_process

LOCAL = ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"]


@pytest.mark.parametrize("path", ["/info", "/metrics"])
def test_a_local_service_without_a_key_answers_its_own_names_alone(encoder: DocumentEncoder, path: str) -> None:
    app = create_app(encoder, load_query_encoder(SMALL_MODEL), local_only=True)
    with TestClient(app) as client:
        assert [client.get(path, headers={"host": host}).status_code for host in LOCAL] == [200, 200, 200]
        refused = client.get(path, headers={"host": "rebound.example.org:8080"})
        assert refused.status_code == 421
        assert "Host header" in refused.json()["error"]["reason"]
        assert client.get("/health", headers={"host": "rebound.example.org"}).status_code == 200


def test_the_command_checks_the_name_where_it_has_no_key() -> None:
    with served_process() as service, service.client() as client:
        assert client.get("/info").status_code == 200
        assert client.get("/info", headers={"host": "rebound.example.org"}).status_code == 421


def test_the_command_leaves_the_name_alone_where_it_has_a_key() -> None:
    with served_process(ENCODER_API_KEY="k" * 20) as service, service.client() as client:
        assert client.get("/info", headers={"host": "encoder.example.org"}).status_code == 200
