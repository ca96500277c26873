"""Retrievers whose queries the server encodes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from haystack import Document, Pipeline

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import NeuralSparseStore
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

QUERY = "red planet"
TEXTS = ("a red planet", "a red fox", "a cat")


@pytest.fixture
def unstamped(model_client: Any, model_index: str) -> str:
    """An index of documents that our model encoded, without a stamp."""
    with NeuralSparseStore(model_index, client=model_client, model=SMALL_MODEL) as store:
        store.create(settings={"number_of_shards": 1})
        store.write({"id": f"{n}", "text": text} for n, text in enumerate(TEXTS))
    model_client.indices.put_mapping(index=model_index, body={"_meta": {}})
    return model_index


@pytest.mark.parametrize("kind", [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever])
def test_server_encodes_the_query_of_a_saved_retriever(
    model_server: RunningServer, unstamped: str, deployed: DeployedModel, kind: type
) -> None:
    own = OpenSearchNeuralSparseDocumentStore(hosts=model_server.url, index=unstamped, model=str(SMALL_MODEL))
    expected = kind(document_store=own).run(query=QUERY)["documents"]
    own.close()
    store = OpenSearchNeuralSparseDocumentStore(hosts=model_server.url, index=unstamped)
    made = Pipeline()
    made.add_component("retriever", kind(document_store=store, server_query={"model_id": deployed.query_model_id}))
    pipeline = Pipeline.loads(made.dumps())
    found = pipeline.run({"retriever": {"query": QUERY}})["retriever"]["documents"]
    asked = kind(document_store=store)
    of_run = asked.run(query=QUERY, server_query={"model_id": deployed.query_model_id})["documents"]
    awaited = asyncio.run(search(asked, deployed))
    for documents in (found, of_run, awaited):
        assert [document.id for document in documents] == [document.id for document in expected]
        assert [document.score for document in documents] == pytest.approx([each.score for each in expected])
    store.close()
    pipeline.get_component("retriever").close()


async def search(retriever: Any, deployed: DeployedModel) -> Any:
    found = await retriever.run_async(query=QUERY, server_query={"model_id": deployed.query_model_id})
    await retriever.close_async()
    return found["documents"]


def test_unknown_way_to_encode_is_refused() -> None:
    store = OpenSearchNeuralSparseDocumentStore(index="a")
    with pytest.raises(TypeError, match="server_query has no 'model'; it has model_id, analyzer"):
        OpenSearchNeuralSparseRetriever(document_store=store, server_query={"model": "x"})
    with pytest.raises(ValueError, match="encoded by one of them"):
        OpenSearchNeuralSparseHybridRetriever(document_store=store, server_query={"model_id": "x", "analyzer": "y"})


def test_semantic_index_that_others_made_is_searched_by_its_own_model(
    model_server: RunningServer, model_client: Any, model_index: str, deployed: DeployedModel
) -> None:
    if model_server.version.startswith("2."):
        pytest.skip("the field type semantic came with OpenSearch 3.1")
    field = {"type": "semantic", "model_id": deployed.model_id, "search_model_id": deployed.query_model_id}
    model_client.indices.create(index=model_index, body={"mappings": {"properties": {"content": field}}})
    for number, text in enumerate(TEXTS):
        body = {"id": f"{number}", "content": text, "lang": "en"}
        model_client.index(index=model_index, id=f"{number}", body=body, params={"refresh": "true"})
    store = OpenSearchNeuralSparseDocumentStore(hosts=model_server.url, index=model_index)
    with NeuralSparseStore(model_index, client=model_client) as core:
        expected = [hit.id for hit in core.search(QUERY)]
    assert len(expected) > 1
    found = OpenSearchNeuralSparseRetriever(document_store=store).run(query=QUERY)["documents"]
    assert [document.id for document in found] == expected
    assert [(document.content, document.meta) for document in found] == [
        (TEXTS[int(name)], {"lang": "en"}) for name in expected
    ]
    assert OpenSearchNeuralSparseHybridRetriever(document_store=store).run(query=QUERY)["documents"]
    assert store.count_documents() == len(TEXTS)
    assert store.write_documents([Document(id="new", content="a blue planet")]) == 1
    assert "new" in [
        each.id for each in OpenSearchNeuralSparseRetriever(document_store=store).run("planet")["documents"]
    ]
    store.close()
