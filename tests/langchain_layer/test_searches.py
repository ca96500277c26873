"""Searches by a filter and by one leg, and those that the methods of a vector store build."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from langchain_opensearch_neural_sparse.searches import dense_leg_search, filter_search
from opensearch_neural_sparse import (
    CustomSearch,
    DenseLeg,
    HybridOptions,
    IndexSchema,
    SearchOptions,
    SparseSearch,
)
from tests.langchain_layer.recording import RecordingStore, vectorstore_over

ENGLISH = {"term": {"lang": "en"}}


@pytest.mark.parametrize(
    ("query", "clauses"),
    [("river", [ENGLISH]), ({"river": 1.0}, [ENGLISH]), ("", []), (None, [ENGLISH])],
)
def test_a_query_with_a_text_or_without_a_filter_is_no_search_by_a_filter(query: object, clauses: list[Any]) -> None:
    assert filter_search(query, clauses, 4, SearchOptions()) is None


def test_a_search_by_a_filter_leaves_sparse_vectors_to_the_store_unless_they_are_asked_for() -> None:
    body = {"size": 4, "query": {"constant_score": {"filter": "$filters"}}}
    assert filter_search("", [ENGLISH], 4, SearchOptions()) == CustomSearch(body, filter=[ENGLISH])
    source = {"_source": {"excludes": ["dense"]}}
    found = filter_search("", [ENGLISH], 4, SearchOptions(), schema=IndexSchema(embedding_field="dense"))
    assert found == CustomSearch(body | source, filter=[ENGLISH])


def test_a_search_of_the_nearest_vectors_has_a_filter_where_there_is_one() -> None:
    leg = DenseLeg(vector=[0.5, 1])
    search = dense_leg_search(leg, [], 3, HybridOptions(), field="dense")
    assert search == CustomSearch({"size": 3, "query": {"knn": {"dense": {"vector": (0.5, 1.0), "k": 3}}}})


def test_methods_of_a_vector_store_build_searches() -> None:
    store = RecordingStore()
    vectorstore = vectorstore_over(store)
    options = SearchOptions(collapse="year")
    vectorstore.similarity_search("river", 2, {"lang": "en"}, options=options)
    assert store.last == SparseSearch("river", size=2, filter=[ENGLISH], options=options)
    vectorstore.similarity_search_by_sparse_vector({"river": 1.0})
    assert store.last == SparseSearch({"river": 1.0}, size=4, filter=[])
    vectorstore.max_marginal_relevance_search(" ", filter=ENGLISH)
    assert store.last == filter_search(" ", [ENGLISH], 20, SearchOptions(), schema=store.schema)


def test_a_profile_that_documents_cannot_carry_is_refused() -> None:
    vectorstore = vectorstore_over(RecordingStore())
    options, hybrid = SearchOptions(profile=True), HybridOptions(profile=True)
    counted = {"most": {"max": {"field": "year"}}}
    for search in (
        lambda: vectorstore.similarity_search("river", options=options),
        lambda: vectorstore.similarity_search_by_sparse_vector({"river": 1.0}, options=options),
        lambda: vectorstore.max_marginal_relevance_search("river", options=options),
        lambda: vectorstore.similarity_search_with_aggregations("river", counted, options=hybrid),
        lambda: vectorstore.as_retriever(search_kwargs={"options": options}).invoke("river"),
        lambda: OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, options=options).invoke("river"),
        lambda: OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, options=hybrid),
    ):
        with pytest.raises(ValueError, match=r"profile=True has no effect here: documents cannot carry a profile"):
            search()
