"""Observation of requests and operations: what is said of them, and that nothing is done where nothing listens."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from opensearch_neural_sparse import IndexNotFoundError, ServerRequestError
from opensearch_neural_sparse.telemetry import tracing
from opensearch_neural_sparse.telemetry.observation import observe_encoding, observe_operation, observe_request
from tests.recorded_telemetry import Recorded


class Client:
    """A client with the addresses of servers."""

    def __init__(self, *hosts: dict[str, Any]) -> None:
        self.hosts = list(hosts)

    @property
    def transport(self) -> Client:
        return self


ONE = Client({"host": "search.example.com", "port": 9200, "use_ssl": True})
SEVERAL = Client({"host": "a", "port": 9200}, {"host": "b", "port": 9200})


def test_a_request_is_a_client_span_by_the_conventions_for_databases(recorded: Recorded) -> None:
    with observe_request("msearch", "articles", ONE, 2):
        pass
    span = recorded.span("msearch")
    assert (span.name, span.kind.name) == ("msearch articles", "CLIENT")
    assert span.attributes == {
        "db.system.name": "opensearch",
        "db.operation.name": "msearch",
        "db.collection.name": "articles",
        "db.operation.batch.size": 2,
        "server.address": "search.example.com",
        "server.port": 9200,
    }


@pytest.mark.parametrize("name", ["info", "cat.plugins", "ml.predict"])
def test_a_request_for_the_server_names_no_index(recorded: Recorded, name: str) -> None:
    with observe_request(name, "articles", ONE):
        pass
    span = recorded.span(name)
    assert span.name == name
    assert "db.collection.name" not in (span.attributes or {})


def test_of_several_servers_none_is_named(recorded: Recorded) -> None:
    with observe_request("search", "articles", SEVERAL):
        pass
    assert "server.address" not in (recorded.span("search").attributes or {})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ServerRequestError(400, "parsing_exception", "text of a query"),
            {"error.type": "parsing_exception", "db.response.status_code": "400"},
        ),
        (IndexNotFoundError("articles"), {"error.type": "IndexNotFoundError"}),
    ],
)
def test_an_error_is_the_status_of_its_span_without_its_message(
    recorded: Recorded, caplog: pytest.LogCaptureFixture, error: Exception, said: dict[str, str]
) -> None:
    caplog.set_level(logging.DEBUG, "opensearch_neural_sparse")
    with pytest.raises(type(error)), observe_request("search", "articles", ONE):
        raise error
    span = recorded.span("search")
    assert span.status.status_code.name == "ERROR"
    assert (span.status.description, span.events) == (None, ())
    assert said.items() <= dict(span.attributes or {}).items()
    (point,) = recorded.points("db.client.operation.duration")
    assert said.items() <= dict(point.attributes).items()
    assert "failed after" in caplog.text
    assert str(error) not in caplog.text


def test_durations_of_requests_and_operations_are_measured_apart(recorded: Recorded) -> None:
    with observe_operation("hybrid_search", "articles"):
        for _ in range(3):
            with observe_request("search", "articles", ONE):
                pass
    (requests,) = recorded.points("db.client.operation.duration")
    (operations,) = recorded.points("opensearch_neural_sparse.operation.duration")
    assert (requests.count, requests.attributes["db.operation.name"]) == (3, "search")
    assert requests.explicit_bounds == (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
    assert (operations.count, operations.attributes["db.operation.name"]) == (1, "hybrid_search")
    assert 0 < requests.sum <= operations.sum


def test_the_number_of_texts_is_in_the_span_of_an_encoding_and_not_in_its_metric(recorded: Recorded) -> None:
    with observe_encoding("encode_documents", "small-en", 7):
        pass
    said = {"db.operation.name": "encode_documents", "opensearch_neural_sparse.model": "small-en"}
    assert recorded.span("encode_documents").attributes == said | {"opensearch_neural_sparse.texts": 7}
    (point,) = recorded.points("opensearch_neural_sparse.operation.duration")
    assert point.attributes == said


def test_a_description_is_in_the_span_and_the_log(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "opensearch_neural_sparse")
    with observe_operation("sparse_search", "articles") as observation:
        assert observation.is_active
        observation.describe({"db.response.returned_rows": 10, "opensearch_neural_sparse.fusion": "client rrf"})
    assert (recorded.span("sparse_search").attributes or {})["db.response.returned_rows"] == 10
    assert caplog.messages[0].startswith("sparse_search took ")
    assert caplog.messages[0].endswith(" ms, index='articles', hits=10, fusion='client rrf'")


def test_without_a_provider_nothing_is_described() -> None:
    assert "opentelemetry.trace" in sys.modules
    assert not tracing.is_traced()
    with observe_operation("sparse_search", "articles") as observation:
        assert not observation.is_active


def test_a_step_without_a_name_is_not_observed(recorded: Recorded) -> None:
    with observe_operation(None, "articles"):
        pass
    assert recorded.spans() == []


WITHOUT = """
import sys, logging
sys.modules["opentelemetry"] = None  # as where it is not installed
logging.basicConfig(level=logging.DEBUG)
from opensearch_neural_sparse import NeuralSparseStore, ServerConnectionError
with NeuralSparseStore("articles", url="http://127.0.0.1:9", client_options={"max_retries": 0}) as store:
    try:
        store.search("cats")
    except ServerConnectionError:
        print("done")
"""


def test_it_works_without_opentelemetry() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "done\n", done.stderr
    assert "sparse_search failed after" in done.stderr


def test_opentelemetry_is_not_imported_before_the_program_does() -> None:
    code = WITHOUT.replace('sys.modules["opentelemetry"] = None', "pass").replace(
        'print("done")', "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[]\n", done.stderr
