"""New metadata keys on real servers: the first writer decides their kind, and the other's values are refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkReport,
    BulkWriteError,
    IndexSchema,
    NeuralSparseStore,
    WriteOptions,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

ANOTHER_KIND = "but the field holds values of the kind"
KEYS = 12
UNREFRESHED = WriteOptions(refresh=False)
Value = Callable[[int], Any]


def rows(*metadata: dict[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    return [{"id": f"{prefix}{place}", "text": "red", "metadata": row} for place, row in enumerate(metadata)]


def properties(client: Any, index: str) -> dict[str, Any]:
    mapped: dict[str, Any] = client.indices.get_mapping(index=index)[index]["mappings"]["properties"]
    return mapped


@pytest.fixture
def store(make_store: MakeStore) -> NeuralSparseStore:
    store = make_store()
    store.create(settings={"number_of_shards": 3})
    return store


@pytest.fixture
def mapping_requests(client: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the requests that change a mapping, as the client sends them."""
    sent: list[str] = []
    perform = client.transport.perform_request

    def noted(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        if method == "PUT" and "_mapping" in url:
            sent.append(url)
        return perform(method, url, *arguments, **options)

    monkeypatch.setattr(client.transport, "perform_request", noted)
    return sent


def _written(write: Callable[[], BulkReport]) -> BulkReport:
    try:
        return write()
    except BulkWriteError as error:
        return error.report


def _write_blocking(index: str, url: str, encoder: Any, batches: Any, barrier: threading.Barrier) -> list[BulkReport]:
    with NeuralSparseStore(index, url=url, query_encoder=encoder, document_encoder=encoder) as store:
        store.open()
        reports = []
        for batch in batches:
            barrier.wait(60)
            reports.append(_written(lambda batch=batch: store.write(batch, options=UNREFRESHED)))
        return reports


def _write_awaited(index: str, url: str, encoder: Any, batches: Any, barrier: threading.Barrier) -> list[BulkReport]:
    async def write() -> list[BulkReport]:
        async with AsyncNeuralSparseStore(index, url=url, query_encoder=encoder, document_encoder=encoder) as store:
            await store.open()
            reports = []
            for batch in batches:
                barrier.wait(60)
                try:
                    reports.append(await store.write(batch, options=UNREFRESHED))
                except BulkWriteError as error:
                    reports.append(error.report)
            return reports

    return asyncio.run(write())


@pytest.mark.parametrize("write", [_write_blocking, _write_awaited], ids=["blocking", "awaited"])
@pytest.mark.parametrize(
    ("first", "second"), [(str, int), (lambda place: place > 2, str)], ids=["text and number", "boolean and text"]
)
def test_writers_of_a_new_key_agree_on_its_kind(
    store: NeuralSparseStore,
    server: RunningServer,
    encoder: WordEncoder,
    client: Any,
    write: Any,
    first: Value,
    second: Value,
) -> None:
    barrier, reports = threading.Barrier(2), dict[str, list[BulkReport]]()

    def run(name: str, value: Value) -> None:
        batches = [rows(*[{f"k{key}": value(key)}] * 3, prefix=f"{name}{key}-") for key in range(KEYS)]
        reports[name] = write(store.index, server.url, encoder, batches, barrier)

    threads = [threading.Thread(target=run, args=each) for each in (("first", first), ("second", second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key, (one, other) in enumerate(zip(reports["first"], reports["second"], strict=True)):
        assert sorted((one.written, other.written)) == [0, 3], f"one of the two decides about key {key}"
        refused = one if not one.written else other
        assert all(ANOTHER_KIND in failure.reason for failure in refused.failed)


def test_a_store_that_was_opened_before_learns_of_a_new_key(store: NeuralSparseStore, make_store: MakeStore) -> None:
    other = make_store()
    other.open()
    store.write(rows({"k": "4"}))
    with pytest.raises(BulkWriteError, match=f"'k' is a number, {ANOTHER_KIND} text") as refused:
        other.write(rows({"k": 50}, {"n": 1}, {"n": 2, "k": [9]}, prefix="other"))
    assert [failure.id for failure in refused.value.report.failed] == ["other0", "other2"]
    assert refused.value.report.written == 1
    assert store.count({"range": {"n": {"gte": 1}}}) == 1
    assert other.write(rows({"k": "9"}, prefix="other")).written == 1


def test_an_update_learns_of_a_new_key(store: NeuralSparseStore, make_store: MakeStore) -> None:
    other = make_store()
    store.write(rows({"a": 1}, {"a": 2}))
    other.open()
    store.update_metadata({"0": {"k": "4", "id": "x"}})
    with pytest.raises(BulkWriteError, match=f"'k' is a number, {ANOTHER_KIND} text") as refused:
        other.update_metadata({"1": {"k": 50}, "0": {"a": 3}})
    assert refused.value.report.written == 1
    with pytest.raises(BulkWriteError, match=f"'meta.id' is a number, {ANOTHER_KIND} text"):
        other.update_metadata({"1": {"id": 50}})


def test_batches_on_their_way_learn_of_a_new_key(store: NeuralSparseStore, make_store: MakeStore) -> None:
    other = make_store()
    other.open()
    store.write(rows({"k": "4"}))
    options = WriteOptions(batch_size=2, in_flight=3)
    with pytest.raises(BulkWriteError) as refused:
        other.write(rows(*[{"k": 1}] * 9, prefix="other"), options=options)
    assert len(refused.value.report.failed) == 9
    assert store.count() == 1


def test_keys_in_maps_and_lists_are_declared(
    store: NeuralSparseStore, client: Any, mapping_requests: list[str]
) -> None:
    metadata = {"a": {"b": 1, "c": {"d": "x"}}, "e.f": True, "g": [1, 2.5], "h": [{"i": 1}, {"j": "2026-01-02"}]}
    store.write(rows(metadata))
    assert len(mapping_requests) == 1
    mapped = properties(client, store.index)
    assert mapped["a"]["properties"]["b"] == {"type": "double", "coerce": False}
    assert mapped["a"]["properties"]["c"]["properties"]["d"] == {"type": "keyword", "normalizer": "first_characters"}
    assert mapped["e"]["properties"]["f"] == {"type": "boolean"}
    assert mapped["h"]["properties"]["j"]["fields"]["as_date"]["type"] == "date"
    store.write(rows(metadata, metadata))
    store.update_metadata({"0": {"a": {"b": 2}}})
    assert len(mapping_requests) == 1, "nothing is declared where nothing is new"


def test_a_value_and_a_map_under_one_key_are_refused_by_the_server(store: NeuralSparseStore) -> None:
    with pytest.raises(BulkWriteError) as refused:
        store.write(rows({"a": 1}, {"a": {"b": 1}}, {"c": 2}))
    assert [failure.id for failure in refused.value.report.failed] == ["1"]
    with pytest.raises(BulkWriteError):
        store.write(rows({"c": {"d": "x"}}))
    assert store.count() == 2


def test_keys_below_a_nested_field_are_declared(make_store: MakeStore, client: Any) -> None:
    store = make_store(schema=IndexSchema(metadata_fields={"people": {"type": "nested"}}))
    store.create()
    store.write(rows({"people": [{"name": "Ada", "year": 1843}]}))
    mapped = properties(client, store.index)["people"]
    assert mapped["type"] == "nested"
    assert mapped["properties"]["year"] == {"type": "double", "coerce": False}


@pytest.mark.parametrize("dynamic", ["false", "strict"])
def test_an_index_that_maps_no_new_keys_is_left_as_it_is(
    store: NeuralSparseStore, make_store: MakeStore, client: Any, mapping_requests: list[str], dynamic: str
) -> None:
    client.indices.put_mapping(index=store.index, body={"dynamic": dynamic})
    mapped = properties(client, store.index)
    mapping_requests.clear()
    for each in (store, make_store()):  # opened before, and after
        report = _written(lambda each=each: each.write(rows({"k": 1})))
        assert report.written == (1 if dynamic == "false" else 0)
    assert not mapping_requests
    assert properties(client, store.index) == mapped


def test_an_index_of_another_layout_is_left_to_the_server(
    make_store: MakeStore, client: Any, mapping_requests: list[str]
) -> None:
    store = make_store()
    client.indices.create(
        index=store.index, body={"mappings": {"properties": {"sparse_vector": {"type": "rank_features"}}}}
    )
    store.write(rows({"k": "text"}))
    assert not mapping_requests
    assert properties(client, store.index)["k"]["type"] == "text"


def test_too_many_keys_are_refused_by_the_server(store: NeuralSparseStore, client: Any) -> None:
    client.indices.put_settings(index=store.index, body={"index.mapping.total_fields.limit": 10})
    with pytest.raises(BulkWriteError, match="Limit of total fields") as refused:
        store.write(rows({"k": 1}, {f"many{place}": place for place in range(20)}))
    assert [failure.id for failure in refused.value.report.failed] == ["1"]


def test_keys_are_declared_for_the_write_index_of_an_alias(
    store: NeuralSparseStore, make_store: MakeStore, client: Any, other_index: str
) -> None:
    alias = f"{store.index}-alias"
    store.write(rows({"k": 1}))
    make_store(other_index).create(settings={"number_of_shards": 1})
    targets = ((store.index, False), (other_index, True))
    added = [{"add": {"index": name, "alias": alias, "is_write_index": last}} for name, last in targets]
    client.indices.update_aliases(body={"actions": added})
    behind, beside = make_store(alias), make_store(other_index)
    behind.open()
    beside.open()
    behind.write(rows({"k": 2, "n": "x"}))
    assert properties(client, other_index)["k"] == {"type": "double", "coerce": False}
    assert "n" not in properties(client, store.index)
    with pytest.raises(BulkWriteError, match=ANOTHER_KIND):
        beside.write(rows({"k": "text"}))
