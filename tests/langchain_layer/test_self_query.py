from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery

from langchain_opensearch_neural_sparse import NeuralSparseTranslator
from opensearch_neural_sparse import HybridOptions, SearchOptions
from tests.langchain_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

FILMS = [
    Document(id="1", page_content="dinosaurs", metadata={"year": 1993, "genre": ["adventure", "science"], "id": "JP*"}),
    Document(id="2", page_content="dreams", metadata={"year": 2010, "genre": ["thriller"], "id": "Inception"}),
    Document(id="3", page_content="toys", metadata={"year": 1995, "genre": ["animation"], "day": "1995-11-22"}),
]
DAY = {"type": "date", "date": "1995-01-01"}
RELEASE = {"type": "date", "date": "1995-11-22"}


def _is(comparator: Comparator, attribute: str, value: object) -> Comparison:
    return Comparison(comparator=comparator, attribute=attribute, value=value)


@pytest.mark.parametrize(
    ("directive", "found"),
    [
        (_is(Comparator.EQ, "year", 1993), "1"),
        (_is(Comparator.NE, "year", 1993), "23"),
        (_is(Comparator.GT, "year", 1993), "23"),
        (_is(Comparator.GTE, "year", 1993), "123"),
        (_is(Comparator.LT, "year", 1995), "1"),
        (_is(Comparator.LTE, "year", 1995), "13"),
        (_is(Comparator.IN, "year", [1993, 2010]), "12"),
        (_is(Comparator.NIN, "year", [1993, 2010]), "3"),
        (_is(Comparator.CONTAIN, "genre", "science"), "1"),
        (_is(Comparator.LIKE, "id", "cept"), "2"),
        (_is(Comparator.LIKE, "id", "*"), "1"),
        (_is(Comparator.GTE, "day", DAY), "3"),
        (_is(Comparator.EQ, "day", date(1995, 11, 22)), "3"),
        (_is(Comparator.IN, "day", [DAY, RELEASE]), "3"),
        (_is(Comparator.IN, "day", [date(1995, 11, 22)]), "3"),
        (_is(Comparator.NIN, "day", [DAY, RELEASE]), "12"),
        (_is(Comparator.IN, "year", 1993), "1"),
        (_is(Comparator.CONTAIN, "genre", ["science", "thriller"]), "12"),
        (Operation(Operator.AND, [_is(Comparator.GT, "year", 1993), _is(Comparator.EQ, "genre", "animation")]), "3"),
        (Operation(Operator.OR, [_is(Comparator.EQ, "year", 1993), _is(Comparator.LIKE, "id", "INCEPTION")]), "12"),
        (Operation(Operator.NOT, [_is(Comparator.EQ, "year", 1993)]), "23"),
        (
            Operation(
                Operator.AND,
                [
                    Operation(Operator.OR, [_is(Comparator.IN, "day", [RELEASE]), _is(Comparator.LT, "year", 1995)]),
                    Operation(Operator.NOT, [_is(Comparator.LIKE, "id", "jp")]),
                ],
            ),
            "3",
        ),
        (
            Operation(
                Operator.NOT,
                [
                    Operation(Operator.OR, [_is(Comparator.EQ, "day", RELEASE), _is(Comparator.CONTAIN, "genre", "x")]),
                    Operation(Operator.NOT, [_is(Comparator.NIN, "year", [1993, 2010])]),
                ],
            ),
            "123",
        ),
    ],
    ids=str,
)
def test_every_comparison_finds_what_it_asks_for(vectorstore, directive, found: str) -> None:
    vectorstore.add_documents(FILMS)
    query, keywords = NeuralSparseTranslator().visit_structured_query(StructuredQuery(query="films", filter=directive))
    assert {document.id for document in vectorstore.similarity_search(query, **keywords)} == set(found)


def test_a_query_without_a_filter_has_no_keywords() -> None:
    structured = StructuredQuery(query="films", filter=None)
    assert NeuralSparseTranslator().visit_structured_query(structured) == ("films", {})


