"""Callbacks of LangChain fire around retrievers, and spans lie within the caller's, whatever thread runs them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from tests.langchain_layer.conftest import MakeStore
from tests.recorded_telemetry import Recorded

pytestmark = pytest.mark.newest_server

RETRIEVERS = [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever]


class Heard(BaseCallbackHandler):
    """Notes what LangChain says of retrievers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def on_retriever_start(self, serialized: Any, query: str, **_: Any) -> None:
        self.events.append(("start", query))

    def on_retriever_end(self, documents: Any, **_: Any) -> None:
        self.events.append(("end", [document.page_content for document in documents]))

    def on_retriever_error(self, error: BaseException, **_: Any) -> None:
        self.events.append(("error", type(error).__name__))


class HeardAsync(AsyncCallbackHandler):
    """Notes what LangChain says of awaited retrievers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    async def on_retriever_start(self, serialized: Any, query: str, **_: Any) -> None:
        self.events.append(("start", query))

    async def on_retriever_end(self, documents: Any, **_: Any) -> None:
        self.events.append(("end", [document.page_content for document in documents]))


@pytest.fixture
def filled(make_store: MakeStore, recorded: Recorded) -> OpenSearchNeuralSparseVectorStore:
    vectorstore = make_store()
    vectorstore.add_documents([Document(page_content="red mars"), Document(page_content="blue earth")])
    recorded.exporter.clear()
    return vectorstore


@pytest.mark.parametrize("retriever_class", RETRIEVERS)
def test_callbacks_fire_around_a_retriever(retriever_class: Any, filled: OpenSearchNeuralSparseVectorStore) -> None:
    heard = Heard()
    found = retriever_class(vectorstore=filled).invoke("mars", config={"callbacks": [heard]})
    assert len(found) == 2
    assert heard.events == [("start", "mars"), ("end", [document.page_content for document in found])]


@pytest.mark.parametrize("retriever_class", RETRIEVERS)
async def test_callbacks_fire_around_an_awaited_retriever(
    retriever_class: Any, filled: OpenSearchNeuralSparseVectorStore
) -> None:
    heard = HeardAsync()
    found = await retriever_class(vectorstore=filled).ainvoke("mars", config={"callbacks": [heard]})
    assert len(found) == 2
    assert heard.events == [("start", "mars"), ("end", [document.page_content for document in found])]


def test_callbacks_hear_of_an_error(make_store: MakeStore) -> None:
    heard = Heard()
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=make_store(), filter=[{"no_such_query": {}}])
    retriever.vectorstore.add_texts(["red mars"])
    with pytest.raises(Exception, match="no_such_query"):
        retriever.invoke("mars", config={"callbacks": [heard]})
    assert heard.events[0] == ("start", "mars")
    assert heard.events[1][0] == "error"


def test_a_batch_in_threads_is_within_the_span_of_its_caller(
    filled: OpenSearchNeuralSparseVectorStore, recorded: Recorded
) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, options={"fusion": "client"})
    with recorded.tracer("program").start_as_current_span("answer"):
        retriever.batch(["mars", "earth"])
    searches = recorded.spans("hybrid_search")
    assert len(searches) == 2
    assert {tuple(recorded.parents(span)) for span in searches} == {("answer",)}
    assert {recorded.parents(span)[1] for span in recorded.spans("msearch")} == {"answer"}


async def test_awaited_retrievers_are_within_the_span_of_their_caller(
    filled: OpenSearchNeuralSparseVectorStore, recorded: Recorded
) -> None:
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=filled)
    with recorded.tracer("program").start_as_current_span("answer"):
        await retriever.abatch(["mars", "earth"])
    searches = recorded.spans("sparse_search")
    assert [recorded.parents(span) for span in searches] == [["answer"], ["answer"]]


def test_writes_are_within_the_span_of_their_caller(make_store: MakeStore, recorded: Recorded) -> None:
    vectorstore = make_store()
    with recorded.tracer("program").start_as_current_span("load"):
        vectorstore.add_texts(["red mars"])
    assert recorded.parents(recorded.span("bulk"))[-1] == "load"
    assert recorded.parents(recorded.span("encode_documents"))[-1] == "load"
