"""Searches that the hybrid retriever builds."""

from __future__ import annotations

import pytest
from langchain_core.embeddings import Embeddings
from pydantic import ValidationError

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever
from opensearch_neural_sparse import (
    Bm25Leg,
    CustomSearch,
    DenseLeg,
    HybridOptions,
    HybridSearch,
    MatchSearch,
    RequestOptions,
    SearchOptions,
    SparseLeg,
    SparseSearch,
)
from tests.langchain_layer.recording import RecordingStore, vectorstore_over

ENGLISH = {"term": {"lang": "en"}}
VECTOR = (0.25, 0.5, 1.0)
OPTIONS = HybridOptions(rank_constant=20, collapse="year", request=RequestOptions(timeout=2))


class CountedEmbeddings(Embeddings):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self.texts.append(text)
        return list(VECTOR)


@pytest.fixture
def store() -> RecordingStore:
    return RecordingStore()


def test_without_legs_and_weights_the_options_are_taken_as_they_are(store: RecordingStore) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore_over(store), options=OPTIONS)
    retriever.invoke("river", k=2, filter={"lang": "en"})
    assert store.last == HybridSearch("river", size=2, filter=[ENGLISH], options=OPTIONS)
    assert isinstance(store.last, HybridSearch)
    assert store.last.options is OPTIONS


def test_named_legs_and_weights_go_into_the_options(store: RecordingStore) -> None:
    embedding = CountedEmbeddings()
    retriever = OpenSearchNeuralSparseHybridRetriever(
        vectorstore=vectorstore_over(store, embedding), legs=("bm25", "sparse", "dense"), weights=(0.2, 0.3, 0.5)
    )
    legs = (Bm25Leg(), SparseLeg(), DenseLeg(vector=VECTOR))
    retriever.invoke("river")
    plan = HybridOptions(legs=legs, weights=(0.2, 0.3, 0.5))
    assert store.last == HybridSearch("river", size=4, filter=[], options=plan)
    retriever.invoke("lake", weights=(0.5, 0.25, 0.25))
    plan = HybridOptions(legs=legs, weights=(0.5, 0.25, 0.25))
    assert store.last == HybridSearch("lake", size=4, filter=[], options=plan)
    assert embedding.texts == ["river", "lake"]


def test_one_leg_is_a_search_of_its_kind(store: RecordingStore) -> None:
    vectorstore = vectorstore_over(store, CountedEmbeddings())
    alone = SearchOptions(collapse="year", request=OPTIONS.request)
    nearest = {"vector": VECTOR, "k": 100, "filter": "$filters"}  # as many as are fused, of which one a year is found
    body = {"size": 4, "query": {"knn": {"embedding": nearest}}, "collapse": {"field": "year"}}
    for leg, search in (
        ("bm25", MatchSearch("river", size=4, filter=[ENGLISH], request=OPTIONS.request, collapse=OPTIONS.collapse)),
        ("sparse", SparseSearch("river", size=4, filter=[ENGLISH], options=alone)),
        ("dense", CustomSearch(body, filter=[ENGLISH], request=OPTIONS.request)),
    ):
        retriever = OpenSearchNeuralSparseHybridRetriever(
            vectorstore=vectorstore, legs=(leg,), options=OPTIONS, filter=ENGLISH
        )
        retriever.invoke("river")
        assert store.last == search
    with pytest.raises(ValidationError, match="A single leg is given by its name, such as 'sparse'; got SparseLeg"):
        OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, legs=(SparseLeg(),))


def test_a_blank_query_beside_a_filter_makes_no_dense_vector(store: RecordingStore) -> None:
    embedding = CountedEmbeddings()
    retriever = OpenSearchNeuralSparseHybridRetriever(
        vectorstore=vectorstore_over(store, embedding), legs=("bm25", "dense"), options=OPTIONS
    )
    retriever.invoke("\n", filter=ENGLISH)
    body = {"size": 4, "query": {"constant_score": {"filter": "$filters"}}, "collapse": {"field": "year"}}
    assert store.last == CustomSearch(body, filter=[ENGLISH], request=OPTIONS.request)
    assert embedding.texts == []
