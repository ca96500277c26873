"""Searches of the LangChain layer whose queries the server encodes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from opensearch_neural_sparse import HybridOptions, NeuralSparseStore, SearchOptions, ServerQuery
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


def test_server_encodes_queries_of_store_and_retrievers(
    model_server: RunningServer, unstamped: str, deployed: DeployedModel
) -> None:
    by = ServerQuery(model_id=deployed.query_model_id)
    own = OpenSearchNeuralSparseVectorStore(index=unstamped, url=model_server.url, model=SMALL_MODEL)
    expected = own.similarity_search_with_score(QUERY)
    store = OpenSearchNeuralSparseVectorStore(index=unstamped, url=model_server.url)
    found = store.similarity_search_with_score(QUERY, options=SearchOptions(server_query=by))
    assert [document.id for document, _ in found] == [document.id for document, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected])
    options = HybridOptions(server_query=by)
    for legs in (["sparse"], ["bm25", "sparse"]):
        hybrid = OpenSearchNeuralSparseHybridRetriever(vectorstore=store, legs=legs, options=options)
        ours = OpenSearchNeuralSparseHybridRetriever(vectorstore=own, legs=legs)
        assert [each.id for each in hybrid.invoke(QUERY)] == [each.id for each in ours.invoke(QUERY)]
    body = {"query": "$sparse"}
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=store, options=SearchOptions(server_query=by))
    custom = retriever.model_copy(update={"body": body})
    ids = [document.id for document, _ in expected]
    assert [each.id for each in retriever.invoke(QUERY)] == ids
    assert [each.id for each in custom.invoke(QUERY)] == ids
    assert [each.id for each in asyncio.run(awaited(retriever, store))] == ids
    own.close()
    store.close()


async def awaited(retriever: OpenSearchNeuralSparseRetriever, store: OpenSearchNeuralSparseVectorStore) -> Any:
    found = await retriever.ainvoke(QUERY)
    await store.aclose()
    return found


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
    store = OpenSearchNeuralSparseVectorStore(index=model_index, url=model_server.url)
    with NeuralSparseStore(model_index, client=model_client) as core:
        expected = [hit.id for hit in core.search(QUERY)]
    assert len(expected) > 1
    found = store.similarity_search(QUERY)
    assert [document.id for document in found] == expected
    assert {document.metadata["lang"] for document in found} == {"en"}
    assert OpenSearchNeuralSparseHybridRetriever(vectorstore=store).invoke(QUERY)
    assert store.max_marginal_relevance_search(QUERY, k=2)
    assert store.add_texts(["a blue planet"], ids=["new"]) == ["new"]
    assert "new" in [document.id for document in store.similarity_search("planet")]
    store.close()
