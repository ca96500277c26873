"""Retrieval of metadata by its words, on real servers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.errors import FilterError
from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore
from opensearchpy import OpenSearch

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseMetadataRetriever
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import FewCandidatesWarning, MetadataSearch
from opensearch_neural_sparse.errors import IndexSchemaError, ServerConnectionError
from tests.paths import SMALL_MODEL

PAGES: list[dict[str, Any]] = [
    {"category": "Python", "status": "active", "priority": 1, "team": "all"},
    {"category": "Python", "status": "inactive", "priority": 3, "team": "all"},
    {"category": "JavaScript", "status": "active", "priority": 2, "team": "all"},
    {"category": "Python internals", "status": "active", "priority": 9, "team": "board", "score": 7},
]
KEYS = ["category", "status", "priority"]
FENCE = {"field": "meta.team", "operator": "==", "value": "all"}
BOARD = {"field": "meta.team", "operator": "==", "value": "board"}


@pytest.fixture(scope="module")
def store(server: Any, embedder: NeuralSparseDocumentEmbedder) -> Iterator[OpenSearchNeuralSparseDocumentStore]:
    """A store to be searched only, of two documents for each row."""
    name = f"test-{uuid.uuid4().hex}"
    store = OpenSearchNeuralSparseDocumentStore(model=str(SMALL_MODEL), hosts=server.url, index=name, timeout=60)
    pages = [
        Document(id=f"{number}-{copy}", content="Split a string.", meta=meta)
        for number, meta in enumerate(PAGES)
        for copy in range(2)
    ]
    store.write_documents(embedder.run(pages)["documents"])
    yield store
    store.close()
    with OpenSearch(server.url, timeout=60) as client:
        client.indices.delete(index=name, ignore_unavailable=True)


def row(number: int) -> dict[str, Any]:
    return {key: PAGES[number][key] for key in KEYS}


def retriever(store: OpenSearchNeuralSparseDocumentStore, **options: Any) -> OpenSearchNeuralSparseMetadataRetriever:
    return OpenSearchNeuralSparseMetadataRetriever(document_store=store, **({"metadata_fields": KEYS} | options))


async def test_distinct_rows_of_the_named_keys_are_found_best_first(store: OpenSearchNeuralSparseDocumentStore) -> None:
    found = retriever(store).run("python, active")["metadata"]
    assert found == [row(0), row(1), row(3), row(2)]
    assert (await retriever(store).run_async("python, active"))["metadata"] == found
    assert retriever(store, top_k=2).run("python, active")["metadata"] == found[:2]
    assert retriever(store).run("python, active", top_k=1)["metadata"] == found[:1]
    assert retriever(store).run(" , ")["metadata"] == []
    await store.close_async()


def test_options_of_a_run_take_the_place_of_the_retrievers_own(store: OpenSearchNeuralSparseDocumentStore) -> None:
    strict = retriever(store, mode="strict", metadata_fields=["meta.category"])
    assert strict.run("pyhton")["metadata"] == []
    assert strict.run("pyhton", mode="fuzzy")["metadata"][0] == {"category": "Python"}
    assert strict.run("9", metadata_fields=["priority", "meta.score"])["metadata"] == [{"priority": 9, "score": 7}]
    by_weight = retriever(store, metadata_fields=["category"], exact_match_weight=0.0)
    assert by_weight.run("script")["metadata"] == [{"category": "JavaScript"}]
    with pytest.warns(FewCandidatesWarning, match="best 1 documents"):
        assert len(strict.run("python", candidates=1)["metadata"]) == 1


async def test_filters_at_construction_are_a_fence_where_they_merge(store: OpenSearchNeuralSparseDocumentStore) -> None:
    fenced = retriever(store, filters=FENCE, filter_policy="merge")
    assert fenced.run("internals, 9")["metadata"] == []
    either, neither = {"operator": "OR", "conditions": [BOARD, FENCE]}, {"operator": "NOT", "conditions": [FENCE]}
    for filters in (BOARD, either, neither):
        assert row(3) not in fenced.run("python, board, 9", filters=filters)["metadata"]
        assert row(3) not in (await fenced.run_async("python, board, 9", filters=filters))["metadata"]
    replacing = retriever(store, filters=FENCE)
    assert replacing.run("internals, 9")["metadata"] == []
    assert replacing.run("internals, 9", filters=BOARD)["metadata"] == [row(3)]
    await store.close_async()


def test_a_pipeline_is_loaded_as_it_was_saved(store: OpenSearchNeuralSparseDocumentStore) -> None:
    pipeline = Pipeline()
    pipeline.add_component("names", retriever(store, mode="strict", filters=FENCE, filter_policy="merge", top_k=5))
    loaded = Pipeline.loads(pipeline.dumps())
    assert loaded.dumps() == pipeline.dumps()
    inputs = {"names": {"query": "python"}}
    assert loaded.run(inputs) == pipeline.run(inputs) == {"names": {"metadata": [row(0), row(1)]}}
    loaded.close()


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        (
            {"document_store": OpenSearchDocumentStore(hosts="http://localhost:1")},
            TypeError,
            "document_store is an OpenS",
        ),
        ({"metadata_fields": []}, ValueError, r"metadata_fields names the keys .*\['category'\]"),
        ({"metadata_fields": np.array([])}, ValueError, r"metadata_fields names the keys .*\['category'\]"),
        ({"metadata_fields": "category"}, TypeError, r"metadata_fields is a list of texts \(str\), got str"),
        ({"metadata_fields": [7]}, TypeError, r"metadata_fields is a list of texts \(str\), got int at place 0"),
        ({"top_k": 0}, ValueError, "top_k lies between 1 and 10000, got 0"),
        ({"mode": "exact"}, ValueError, "MetadataMode is one of 'strict', 'fuzzy', got 'exact'"),
        ({"candidates": 0}, ValueError, "candidates lies between 1 and 10000, got 0"),
        ({"exact_match_weight": "much"}, TypeError, "exact_match_weight is a number, got str"),
        ({"filter_policy": "keep"}, ValueError, "filter_policy is one of"),
        ({"partial": "ignore"}, ValueError, "Partial is one of"),
    ],
)
def test_wrong_arguments_are_refused_when_the_retriever_is_made(
    store: OpenSearchNeuralSparseDocumentStore, changed: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        OpenSearchNeuralSparseMetadataRetriever(**({"document_store": store, "metadata_fields": KEYS} | changed))


def test_keys_that_cannot_be_searched_are_an_error_always(store: OpenSearchNeuralSparseDocumentStore) -> None:
    lenient = retriever(store, raise_on_failure=False)
    for key, message in (
        ("categry", "has the field 'categry'. Did you mean 'category'"),
        ("content", "Field 'content' of index '.*' is no metadata"),
        ("score", "Field 'score' of index '.*' is no metadata. Did you mean 'meta.score'"),
        ("sparse_vector", "is no metadata"),
    ):
        with pytest.raises(IndexSchemaError, match=message):
            lenient.run("python", metadata_fields=[key])
    with pytest.raises(FilterError, match="Unknown operator"):
        lenient.run("python", filters={"field": "meta.team", "operator": "like", "value": "a"})
    with pytest.raises(TypeError, match="query is a text, got list"):
        lenient.run(["python"])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="given as filters"):
        store.retrieve_metadata(MetadataSearch("python", fields=KEYS, filter={"term": {"team": "all"}}))


async def test_a_server_out_of_reach_is_an_error_or_finds_nothing(caplog: pytest.LogCaptureFixture) -> None:
    away = OpenSearchNeuralSparseDocumentStore(model=str(SMALL_MODEL), hosts="http://localhost:1", index="away")
    with pytest.raises(ServerConnectionError):
        retriever(away).run("python")
    lenient = retriever(away, raise_on_failure=False)
    with caplog.at_level(logging.WARNING):
        assert lenient.run("python") == await lenient.run_async("python") == {"metadata": []}
    assert "OpenSearchNeuralSparseMetadataRetriever found nothing" in caplog.text
    lenient.warm_up()
    await lenient.close_async()
    lenient.close()
