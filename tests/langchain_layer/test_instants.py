"""Filters and self-queries compare dates and times as instants, and they come back as they were."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery

from langchain_opensearch_neural_sparse import NeuralSparseTranslator

SPELLINGS = ["2025-02-03T12:45:46Z", "2025-02-03T12:45:46+00:00", "2025-02-03T13:45:46+01:00"]
TIMES = [*SPELLINGS, "2025-02-03T13:00:00+02:00", "2025-02-03T12:45:46.500Z", "2025-02-04"]
SAME, EARLIER, LATER = ["0", "1", "2"], ["3"], ["4", "5"]
INSTANT = datetime(2025, 2, 3, 12, 45, 46, tzinfo=UTC)


@pytest.fixture
def dated(vectorstore: Any) -> Any:
    metadata = [{"at": at, "id": at} for at in TIMES]  # `id` collides with a field and lies under `meta`
    vectorstore.add_documents(
        [Document(id=str(place), page_content="a file", metadata=row) for place, row in enumerate(metadata)]
    )
    return vectorstore


def _found(store: Any, wanted: Any) -> list[str]:
    found = [
        store.similarity_search("file", k=20, filter=wanted),
        asyncio.run(store.asimilarity_search("file", k=20, filter=wanted)),
        store.as_retriever(search_type="hybrid", search_kwargs={"k": 20, "filter": wanted}).invoke("file"),
        store.similarity_search(" ", k=20, filter=wanted),
    ]
    ids = [sorted(document.id for document in documents) for documents in found]
    assert ids == [ids[0]] * len(ids)
    assert all(document.metadata["at"] == TIMES[int(document.id)] for documents in found for document in documents)
    return ids[0]


@pytest.mark.parametrize("key", ["at", "id"])
@pytest.mark.parametrize("value", [*SPELLINGS, INSTANT], ids=str)
def test_conditions_go_by_instants(dated: Any, key: str, value: Any) -> None:
    assert _found(dated, {key: value}) == SAME
    assert _found(dated, {key: {"$in": [value, "2025-02-04T00:00Z"]}}) == [*SAME, "5"]
    assert _found(dated, {key: {"$ne": value}}) == [*EARLIER, *LATER]
    assert _found(dated, {key: {"$gt": value}}) == LATER
    assert _found(dated, {key: {"$lte": value}}) == [*SAME, *EARLIER]
    assert _found(dated, {"$or": [{key: {"$lt": value}}, {"$not": {key: {"$lte": value}}}]}) == [*EARLIER, *LATER]
    assert _found(dated, {"range": {key if key == "at" else "meta.id": {"gte": value}}}) == [*SAME, *LATER]


def test_a_self_query_goes_by_instants(dated: Any) -> None:
    day = {"type": "datetime", "datetime": "2025-02-03T07:45:46-05:00"}
    equal = Comparison(comparator=Comparator.EQ, attribute="at", value=day)
    before = Comparison(comparator=Comparator.LT, attribute="at", value={"type": "date", "date": "2025-02-03"})
    either = Operation(operator=Operator.OR, arguments=[equal, before])
    structured = StructuredQuery(query=" ", filter=either)
    _, keywords = NeuralSparseTranslator().visit_structured_query(structured)
    assert _found(dated, keywords["filter"]) == SAME
