from __future__ import annotations

import pytest
from langchain_core.documents import Document
from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery

from langchain_opensearch_neural_sparse import NeuralSparseTranslator

FILMS = [
    Document(id="1", page_content="dinosaurs", metadata={"year": 1993, "genre": ["adventure", "science"], "id": "JP*"}),
    Document(id="2", page_content="dreams", metadata={"year": 2010, "genre": ["thriller"], "id": "Inception"}),
    Document(id="3", page_content="toys", metadata={"year": 1995, "genre": ["animation"], "day": "1995-11-22"}),
]
DAY = {"type": "date", "date": "1995-01-01"}


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
        (Operation(Operator.AND, [_is(Comparator.GT, "year", 1993), _is(Comparator.EQ, "genre", "animation")]), "3"),
        (Operation(Operator.OR, [_is(Comparator.EQ, "year", 1993), _is(Comparator.LIKE, "id", "INCEPTION")]), "12"),
        (Operation(Operator.NOT, [_is(Comparator.EQ, "year", 1993)]), "23"),
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
