"""Filters compare dates and times as instants, as Haystack's reference does, and they come back as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from haystack.dataclasses import Document
from haystack.document_stores.in_memory import InMemoryDocumentStore

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from tests.haystack_layer.conftest import MakeStore

Filters = dict[str, Any]
SPELLINGS = ["2025-02-03T12:45:46Z", "2025-02-03T12:45:46+00:00", "2025-02-03T13:45:46+01:00"]
TIMES = [*SPELLINGS, "2025-02-03T13:00:00+02:00", "2025-02-03T12:45:46.500Z", "2025-02-04"]
INSTANT = datetime(2025, 2, 3, 12, 45, 46, tzinfo=UTC)
OPERATORS = ["==", "!=", ">", ">=", "<", "<=", "in", "not in"]


def _condition(operator: str, value: Any, field: str = "meta.at") -> Filters:
    return {"field": field, "operator": operator, "value": [value] if operator.endswith("in") else value}


def _joined(operator: str, *conditions: Filters) -> Filters:
    return {"operator": operator, "conditions": list(conditions)}


def _ids(documents: list[Document]) -> list[str]:
    return sorted(document.id for document in documents)


@pytest.fixture
def documents(embedder: Any) -> list[Document]:
    written = [Document(id=str(place), content="a file", meta={"at": at}) for place, at in enumerate(TIMES)]
    return embedder.run(written)["documents"]


@pytest.fixture
def store(make_store: MakeStore, documents: list[Document]) -> Any:
    store = make_store()
    store.write_documents(documents)
    return store


@pytest.mark.parametrize("value", [*SPELLINGS, INSTANT, "2025-02-04T00:00:00Z"], ids=str)
async def test_comparisons_find_what_haystack_finds(store: Any, documents: list[Document], value: Any) -> None:
    reference = InMemoryDocumentStore()
    reference.write_documents(documents)
    for operator in OPERATORS:
        condition = _condition(operator, value)
        for filters in (condition, _joined("NOT", condition), _joined("OR", condition, _condition("<", TIMES[3]))):
            given = filters
            if operator.endswith("in"):  # where the reference compares texts
                alike = _condition({"in": "==", "not in": "!="}[operator], value)
                given = (
                    alike if filters is condition else {**filters, "conditions": [alike, *filters["conditions"][1:]]}
                )
            expected = _ids(reference.filter_documents(given))
            assert _ids(store.filter_documents(filters)) == expected, filters
            assert _ids(await store.filter_documents_async(filters)) == expected, filters
            assert store.count_documents_by_filter(filters) == len(expected)
            for kind in (OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever):
                found = kind(document_store=store, filters=filters).run("file")
                assert _ids(found["documents"]) == expected, filters
    await store.close_async()


async def test_a_time_without_an_offset_is_in_utc(store: Any) -> None:
    for value in ("2025-02-03T12:45:46", INSTANT.replace(tzinfo=None)):
        assert _ids(store.filter_documents(_condition("==", value))) == ["0", "1", "2"]
        assert _ids(await store.filter_documents_async(_condition("<", value))) == ["3"]
    await store.close_async()


async def test_changes_and_deletions_go_by_instants(store: Any) -> None:
    at = _condition("==", "2025-02-03T07:45:46-05:00")
    assert store.update_by_filter(at, {"seen": True}, refresh=True) == 3
    assert await store.update_by_filter_async(at, {"seen": False}, refresh=True) == 3
    assert store.count_unique_metadata_by_filter(at, ["at"]) == {"at": 3}
    assert store.delete_by_filter(_condition("<=", date(2025, 2, 4)), refresh=True) == 6
    await store.close_async()


async def test_the_least_and_the_greatest_instant_are_iso(store: Any) -> None:
    expected = {"min": "2025-02-03T11:00:00+00:00", "max": "2025-02-04T00:00:00+00:00"}
    assert store.get_metadata_field_min_max("meta.at") == store.get_metadata_field_min_max("at") == expected
    assert await store.get_metadata_field_min_max_async("meta.at") == expected
    assert store.get_metadata_field_unique_values("at") == (sorted(TIMES), len(TIMES))
    await store.close_async()


async def test_values_of_a_declared_date_are_iso(make_store: MakeStore, embedder: Any) -> None:
    declared = {"at": {"type": "date"}, "code": {"type": "long"}}
    store = make_store(metadata_fields=declared)
    rows = [{"at": time, "code": place} for place, time in enumerate([SPELLINGS[0], SPELLINGS[2], "2025-02-03"])]
    documents = [Document(id=str(place), content="a file", meta=row) for place, row in enumerate(rows)]
    store.write_documents(embedder.run(documents)["documents"])
    expected = (["2025-02-03T00:00:00+00:00", "2025-02-03T12:45:46+00:00"], 2)
    assert store.get_metadata_field_unique_values("meta.at") == expected
    assert await store.get_metadata_field_unique_values_async("at") == expected
    assert store.get_metadata_field_unique_values("at", "12:45") == (expected[0][1:], 1)
    assert store.get_metadata_field_unique_values("at", from_=1, size=1) == (expected[0][1:], 2)
    assert store.get_metadata_field_unique_values("code") == ([0, 1, 2], 3)
    assert store.get_metadata_field_min_max("at") == dict(zip(("min", "max"), expected[0], strict=True))
    await store.close_async()


def test_lists_and_nested_keys_hold_instants(make_store: MakeStore, embedder: Any) -> None:
    store = make_store(nested_fields=["visits"])
    rows = [
        {"seen": [SPELLINGS[0], "2020-01-01"], "visits": [{"at": SPELLINGS[0], "who": "a"}]},
        {"seen": [SPELLINGS[2]], "visits": [{"at": SPELLINGS[2], "who": "b"}, {"at": "2020-01-01", "who": "a"}]},
    ]
    documents = [Document(id=str(place), content="a file", meta=row) for place, row in enumerate(rows)]
    store.write_documents(embedder.run(documents)["documents"])
    assert _ids(store.filter_documents(_condition("==", [INSTANT], "meta.seen"))) == ["1"]
    assert _ids(store.filter_documents(_condition("==", INSTANT, "meta.seen"))) == ["0", "1"]
    assert _ids(store.filter_documents(_condition(">", date(2025, 1, 1), "meta.visits.at"))) == ["0", "1"]
    by_a = {"field": "meta.visits.who", "operator": "==", "value": "a"}
    both = _joined("AND", _condition("==", INSTANT, "meta.visits.at"), by_a)
    assert _ids(store.filter_documents(both)) == ["0"]
    assert [document.meta for document in store.filter_documents()] == rows
