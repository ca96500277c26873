"""Warnings are at the line of the caller: of the core, of the layers, of programs that await."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from haystack import Document, Pipeline

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, TruncationWarning, load_query_encoder
from opensearch_neural_sparse.telemetry.caller import warn_caller
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

Use = Callable[[], Any]


def places(use: Use) -> set[Path]:
    """Return the files at which warnings of a call are issued."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use()
    assert caught
    return {Path(each.filename) for each in caught}


def test_encoders_warn_at_the_callers_line() -> None:
    encoder = load_query_encoder(SMALL_MODEL, max_length=5)
    assert places(lambda: encoder.encode_query("one two three four five six seven")) == {Path(__file__)}


@pytest.mark.newest_server
def test_stores_warn_at_the_callers_line(server: RunningServer, index_name: str) -> None:
    unmapped = {"term": {"unmapped": 1}}

    async def search() -> None:
        async with AsyncNeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as other:
            await other.search("planet", filter=unmapped)

    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        store.create()
        store.write([{"id": "2", "text": "a planet", "metadata": {"n": 1}}])
        assert places(lambda: store.search("planet", filter=unmapped)) == {Path(__file__)}
        assert places(lambda: store.write([{"id": "1"}])) == {Path(__file__)}
    assert places(lambda: asyncio.run(search())) == {Path(__file__)}


@pytest.mark.newest_server
def test_layers_warn_at_the_callers_line(server: RunningServer, index_name: str) -> None:
    vector_store = OpenSearchNeuralSparseVectorStore(index_name, url=server.url, model=str(SMALL_MODEL))
    with vector_store:
        assert places(lambda: vector_store.similarity_search("planet")) == {Path(__file__)}
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseDocumentEmbedder(str(SMALL_MODEL), max_length=5, progress_bar=False))
    long = Document(content="one two three four five six seven")
    assert places(lambda: pipeline.run({"embedder": {"documents": [long]}})) == {Path(__file__)}
    documents = OpenSearchNeuralSparseDocumentStore(hosts=server.url, index=index_name, model=str(SMALL_MODEL))
    assert places(lambda: documents.write_documents([Document(content="a planet")])) == {Path(__file__)}


def test_warning_of_a_thread_without_a_caller_is_where_it_is_issued() -> None:
    def use() -> None:
        thread = threading.Thread(target=warn_caller, args=[TruncationWarning("cut")])
        thread.start()
        thread.join()

    (place,) = places(use)
    assert place.name == "threading.py"
