"""Spans and metrics of stores against real servers, blocking and awaited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    HybridOptions,
    IndexNotFoundError,
    NeuralSparseStore,
    Rerank,
    SearchOptions,
    ServerRequestError,
    WriteOptions,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.recorded_telemetry import Recorded

pytestmark = pytest.mark.newest_server

TEXTS = ["red planet mars", "blue planet earth", "no such thing"]
BY_CLIENT = HybridOptions(fusion="client")


@pytest.fixture
def filled(store: NeuralSparseStore, recorded: Recorded) -> NeuralSparseStore:
    store.write({"id": f"{number}", "text": text} for number, text in enumerate(TEXTS))
    recorded.exporter.clear()
    return store


@pytest_asyncio.fixture
async def awaited(server: RunningServer, filled: NeuralSparseStore, encoder: WordEncoder) -> Any:
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    async with AsyncNeuralSparseStore(filled.index, url=server.url, **encoders) as store:
        await store.open()
        await store.server()
        yield store


def told(recorded: Recorded, operation: str) -> dict[str, Any]:
    return dict(recorded.span(operation).attributes or {})


def assert_hybrid_search(recorded: Recorded, index: str, hits: Any) -> None:
    search = f"hybrid_search {index}"
    for name in ("encode_queries", "msearch", "fuse"):
        assert recorded.parents(recorded.span(name)) == [search]
    assert recorded.span("encode_queries").kind.name == "INTERNAL"
    assert recorded.span("msearch").kind.name == "CLIENT"
    assert told(recorded, "msearch")["db.operation.batch.size"] == 2
    attributes = told(recorded, "hybrid_search")
    assert attributes["db.response.returned_rows"] == len(hits) == 2
    assert attributes["opensearch_neural_sparse.fusion"] == hits.fusion == "client rrf"
    assert attributes["opensearch_neural_sparse.legs"] == ("bm25", "sparse")
    assert list(attributes["opensearch_neural_sparse.leg_ms"]) == list(hits.leg_took_ms.values())


def test_a_hybrid_search_has_spans_of_encoding_request_and_fusion(
    filled: NeuralSparseStore, recorded: Recorded
) -> None:
    hits = filled.hybrid_search("planet", options=BY_CLIENT)
    assert_hybrid_search(recorded, filled.index, hits)


async def test_an_awaited_hybrid_search_has_the_same_spans(awaited: AsyncNeuralSparseStore, recorded: Recorded) -> None:
    recorded.exporter.clear()
    hits = await awaited.hybrid_search("planet", options=BY_CLIENT)
    assert_hybrid_search(recorded, awaited.index, hits)


def test_a_search_is_within_the_span_of_its_caller(filled: NeuralSparseStore, recorded: Recorded) -> None:
    with recorded.tracer("program").start_as_current_span("answer"):
        filled.search("planet")
    assert recorded.parents(recorded.span("search")) == [f"sparse_search {filled.index}", "answer"]


def test_reranking_has_a_span(filled: NeuralSparseStore, recorded: Recorded) -> None:
    rerank = Rerank(lambda query, texts: [float(len(text)) for text in texts])
    filled.search("planet", options=SearchOptions(rerank=rerank))
    assert recorded.parents(recorded.span("rerank")) == [f"sparse_search {filled.index}"]


def test_bulk_requests_of_several_threads_are_within_the_write(store: NeuralSparseStore, recorded: Recorded) -> None:
    with recorded.tracer("program").start_as_current_span("load"):
        store.write(map(str, range(20)), options=WriteOptions(batch_size=5, in_flight=3))
    sent = recorded.spans("bulk")
    assert [(span.attributes or {})["db.operation.batch.size"] for span in sent] == [5] * 4
    encoded = recorded.spans("encode_documents")
    assert [(span.attributes or {})["opensearch_neural_sparse.texts"] for span in encoded] == [20] or len(encoded) == 4
    write = f"write {store.index}"
    assert {tuple(recorded.parents(span)) for span in (*sent, *encoded)} == {(write, "load")}
    assert told(recorded, "write")["opensearch_neural_sparse.documents.done"] == 20


async def test_bulk_requests_of_several_tasks_are_within_the_write(
    awaited: AsyncNeuralSparseStore, recorded: Recorded
) -> None:
    recorded.exporter.clear()
    await awaited.write(map(str, range(20)), options=WriteOptions(batch_size=5, in_flight=3))
    sent, encoded = recorded.spans("bulk"), recorded.spans("encode_documents")
    assert len(sent) == 4
    assert encoded
    assert {tuple(recorded.parents(span)) for span in (*sent, *encoded)} == {(f"write {awaited.index}",)}


def test_documents_are_counted_by_their_outcome(store: NeuralSparseStore, recorded: Recorded) -> None:
    store.write([{"id": "1", "text": "a", "metadata": {"when": "now"}}])
    with pytest.raises(BulkWriteError):
        store.write(
            [{"id": "2", "text": "b", "metadata": {"when": {"no": "text"}}}, {"id": "3", "text": "c"}],
        )
    store.delete(["1"])
    counted = {
        (point.attributes["db.operation.name"], point.attributes["opensearch_neural_sparse.outcome"]): point.value
        for point in recorded.points("opensearch_neural_sparse.documents")
    }
    assert counted == {("write", "done"): 2, ("write", "refused"): 1, ("delete", "done"): 1}


def test_durations_of_searches_are_measured_with_the_address_of_the_server(
    filled: NeuralSparseStore, recorded: Recorded, server: RunningServer
) -> None:
    filled.search("planet")
    filled.search("mars")
    points = {point.attributes["db.operation.name"]: point for point in recorded.points("db.client.operation.duration")}
    search = points["search"]
    host, port = server.url.removeprefix("http://").split(":")
    assert search.count == 2
    assert search.attributes == {
        "db.system.name": "opensearch",
        "db.operation.name": "search",
        "db.collection.name": filled.index,
        "server.address": host,
        "server.port": int(port),
    }
    operations = recorded.points("opensearch_neural_sparse.operation.duration")
    assert {point.attributes["db.operation.name"] for point in operations} >= {
        "sparse_search",
        "encode_queries",
        "write",
    }


def test_a_failing_search_marks_its_span_and_the_one_of_its_request(
    filled: NeuralSparseStore, recorded: Recorded
) -> None:
    with pytest.raises(ServerRequestError):
        filled.custom_search({"query": {"no_such_query": {}}})
    for operation in ("search", "custom_search"):
        assert recorded.span(operation).status.status_code.name == "ERROR"
        assert told(recorded, operation)["error.type"] == "parsing_exception"


def test_a_missing_index_is_an_error_of_the_search_and_not_of_the_request(
    make_store: Callable[..., NeuralSparseStore], recorded: Recorded
) -> None:
    with pytest.raises(IndexNotFoundError):
        make_store().search("planet")
    assert recorded.span("indices.get").status.status_code.name == "UNSET"
    assert told(recorded, "sparse_search")["error.type"] == "IndexNotFoundError"


def test_no_text_is_in_a_span(filled: NeuralSparseStore, recorded: Recorded) -> None:
    filled.hybrid_search("planet", options=BY_CLIENT)
    assert recorded.spans()
    assert "planet" not in "".join(span.to_json() for span in recorded.spans())
