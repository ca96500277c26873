"""The blocking and the asynchronous store of a vector store: which there are, who closes them, what they share."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore
from tests.langchain_layer.conftest import CountLoads
from tests.paths import SMALL_MODEL


async def test_one_side_alone_works_and_the_other_says_what_it_lacks(server, index_name, encoders) -> None:
    from opensearchpy import AsyncOpenSearch, OpenSearch

    with OpenSearch(server.url) as client:
        blocking = OpenSearchNeuralSparseVectorStore(index_name, client=client, **encoders)
        assert blocking.add_texts(["rivers"], ids=["1"]) == ["1"]
        with pytest.raises(ValueError, match="async_client"):
            await blocking.asimilarity_search("rivers")
        await blocking.aclose()
        assert client.ping()
    async with AsyncOpenSearch(server.url) as async_client:
        awaited = OpenSearchNeuralSparseVectorStore(index_name, async_client=async_client, **encoders)
        assert [one.id for one in await awaited.asimilarity_search("rivers")] == ["1"]
        with pytest.raises(ValueError, match="client="):
            awaited.similarity_search("rivers")
        await awaited.aclose()
        assert await async_client.ping()


async def test_both_clients_of_ones_own_stay_open(server, index_name, encoders) -> None:
    from opensearchpy import AsyncOpenSearch, OpenSearch

    with OpenSearch(server.url) as client:
        async with AsyncOpenSearch(server.url) as async_client:
            clients = {"client": client, "async_client": async_client}
            async with OpenSearchNeuralSparseVectorStore(index_name, **clients, **encoders) as vectorstore:
                await vectorstore.aadd_documents([Document(id="1", page_content="rivers")])
                assert len(vectorstore.similarity_search("rivers")) == 1
            assert client.ping()
            assert await async_client.ping()


async def test_stores_of_the_core_will_do_and_stay_open(server, index_name, encoders) -> None:
    async with AsyncNeuralSparseStore(index_name, url=server.url, **encoders) as async_store:
        with NeuralSparseStore(index_name, url=server.url, **encoders) as store:
            async with OpenSearchNeuralSparseVectorStore(store=store, async_store=async_store) as vectorstore:
                await vectorstore.aadd_texts(["rivers"])
            assert store.count() == await async_store.count() == 1


def test_every_event_loop_has_a_client_that_ends_with_it(server, index_name, encoders) -> None:
    vectorstore = OpenSearchNeuralSparseVectorStore(index_name, url=server.url, **encoders)

    async def run(text: str) -> Any:
        await vectorstore.aadd_texts([text], ids=[text])
        return (await vectorstore.async_store.client()).transport.connection_pool.connections[0]

    connections = [asyncio.run(run(text)) for text in ("rivers", "lakes")]
    assert connections[0] is not connections[1]
    assert [one.session for one in connections] == [None, None]
    assert len(vectorstore.similarity_search("rivers")) == 2
    vectorstore.close()


async def test_both_sides_share_one_encoder(make_store, loads: CountLoads) -> None:
    vectorstore = make_store(model=SMALL_MODEL, query_encoder=None, document_encoder=None)
    await vectorstore.aadd_texts(["Rivers carry water to the sea."], ids=["1"])
    vectorstore.add_texts(["A bank lends money."], ids=["2"])
    assert [one.id for one in vectorstore.similarity_search("water", k=1)] == ["1"]
    assert [one.id for one in await vectorstore.asimilarity_search("water", k=1)] == ["1"]
    assert loads() == ["document", "query"]
    await vectorstore.aclose()