SINCE_1994 = _is(Comparator.GTE, "year", 1994)
SELF_QUERY = StructuredQuery(query=" ", filter=SINCE_1994)
"""What LangChain makes of a question that is a filter alone."""


def _retrieved(vectorstore: Any, query: str, search_type: str, **keywords: Any) -> list[list[Document]]:
    """Return what a retriever finds, blocking and awaited."""
    retriever = vectorstore.as_retriever(search_type=search_type, search_kwargs=keywords)
    return [retriever.invoke(query), asyncio.run(retriever.ainvoke(query))]


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
@pytest.mark.parametrize("search_type", ["similarity", "mmr", "similarity_score_threshold", "sparse", "hybrid"])
def test_a_filter_alone_finds_what_satisfies_it(vectorstore, search_type: str, blank: str) -> None:
    vectorstore.add_documents(FILMS)
    _, keywords = NeuralSparseTranslator().visit_structured_query(SELF_QUERY)
    if search_type == "similarity_score_threshold":
        keywords["score_threshold"] = 0.9
    for found in _retrieved(vectorstore, blank, search_type, **keywords):
        assert sorted(document.id for document in found) == ["2", "3"]
        assert all(set(document.metadata) <= {"year", "genre", "id", "day"} for document in found)
    for found in _retrieved(vectorstore, blank, search_type, k=1, **keywords):
        assert len(found) == 1


def test_a_filter_alone_is_all_the_relevance_there_is(vectorstore) -> None:
    vectorstore.add_documents(FILMS)
    wanted = {"year": {"$gte": 1994}}
    for scored in (
        vectorstore.similarity_search_with_score(" ", filter=wanted),
        vectorstore.similarity_search_with_relevance_scores(" ", filter=wanted),
        asyncio.run(vectorstore.asimilarity_search_with_relevance_scores(" ", filter=wanted)),
    ):
        assert sorted((document.id, score) for document, score in scored) == [("2", 1.0), ("3", 1.0)]


def test_a_filter_alone_collapses_as_a_search_does(vectorstore) -> None:
    documents = [
        Document(id=str(place), page_content="film", metadata={"year": 2000 + place % 2}) for place in range(4)
    ]
    vectorstore.add_documents(documents)
    since = {"year": {"$gte": 2000}}
    (hybrid, _) = _retrieved(vectorstore, " ", "hybrid", filter=since, options=HybridOptions(collapse="year"))
    sparse = vectorstore.similarity_search(" ", filter=since, options=SearchOptions(collapse="year"))
    assert (
        sorted(one.metadata["year"] for one in hybrid) == sorted(one.metadata["year"] for one in sparse) == [2000, 2001]
    )


@pytest.mark.parametrize("search_type", ["similarity", "mmr", "sparse", "hybrid"])
def test_a_blank_query_without_a_filter_finds_nothing(make_store: MakeStore, search_type: str) -> None:
    vectorstore = make_store(model=SMALL_MODEL, query_encoder=None, document_encoder=None)
    vectorstore.add_documents(FILMS)
    for keywords in ({}, {"filter": {}}, {"filter": []}):
        assert _retrieved(vectorstore, " ", search_type, **keywords) == [[], []]


FENCES: tuple[Any, ...] = ({"genre": "science"}, [{"term": {"genre": "science"}}, {"year": {"$lt": 2000}}])


@pytest.mark.parametrize("fence", FENCES, ids=["mapping", "list"])
def test_filter_of_the_translator_holds_beside_that_of_each_question(make_store: MakeStore, fence: Any) -> None:
    store, translator = make_store(), NeuralSparseTranslator(filter=fence)
    store.add_documents(FILMS)
    for asked in (
        None,
        _is(Comparator.NE, "year", 1),
        Operation(Operator.NOT, [_is(Comparator.EQ, "genre", "science")]),
    ):
        query, keywords = translator.visit_structured_query(StructuredQuery(query="toys", filter=asked, limit=None))
        assert {document.id for document in store.similarity_search(query, **keywords)} <= {"1"}
    assert translator.visit_structured_query(StructuredQuery(query="toys", filter=None, limit=None))[1] != {}
