"""Reranking by vector store and retrievers, on real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import HybridOptions, Rerank, SearchOptions
from tests.langchain_layer.conftest import MakeIndex, MakeStore
from tests.rerankers import CountingReranker

QUERY = "cats purr"
TEXTS = ["cats purr #1", "cats purr at night #5", "cats like milk #3", "dogs bark at cats #4", "cats sleep #2"]
BEST = ["cats purr at night #5", "dogs bark at cats #4", "cats like milk #3"]


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> str:
    return make_index([Document(page_content=text, id=str(place)) for place, text in enumerate(TEXTS)])


@pytest.fixture
def vectorstore(make_store: MakeStore, index: str) -> OpenSearchNeuralSparseVectorStore:
    return make_store(index=index)


def contents(documents: list[Document]) -> list[str]:
    return [document.page_content for document in documents]


def test_vector_store_reranks_blocking_and_not(vectorstore: OpenSearchNeuralSparseVectorStore) -> None:
    reranker = CountingReranker()
    rerank = Rerank(reranker)
    assert contents(vectorstore.similarity_search(QUERY, k=3, rerank=rerank)) == BEST
    assert contents(vectorstore.similarity_search(QUERY, k=3, options=SearchOptions(rerank=rerank))) == BEST
    scored = vectorstore.similarity_search_with_score(QUERY, k=3, rerank=rerank)
    assert [score for _, score in scored] == [5.0, 4.0, 3.0]
    blocking = set(reranker.threads)
    assert contents(asyncio.run(vectorstore.asimilarity_search(QUERY, k=3, rerank=rerank))) == BEST
    assert reranker.threads > blocking, "the asynchronous search reranks in a worker thread"
    by_vector = Rerank(reranker, query=QUERY)
    vector = vectorstore.store.encode_query(QUERY)
    assert contents(vectorstore.similarity_search_by_sparse_vector(vector, k=3, rerank=by_vector)) == BEST
    found = asyncio.run(vectorstore.asimilarity_search_by_sparse_vector(vector, k=3, rerank=by_vector))
    assert contents(found) == BEST


@pytest.mark.parametrize("kind", ["sparse", "hybrid", "similarity"])
def test_retrievers_rerank_blocking_and_not(vectorstore: OpenSearchNeuralSparseVectorStore, kind: str) -> None:
    rerank = Rerank(CountingReranker())
    retriever = vectorstore.as_retriever(search_type=kind, search_kwargs={"k": 3, "rerank": rerank})
    assert contents(retriever.invoke(QUERY)) == BEST
    assert contents(asyncio.run(retriever.ainvoke(QUERY))) == BEST
    assert contents(vectorstore.search(QUERY, kind, k=3, rerank=rerank)) == BEST


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("sparse", {}),
        ("hybrid", {}),
        ("hybrid", {"legs": ("bm25",)}),
        ("hybrid", {"legs": ("sparse",)}),
        ("hybrid", {"options": HybridOptions(rerank=Rerank(lambda _query, texts: [0.0] * len(texts)))}),
    ],
    ids=["sparse", "hybrid", "bm25", "sparse-leg", "over-options"],
)
def test_call_reranks_and_documents_say_both_scores(
    vectorstore: OpenSearchNeuralSparseVectorStore, kind: str, fields: dict[str, Any]
) -> None:
    search_kwargs = {"k": 3, "include_scores": True, "explain": True, **fields}
    retriever = vectorstore.as_retriever(search_type=kind, search_kwargs=search_kwargs)
    found = retriever.invoke(QUERY, rerank=Rerank(CountingReranker()))
    assert contents(found) == BEST
    assert [document.metadata["_score"] for document in found] == [5.0, 4.0, 3.0]
    if fields != {"legs": ("bm25",)}:
        assert [document.metadata["_rerank"]["score"] for document in found] == [5.0, 4.0, 3.0]
        assert all(document.metadata["_rerank"]["search_score"] > 0 for document in found)


def test_orders_by_cosine_refuse_a_reranking(vectorstore: OpenSearchNeuralSparseVectorStore) -> None:
    options = SearchOptions(rerank=Rerank(CountingReranker()))
    for search in (
        vectorstore.max_marginal_relevance_search,
        vectorstore.similarity_search_with_relevance_scores,
        lambda *given, **named: asyncio.run(vectorstore.amax_marginal_relevance_search(*given, **named)),
        lambda *given, **named: asyncio.run(vectorstore.asimilarity_search_with_relevance_scores(*given, **named)),
    ):
        with pytest.raises(ValueError, match="rerank has no effect where documents are ordered by cosines"):
            search(QUERY, options=options)


def test_dense_leg_alone_refuses_a_reranking(vectorstore: OpenSearchNeuralSparseVectorStore) -> None:
    from langchain_opensearch_neural_sparse.searches import dense_leg_search
    from opensearch_neural_sparse import DenseLeg

    options = HybridOptions(rerank=Rerank(CountingReranker()))
    with pytest.raises(ValueError, match="rerank cannot be used with a dense leg alone"):
        dense_leg_search(DenseLeg(vector=[1.0]), [], 3, options, field=vectorstore.stores.schema.embedding_field)
