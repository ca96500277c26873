"""Metadata on real servers: every value is compared as itself, or its write is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse import BulkWriteError, FilterSyntaxError, IndexSchema, NeuralSparseStore
from tests.store.conftest import MakeStore

START = 1_764_300_000.5
BIG = 2**53 + 1


def write(store: NeuralSparseStore, *rows: dict[str, Any]) -> None:
    """Write a document for each metadata, with its place as its id."""
    store.write({"id": f"{place}", "text": "red", "metadata": row} for place, row in enumerate(rows))


def found(store: NeuralSparseStore, clause: dict[str, Any]) -> list[str]:
    """Return the ids of the documents that satisfy a filter, in their order."""
    return sorted(document.id or "" for document in store.scan(filter=clause))


def over(**bounds: Any) -> dict[str, Any]:
    return {"range": {"price": bounds}}


@pytest.fixture(params=[1, 3], ids=["one shard", "three shards"])
def store(make_store: MakeStore, request: pytest.FixtureRequest) -> NeuralSparseStore:
    store = make_store()
    store.create(settings={"number_of_shards": request.param})
    return store


def test_whole_numbers_and_fractions_under_one_key_are_compared_as_themselves(store: NeuralSparseStore) -> None:
    write(store, {"price": 1}, {"price": 0.99}, {"price": 4.7}, {"price": [1, 2.5]})
    assert found(store, over(gte=4.5)) == ["2"]
    assert found(store, over(lt=0.5)) == []
    assert found(store, over(lt=1)) == ["1"]
    assert found(store, {"term": {"price": 1}}) == ["0", "3"]
    assert found(store, {"terms": {"price": [0.99, 2.5]}}) == ["1", "3"]
    assert store.delete_matching(filter=over(lt=0.5)) == 0
    assert store.delete_matching(filter=over(lt=1)) == 1


def test_times_in_seconds_are_told_apart(store: NeuralSparseStore) -> None:
    write(store, {"price": START}, {"price": START + 30}, {"price": START + 60})
    assert found(store, over(gt=START + 40)) == ["2"]
    assert found(store, {"term": {"price": START}}) == ["0"]


def test_numbers_in_maps_and_in_updates_are_compared_as_themselves(store: NeuralSparseStore) -> None:
    write(store, {"size": {"width": 1}}, {"size": {"width": 1.5}})
    assert found(store, {"range": {"size.width": {"gt": 1.25}}}) == ["1"]
    store.update_metadata({"0": {"size": {"width": 1.75}}})
    assert found(store, {"range": {"size.width": {"gt": 1.5}}}) == ["0"]


def test_whole_numbers_that_a_double_cannot_hold_are_refused(store: NeuralSparseStore) -> None:
    with pytest.raises(BulkWriteError, match=r"metadata 'number' is 9007199254740993.*metadata_fields=.*'long'"):
        write(store, {"number": BIG})
    write(store, {"number": BIG - 1}, {"number": 2**60})
    assert store.count() == 2


@pytest.mark.parametrize("number", [BIG, -BIG, 10**400], ids=["2^53 + 1", "-2^53 - 1", "10^400"])
def test_whole_numbers_that_a_double_rounds_are_refused_in_filters(store: NeuralSparseStore, number: int) -> None:
    write(store, {"number": BIG - 1})
    for clause in (
        {"term": {"number": number}},
        {"terms": {"number": [1, number]}},
        {"range": {"number": {"gte": number}}},
    ):
        within = {"bool": {"must_not": [clause]}}
        for refused in (clause, within):
            with pytest.raises(FilterSyntaxError, match=r"'number' with .* of type double rounds"):
                store.count(refused)
            with pytest.raises(FilterSyntaxError, match="rounds"):
                store.delete_matching(refused)
            with pytest.raises(FilterSyntaxError, match="rounds"):
                store.search("red", filter=refused)
    assert found(store, {"term": {"number": BIG - 1}}) == ["0"]


def test_declared_whole_numbers_are_exact_and_take_no_fraction(make_store: MakeStore) -> None:
    declared = make_store(schema=IndexSchema(metadata_fields={"number": {"type": "long"}}))
    declared.create(settings={"number_of_shards": 1})
    write(declared, {"number": BIG}, {"number": BIG - 1})
    assert found(declared, {"term": {"number": BIG}}) == ["0"]
    with pytest.raises(BulkWriteError, match=r"'number' is 4\.7, which a field of type long cannot hold exactly"):
        write(declared, {"number": 4.7})


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        ("4.7", 4.7, "'key' is a number, but the field holds values of the kind text"),
        (4.7, "4.7", "'key' is a text, but the field holds values of the kind number"),
        ("true", True, "'key' is a boolean, but the field holds values of the kind text"),
        (True, "true", "'key' is a text, but the field holds values of the kind boolean"),
        (["a"], [1], "'key' is a number, but the field holds values of the kind text"),
    ],
)
def test_values_of_two_kinds_under_one_key_are_refused(
    make_store: MakeStore, first: Any, second: Any, kinds: str
) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    with pytest.raises(BulkWriteError, match=kinds) as one_batch:
        write(store, {"key": first}, {"key": second})
    assert [failure.id for failure in one_batch.value.report.failed] == ["1"]
    with pytest.raises(BulkWriteError, match=kinds):
        write(make_store(), {"key": second})
    with pytest.raises(BulkWriteError, match=kinds):
        make_store().update_metadata({"0": {"key": second}})
    assert store.count() == 1


def test_a_fraction_in_an_index_whose_field_is_whole_is_refused(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    client.indices.put_mapping(index=store.index, body={"properties": {"price": {"type": "long"}}})
    other = make_store()
    write(other, {"price": 1})
    with pytest.raises(BulkWriteError, match=r"'price' is 0\.99, which a field of type long cannot hold exactly"):
        write(other, {"price": 0.99})


def test_an_index_that_maps_numbers_as_they_come_takes_no_fraction_after_a_whole_number(
    make_store: MakeStore, client: Any
) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    client.indices.put_mapping(index=store.index, body={"dynamic_templates": []})
    old = make_store()
    write(old, {"price": 1})
    with pytest.raises(BulkWriteError, match=r"'price' is 0\.99, which a field of type long cannot hold exactly"):
        write(old, {"price": 0.99})
    write(old, {"share": 0.5}, {"share": 0.25})
    assert found(old, {"range": {"share": {"gt": 0.25}}}) == ["0"]


def test_a_document_that_is_refused_decides_nothing_about_its_keys(store: NeuralSparseStore) -> None:
    with pytest.raises(BulkWriteError):
        write(store, {"key": "text", "bad": float("nan")})
    write(store, {"key": 5})
    assert found(store, {"term": {"key": 5}}) == ["0"]


def test_values_of_any_kind_lie_in_fields_that_the_server_does_not_compare(make_store: MakeStore) -> None:
    fields = {"raw": {"type": "object", "enabled": False}, "flat": {"type": "flat_object"}}
    store = make_store(schema=IndexSchema(metadata_fields=fields))
    store.create(settings={"number_of_shards": 1})
    write(store, {"raw": {"a": 1}, "flat": {"a": 1}}, {"raw": {"a": "x"}, "flat": {"a": "x"}})
    assert store.count() == 2


def test_dates_and_numbers_of_other_libraries_are_taken(store: NeuralSparseStore) -> None:
    instant = datetime(2025, 2, 3, 12, 45, 46, tzinfo=UTC)
    name = UUID(int=7)
    write(store, {"at": instant, "day": date(2025, 2, 3), "name": name, "price": Decimal("4.7"), "count": np.int64(3)})
    (document,) = store.get(["0"])
    assert document.metadata == {
        "at": "2025-02-03T12:45:46+00:00",
        "day": "2025-02-03",
        "name": str(name),
        "price": 4.7,
        "count": 3,
    }
    for clause in ({"at": instant}, {"day": date(2025, 2, 3)}, {"name": name}, {"price": Decimal("4.7")}):
        assert found(store, {"term": clause}) == ["0"]
    assert found(store, {"term": {"count": np.float32(3)}}) == ["0"]
    assert found(store, {"range": {"day": {"gt": date(2025, 2, 2)}}}) == ["0"]


def test_the_existence_of_a_text_does_not_depend_on_its_length(store: NeuralSparseStore) -> None:
    write(store, {"note": "x" * 8190}, {"note": "y" * 40_000}, {"note": ["short", "z" * 9000]}, {"other": 1})
    exists = {"exists": {"field": "note"}}
    assert found(store, exists) == ["0", "1", "2"]
    assert found(store, {"bool": {"must_not": [exists]}}) == ["3"]
    assert found(store, {"bool": {"must_not": [{"term": {"note": "x" * 8190}}]}}) == ["1", "2", "3"]
    assert store.count(filter=exists) == 3
    write(store, {"note": "x" * 9000})
    assert found(store, {"term": {"note": "x" * 8190}}) == []
    with pytest.raises(FilterSyntaxError, match=r"text of 40000 characters.*compares the first 8190"):
        store.count(filter={"term": {"note": "y" * 40_000}})
    assert store.delete_matching(filter={"bool": {"must_not": [exists]}}) == 1
    assert store.count() == 3


Number = st.one_of(
    st.integers(min_value=-(2**53), max_value=2**53),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300).filter(lambda x: x != 0),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(Number, min_size=1, max_size=8), bound=Number)
def test_ranges_find_what_python_finds(make_store: MakeStore, numbers: list[Any], bound: Any) -> None:
    store = make_store()
    store.create(exist_ok=True, settings={"number_of_shards": 1})
    store.delete_matching(filter={"match_all": {}})
    write(store, *({"price": number} for number in numbers))
    expected = [f"{place}" for place, number in enumerate(numbers) if number > bound]
    assert found(store, over(gt=bound)) == sorted(expected)
    expected = [f"{place}" for place, number in enumerate(numbers) if number == bound]
    assert found(store, {"term": {"price": bound}}) == sorted(expected)
