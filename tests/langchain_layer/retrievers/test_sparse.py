"""Searches that the sparse retriever builds."""

from __future__ import annotations

import pytest

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from opensearch_neural_sparse import CustomSearch, Prune, RequestOptions, SearchOptions, SparseSearch
from tests.langchain_layer.recording import RecordingStore, vectorstore_over

ENGLISH = {"term": {"lang": "en"}}


@pytest.fixture
def store() -> RecordingStore:
    return RecordingStore()


def test_a_text_is_a_sparse_search(store: RecordingStore) -> None:
    options = SearchOptions(prune=Prune.parse("top_k:5"))
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore_over(store), options=options, explain=True)
    retriever.invoke("river", k=2, filter={"lang": "en"})
    assert store.last == SparseSearch("river", size=2, filter=[ENGLISH], options=options, explain=True)
    retriever.invoke("river", options=SearchOptions())
    assert store.last == SparseSearch("river", size=4, filter=[], explain=True)


def test_a_body_of_ones_own_is_a_custom_search(store: RecordingStore) -> None:
    options = SearchOptions(request=RequestOptions(timeout=2))
    body = {"query": "$sparse", "size": 99}
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore_over(store), body=body, k=3, options=options)
    retriever.invoke("river")
    assert store.last == CustomSearch({"query": "$sparse", "size": 3}, query="river", request=options.request)
    assert retriever.body == {"query": "$sparse", "size": 99}


def test_a_blank_query_beside_a_filter_is_a_search_by_the_filter(store: RecordingStore) -> None:
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore_over(store), k=3)
    retriever.invoke(" ", filter=ENGLISH)
    body = {"size": 3, "query": {"constant_score": {"filter": "$filters"}}}
    assert store.last == CustomSearch(body, filter=[ENGLISH])
    retriever.invoke(" ")
    assert store.last == SparseSearch(" ", size=3, filter=[])
