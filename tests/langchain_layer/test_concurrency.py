"""A thousand tasks on one retriever, and sixty-four threads on one store: all are answered, over few connections."""

from __future__ import annotations

import asyncio
import gc
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseVectorStore

pytestmark = pytest.mark.newest_server

TASKS, THREADS, MOST_CONNECTIONS = 1000, 64, 20
TEXTS = [f"passage {number} about rivers" for number in range(8)]


@pytest.fixture
def filled(vectorstore) -> OpenSearchNeuralSparseVectorStore:
    vectorstore.add_documents([Document(id=str(number), page_content=text) for number, text in enumerate(TEXTS)])
    return vectorstore


def test_a_thousand_tasks_on_one_retriever_are_answered(filled, server, encoder) -> None:
    async def ask() -> list[list[Document]]:
        async with OpenSearchNeuralSparseVectorStore(
            filled.stores.index, url=server.url, query_encoder=encoder
        ) as vectorstore:
            retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=1)
            answers = await asyncio.gather(*(retriever.ainvoke(TEXTS[turn % 8]) for turn in range(TASKS)))
            [connection] = (await vectorstore.async_store.client()).transport.connection_pool.connections
            assert connection.session.connector.limit == MOST_CONNECTIONS
            return answers

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = asyncio.run(ask())
        gc.collect()
    assert [found.id for [found] in answers] == [str(turn % 8) for turn in range(TASKS)]


def test_sixty_four_threads_on_one_store_are_answered(filled) -> None:
    def ask(turn: int) -> str | None:
        [found] = filled.similarity_search(TEXTS[turn % 8], k=1)
        return found.id

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(ask, range(640))) == [str(turn % 8) for turn in range(640)]


def test_threads_that_write_and_search_at_once_lose_nothing(vectorstore) -> None:
    def write(turn: int) -> list[str]:
        return vectorstore.add_texts([f"text {turn}"], ids=[str(turn)])

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(write, range(THREADS))) == [[str(turn)] for turn in range(THREADS)]
    assert vectorstore.store.count() == THREADS
