"""Several documents of each value of a key, in vector stores and retrievers on real servers."""

from __future__ import annotations

from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from opensearch_neural_sparse import Collapse, HybridOptions, SearchOptions

TEXTS = {"1": "river", "2": "river a b", "3": "river a b c d e", "4": "river a", "5": "river a b c d e f g"}
SOURCES = {"1": "x", "2": "y", "3": "x", "4": "x", "5": "y"}
BY_SOURCE = Collapse("source", size=2)


async def test_collapse_with_a_size_brings_the_best_documents_of_each_value(
    vectorstore: OpenSearchNeuralSparseVectorStore,
) -> None:
    vectorstore.add_documents(
        [Document(id=key, page_content=text, metadata={"source": SOURCES[key]}) for key, text in TEXTS.items()]
    )
    options = SearchOptions(collapse=BY_SOURCE)
    every = [document.id for document in vectorstore.similarity_search("river", k=5)]
    best = {source: [key for key in every if SOURCES[key or ""] == source][:2] for source in ("x", "y")}
    expected = [key for source in sorted(best, key=lambda one: every.index(best[one][0])) for key in best[source]]
    found = vectorstore.similarity_search("river", k=2, options=options)
    assert [document.id for document in found] == expected
    assert await vectorstore.asimilarity_search("river", k=2, options=options) == found
    retriever = OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=2, options=options)
    assert retriever.invoke("river") == found
    assert await retriever.ainvoke("river") == found
    by_filter = vectorstore.similarity_search("", k=2, filter={"source": {"$in": ["x", "y"]}}, options=options)
    assert sorted(document.metadata["source"] for document in by_filter) == ["x", "x", "y", "y"]
    hybrid = HybridOptions(collapse=BY_SOURCE)
    fused = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, k=2, options=hybrid).invoke("river")
    assert sorted(document.metadata["source"] for document in fused) == ["x", "x", "y", "y"]
    assert fused[0].metadata["source"] == fused[1].metadata["source"]
    alone = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, k=2, options=hybrid, legs=["bm25"])
    by_words = alone.invoke("river")
    assert sorted(document.metadata["source"] for document in by_words) == ["x", "x", "y", "y"]
    assert await alone.ainvoke("river") == by_words
