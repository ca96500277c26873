"""Dates and times on real servers: the same instant is equal however it is written, and comes back as it was."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from opensearch_neural_sparse import AsyncNeuralSparseStore, IndexSchema, NeuralSparseStore
from tests.store.conftest import MakeStore

SPELLINGS = ("2025-02-03T12:45:46Z", "2025-02-03T12:45:46+00:00", "2025-02-03T13:45:46+01:00", "2025-02-03 12:45:46")
INSTANT = datetime(2025, 2, 3, 12, 45, 46, tzinfo=UTC)
VALUES = (*SPELLINGS, INSTANT, INSTANT.astimezone(timezone(timedelta(hours=-5))), INSTANT.replace(tzinfo=None))
SAME, EARLIER, LATER, NOTE = ["0", "1", "2", "3"], "4", "5", "6"
ROWS = (*SPELLINGS, "2025-02-03T13:00:00+02:00", "2025-02-03T12:45:46.500Z", "see notes")


def write(store: NeuralSparseStore, *values: Any, key: str = "at") -> None:
    """Write a document for each value, with its place as its id."""
    for place, value in enumerate(values):
        store.write([{"id": f"{place}", "text": "red", "metadata": {key: value}}])


def found(store: NeuralSparseStore, clause: dict[str, Any]) -> list[str]:
    """Return the ids of the documents that satisfy a filter, in their order; count and search agree."""
    ids = sorted(document.id or "" for document in store.scan(filter=clause))
    assert store.count(filter=clause) == len(ids)
    assert sorted(hit.id for hit in store.search("red", size=50, filter=clause)) == ids
    return ids


def over(field: str = "at", **bounds: Any) -> dict[str, Any]:
    return {"range": {field: bounds}}


@pytest.fixture(params=["found", "declared"])
def dated(make_store: MakeStore, request: pytest.FixtureRequest) -> NeuralSparseStore:
    """Return a store whose key `at` is a date by its first value, or by declaration."""
    fields = {"at": {"type": "date", "ignore_malformed": True}} if request.param == "declared" else {}
    if request.param == "declared":
        fields["at"]["format"] = "strict_date_optional_time||yyyy-MM-dd HH:mm:ss"
    store = make_store(schema=IndexSchema(metadata_fields=fields))
    store.create(settings={"number_of_shards": 2})
    write(store, *ROWS)
    return store


def test_an_instant_is_equal_in_every_spelling(dated: NeuralSparseStore) -> None:
    for value in VALUES:
        assert found(dated, {"term": {"at": value}}) == SAME
        assert found(dated, {"term": {"at": {"value": value, "boost": 2}}}) == SAME
        assert found(dated, {"terms": {"at": [value, "2025-02-03T11:00Z"]}}) == [*SAME, EARLIER]
        others = found(dated, {"bool": {"must_not": [{"term": {"at": value}}]}})
        assert others == [EARLIER, LATER, NOTE]


def test_ranges_go_by_instants(dated: NeuralSparseStore) -> None:
    dated.delete([NOTE])
    for value in VALUES:
        assert found(dated, over(gt=value)) == [LATER]
        assert found(dated, over(gte=value)) == [*SAME, LATER]
        assert found(dated, over(lt=value)) == [EARLIER]
        assert found(dated, over(lte=value)) == [*SAME, EARLIER]
        assert found(dated, {"bool": {"should": [over(gt=value), over(lt=value)]}}) == [EARLIER, LATER]
        assert found(dated, over(gt="2025-02-03T11:00:00Z", lte=value)) == SAME
        assert found(dated, {"bool": {"filter": [over(gte=value)], "must_not": [over(gt=value)]}}) == SAME


def test_a_date_is_midnight_in_utc(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    write(store, "2025-02-03", "2025-02-03T00:00:00Z", "2025-02-03T01:00:00+01:00", "2025-02-03T00:00:00.001Z")
    for day in ("2025-02-03", date(2025, 2, 3)):
        assert found(store, {"term": {"at": day}}) == ["0", "1", "2"]
        assert found(store, over(gt=day)) == ["3"]
        assert found(store, over(lte=day)) == ["0", "1", "2"]
    assert found(store, over(lt=date(2025, 2, 4), gte=date(2025, 2, 3))) == ["0", "1", "2", "3"]


def test_far_years_and_minutes_are_instants(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    write(store, "1969-07-21T02:56Z", "0001-01-01", "9999-12-31", "2400-01-01T00:00", "1969-07-21T03:56+0100")
    assert found(store, over(lt="1970-01-01")) == ["0", "1", "4"]
    assert found(store, {"term": {"at": "1969-07-21T02:56:00Z"}}) == ["0", "4"]
    assert found(store, over(gte="2400-01-01T00:00:00Z")) == ["2", "3"]
    assert found(store, over(gte="0001-01-01T00:00:00+14:00", lt="1900-01-01")) == ["1"]


def test_lists_and_maps_hold_instants(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    write(store, {"at": [SPELLINGS[0], "2020-01-01"]}, {"at": SPELLINGS[2]}, {"at": "2020-01-01T00:00Z"}, key="seen")
    assert found(store, {"term": {"seen.at": INSTANT}}) == ["0", "1"]
    assert found(store, over("seen.at", lt="2021-01-01")) == ["0", "2"]


def test_spellings_meet_in_one_request_to_several_shards(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 4})
    keys = [f"at{number}" for number in range(5)]
    values = [*ROWS, "2025-02-03", "x", "2025-02-03T12:45:46"]
    store.write({"text": "red", "metadata": dict.fromkeys(keys, value)} for value in values)
    for key in keys:
        assert store.count(filter={"term": {key: INSTANT}}) == 5
        assert store.count(filter={"term": {key: "x"}}) == 1


def test_what_was_written_comes_back(dated: NeuralSparseStore) -> None:
    assert [document.metadata["at"] for document in dated.get([*SAME, LATER, NOTE])] == [*SPELLINGS, *ROWS[5:]]


def test_updates_and_deletions_go_by_instants(dated: NeuralSparseStore) -> None:
    dated.update_metadata({EARLIER: {"at": "2025-02-03T04:45:46-08:00"}})
    dated.client().indices.refresh(index=dated.index)
    assert dated.delete_matching(filter={"term": {"at": "2025-02-03T12:45:46Z"}}) == 5
    assert found(dated, {"match_all": {}}) == [LATER, NOTE]


def test_texts_stay_texts_whatever_the_first_value_was(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 2})
    write(store, "2025-02-03", "see notes", "2025-02-30", "", "z" * 9000)
    assert found(store, {"term": {"at": "see notes"}}) == ["1"]
    assert found(store, {"term": {"at": "2025-02-30"}}) == ["2"]
    assert found(store, {"exists": {"field": "at"}}) == ["0", "1", "2", "3", "4"]
    assert found(store, over(lt="2025-02-03")) == ["3"], "a text that is no date is compared by the alphabet"


def test_dates_are_instants_whatever_came_first(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 3})
    write(store, "n/a", *SPELLINGS, "see notes")
    assert found(store, {"term": {"at": INSTANT}}) == ["1", "2", "3", "4"]
    assert found(store, over(gt=INSTANT)) == ["0", "5"], "a text that is no date is compared by the alphabet"
    assert found(store, over(lt=INSTANT)) == []
    assert found(store, {"term": {"at": "n/a"}}) == ["0"]
    assert found(store, {"exists": {"field": "at"}}) == ["0", "1", "2", "3", "4", "5"]
    written_later = make_store()
    written_later.update_metadata({"0": {"at": SPELLINGS[2], "seen": "unread"}, "5": {"seen": "unread"}})
    make_store().update_metadata({"0": {"seen": ["unread", SPELLINGS[2]]}})
    assert found(store, {"term": {"at": INSTANT}}) == ["0", "1", "2", "3", "4"]
    assert found(store, {"term": {"seen": INSTANT}}) == ["0"]


def test_texts_that_are_no_dates_take_one_field(make_store: MakeStore, client: Any) -> None:
    store = make_store(schema=IndexSchema(metadata_fields={"code": {"type": "keyword", "ignore_above": 20}}))
    store.create(settings={"number_of_shards": 1})
    write(store, "n/a", "2025", "4.7", "", "2025-02")
    write(store, "n/a", SPELLINGS[0], key="code")
    mapped = client.indices.get_mapping(index=store.index)[store.index]["mappings"]["properties"]
    assert mapped["at"] == {"type": "keyword", "normalizer": "first_characters"}
    assert mapped["code"] == {"type": "keyword", "ignore_above": 20}, "a key that is declared stays as it is"


def test_an_index_without_instants_compares_texts(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    client.indices.put_mapping(index=store.index, body={"date_detection": False})
    store = make_store()
    write(store, *SPELLINGS[:3])
    assert found(store, {"term": {"at": SPELLINGS[0]}}) == ["0"]
    assert found(store, {"terms": {"at": list(SPELLINGS[:2])}}) == ["0", "1"]
    assert found(store, over(gt=SPELLINGS[1])) == ["0", "2"]


def test_an_asynchronous_store_compares_instants(make_store: MakeStore, server: Any) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    write(store, *ROWS[:-1])

    async def counted() -> list[int]:
        async with AsyncNeuralSparseStore(store.index, url=server.url) as other:
            return [await other.count(filter=clause) for clause in ({"term": {"at": INSTANT}}, over(gt=INSTANT))]

    assert asyncio.run(counted()) == [4, 1]
