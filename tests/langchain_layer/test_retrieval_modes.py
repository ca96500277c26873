"""Modes of a vector store: the search that finds documents for a text."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseVectorStore,
    RetrievalMode,
)
from opensearch_neural_sparse import (
    CustomSearch,
    HybridOptions,
    HybridSearch,
    IndexSchema,
    MatchSearch,
    Prune,
    RequestOptions,
    SearchOptions,
    SparseSearch,
)
from tests.langchain_layer.conftest import MakeIndex, MakeStore
from tests.langchain_layer.recording import RecordingStore

ENGLISH = {"term": {"lang": "en"}}
REQUEST = RequestOptions(timeout=2)
OPTIONS = SearchOptions(collapse="year", request=REQUEST, prune=Prune.parse("max_ratio:0.1"))


class Compass(Embeddings):
    """Dense vectors of three numbers: how often a text has a, e and o."""

    def __init__(self) -> None:
        self.queries: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[text.count(letter) + 1.0 for letter in "aeo"] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self.queries.append(text)
        return self.embed_documents([text])[0]


def test_each_mode_is_a_search_of_its_kind() -> None:
    store, embedding = RecordingStore(), Compass()
    nearest = {"vector": [2.0, 1.0, 1.0], "k": 100, "filter": "$filters"}
    body = {"size": 3, "query": {"knn": {"embedding": nearest}}, "collapse": {"field": "year"}}
    hybrid = HybridOptions(collapse="year", request=REQUEST, prune=OPTIONS.prune)
    for mode, search in {
        "sparse": SparseSearch("day", size=3, filter=[ENGLISH], options=OPTIONS),
        "bm25": MatchSearch("day", size=3, filter=[ENGLISH], request=REQUEST, collapse="year"),
        "hybrid": HybridSearch("day", size=3, filter=[ENGLISH], options=hybrid),
        "dense": CustomSearch(body, filter=[ENGLISH], request=REQUEST),
    }.items():
        vectorstore = OpenSearchNeuralSparseVectorStore(
            store=store, embedding=embedding, retrieval_mode=RetrievalMode(mode)
        )
        vectorstore.similarity_search("day", 3, ENGLISH, options=OPTIONS)
        assert repr(store.last) == repr(search)
        retriever = vectorstore.as_retriever(search_kwargs={"k": 3, "filter": ENGLISH, "options": OPTIONS})
        retriever.invoke("day")
        assert store.searches[-1] == store.searches[-2]
        assert type(store.last) is type(search)
    assert embedding.queries == ["day", "day"]


@pytest.mark.parametrize("mode", list(RetrievalMode))
def test_blank_texts_and_token_weights_are_searched_alike_in_every_mode(mode: RetrievalMode) -> None:
    store, embedding = RecordingStore(), Compass()
    vectorstore = OpenSearchNeuralSparseVectorStore(store=store, embedding=embedding, retrieval_mode=mode)
    vectorstore.similarity_search(" ")
    assert store.last == SparseSearch(" ", size=4, filter=[])
    vectorstore.similarity_search(" ", filter=ENGLISH)
    assert isinstance(store.last, CustomSearch)
    vectorstore.similarity_search_by_sparse_vector({"day": 1.0})
    assert store.last == SparseSearch({"day": 1.0}, size=4, filter=[])
    assert embedding.queries == []


@pytest.mark.parametrize("mode", ["bm25", "hybrid", "dense"])
def test_an_order_by_sparse_vectors_is_refused_where_documents_are_found_by_something_else(mode: Any) -> None:
    vectorstore = OpenSearchNeuralSparseVectorStore(store=RecordingStore(), embedding=Compass(), retrieval_mode=mode)
    for search in (vectorstore.max_marginal_relevance_search, vectorstore.similarity_search_with_relevance_scores):
        with pytest.raises(ValueError, match=f"retrieval_mode is '{mode}'"):
            search("day")


def test_a_mode_that_cannot_be_is_refused_by_the_constructor() -> None:
    with pytest.raises(ValueError, match="retrieval_mode is 'dense', and the vector store has no dense model"):
        OpenSearchNeuralSparseVectorStore(store=RecordingStore(), retrieval_mode="dense")
    with pytest.raises(ValueError, match="one of 'sparse', 'bm25', 'hybrid', 'dense', got 'bm-25'"):
        OpenSearchNeuralSparseVectorStore(store=RecordingStore(), retrieval_mode="bm-25")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> str:
    documents = [
        Document(id="river", page_content="A river ends in the sea.", metadata={"lang": "en"}),
        Document(id="moon", page_content="Moon and wood look good.", metadata={"lang": "en"}),
        Document(id="banane", page_content="Eine Banane am Strand.", metadata={"lang": "de"}),
    ]
    return make_index(documents, embedding=Compass(), schema=IndexSchema(embedding_dimension=3))


@pytest.mark.parametrize("mode", ["sparse", "bm25", "hybrid", "dense"])
async def test_a_store_finds_what_the_retriever_of_its_mode_finds(make_store: MakeStore, index: str, mode: Any) -> None:
    given: dict[str, Any] = {"embedding": Compass(), "schema": IndexSchema(embedding_dimension=3)}
    vectorstore = make_store(index=index, retrieval_mode=mode, **given)
    legs = {} if mode == "hybrid" else {"legs": (mode,)}
    same = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, **legs)
    for query in ("wood", "river", "Strand"):
        for filter_ in (None, {"lang": "en"}):
            found = vectorstore.similarity_search(query, 3, filter_)
            assert found == same.invoke(query, k=3, filter=filter_)
            assert found == await vectorstore.asimilarity_search(query, 3, filter_)
            assert found == await vectorstore.as_retriever(search_kwargs={"k": 3, "filter": filter_}).ainvoke(query)
            documents, counts = vectorstore.similarity_search_with_aggregations(
                query, {"lang": {"terms": {"field": "lang"}}}, 3, filter_
            )
            assert documents == found
            assert sum(bucket["doc_count"] for bucket in counts["lang"]["buckets"]) >= len(found)
            awaited = await vectorstore.asimilarity_search_with_aggregations(
                query, {"lang": {"terms": {"field": "lang"}}}, 3, filter_
            )
            assert awaited == (documents, counts)
    if mode == "bm25":
        assert [one.id for one in vectorstore.similarity_search("river")] == ["river"]
    if mode == "dense":
        assert vectorstore.similarity_search("ooo oo")[0].id == "moon"
    await vectorstore.aclose()
