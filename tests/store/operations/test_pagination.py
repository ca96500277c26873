"""Many queries in one request, and every document in pages, by both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    FilterSyntaxError,
    IndexNotFoundError,
    IndexSchemaError,
    NeuralSparseStore,
    ServerRequestError,
    WriteOptions,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

TEXTS = {"1": "red planet mars", "2": "blue planet earth", "3": "planet rouge mars"}


@pytest.fixture
def filled(store: NeuralSparseStore) -> NeuralSparseStore:
    store.write({"id": name, "text": text, "metadata": {"n": int(name)}} for name, text in TEXTS.items())
    return store


@pytest_asyncio.fixture
async def twin(
    store: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> AsyncIterator[AsyncNeuralSparseStore]:
    async with AsyncNeuralSparseStore(
        store.index, url=server.url, query_encoder=encoder, document_encoder=encoder
    ) as twin:
        yield twin


def open_points(client: Any, index: str) -> list[str]:
    shards = client.indices.stats(index=index, metric="search")["indices"][index]["primaries"]["search"]
    return [name for name in ("point_in_time_current",) if shards.get(name)]


async def test_many_searches_find_what_each_finds(filled: NeuralSparseStore, twin: AsyncNeuralSparseStore) -> None:
    queries: list[Any] = ["red mars", {"earth": 2.0}, "", "planet"]
    for options in ({}, {"size": 1}, {"filter": {"term": {"n": 2}}}, {"explain": True}):
        one_by_one = [filled.search(query, **options) for query in queries]  # type: ignore[arg-type]
        assert filled.search_many(queries, **options) == one_by_one  # type: ignore[arg-type]
        assert await twin.search_many(iter(queries), **options) == one_by_one  # type: ignore[arg-type]


async def test_many_searches_are_one_request_and_none_are_none(
    filled: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.search_many(["mars"])
    calls: list[str] = []
    perform = filled.client().transport.perform_request

    def recorded(method: str, url: str, **arguments: Any) -> Any:
        calls.append(url)
        return perform(method, url, **arguments)

    monkeypatch.setattr(filled.client().transport, "perform_request", recorded)
    assert len(filled.search_many(["mars"] * 50)) == 50
    assert calls == [f"/{filled.index}/_msearch"]
    assert filled.search_many([]) == []
    assert filled.search_many(["", ""]) == [[], []]
    assert len(calls) == 1


async def test_what_is_wrong_with_one_of_many_searches_is_an_error(
    filled: NeuralSparseStore, twin: AsyncNeuralSparseStore
) -> None:
    with pytest.raises(ServerRequestError, match=r"unknown \w+ \[terrm\]"):
        filled.search_many(["mars"], filter={"terrm": {"n": 1}})
    with pytest.raises(ServerRequestError, match=r"unknown \w+ \[terrm\]"):
        await twin.search_many(["mars"], filter={"terrm": {"n": 1}})
    with pytest.raises(TypeError, match="put it into a list"):
        filled.search_many("mars")
    await twin.open()
    filled.client().indices.delete(index=filled.index)
    for _ in range(2):
        with pytest.raises(IndexNotFoundError):
            filled.search_many(["mars"])
        with pytest.raises(IndexNotFoundError):
            await twin.search_many(["mars"])


@pytest.mark.parametrize("shards", [1, 3])
async def test_scan_reads_every_document_once_in_order(
    make_store: MakeStore, server: RunningServer, encoder: WordEncoder, shards: int
) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": shards})
    names = sorted(f"{n}" for n in range(103))
    documents = [{"id": name, "text": f"word {name}", "metadata": {"n": int(name)}} for name in names]
    store.write(documents, options=WriteOptions(batch_size=50))
    for size in (1, 10, 103, 1000):
        assert [document.id for document in store.scan(page_size=size)] == names
    assert list(store.scan({"term": {"n": 7}})) == store.get(["7"])
    async with AsyncNeuralSparseStore(store.index, url=server.url, document_encoder=encoder) as twin:
        assert [document.id async for document in twin.scan(page_size=10)] == names
        assert [document async for document in twin.scan({"term": {"n": 7}})] == store.get(["7"])
    assert open_points(store.client(), store.index) == []


async def test_scan_reads_the_shards_of_a_routing_alone(
    make_store: MakeStore, server: RunningServer, encoder: WordEncoder
) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 3})
    written = {key: [f"{key}{number}" for number in range(4)] for key in "abcdefgh"}
    for key, names in written.items():
        store.write([{"id": name, "text": "word"} for name in names], options=WriteOptions(routing=key))
    by_shard = [[document.id for document in store.scan(routing=key)] for key in written]
    for names, found in zip(written.values(), by_shard, strict=True):
        assert set(names) <= set(found)
    assert min(map(len, by_shard)) < store.count() == len({name for found in by_shard for name in found})
    assert len(list(store.scan(preference="_local"))) == store.count()
    with pytest.raises(ServerRequestError, match="no-such-node"):
        list(store.scan(preference="_only_nodes:no-such-node"))
    async with AsyncNeuralSparseStore(store.index, url=server.url, document_encoder=encoder) as twin:
        assert [document.id async for document in twin.scan(routing="a", page_size=2)] == by_shard[0]
        with pytest.raises(ServerRequestError, match="no-such-node"):
            [document async for document in twin.scan(preference="_only_nodes:no-such-node")]
    assert open_points(store.client(), store.index) == []


async def test_scan_shows_the_index_as_it_was_and_frees_what_it_holds(
    filled: NeuralSparseStore, twin: AsyncNeuralSparseStore
) -> None:
    rows, twin_rows = filled.scan(page_size=1), twin.scan(page_size=1)
    assert (next(rows).id, (await anext(twin_rows)).id) == ("1", "1")
    assert open_points(filled.client(), filled.index)
    filled.delete(["2", "3"])
    filled.write([{"id": "4", "text": "later"}])
    assert next(rows).id == "2"
    assert [row.id async for row in twin_rows] == ["2", "3"]
    rows.close()
    assert open_points(filled.client(), filled.index) == []


async def test_scan_says_what_is_wrong(filled: NeuralSparseStore, twin: AsyncNeuralSparseStore) -> None:
    with pytest.raises(FilterSyntaxError):
        list(filled.scan({"a": 1}))
    with pytest.raises(ValueError, match="size lies between"):
        [row async for row in twin.scan(page_size=0)]
    with pytest.raises(ServerRequestError, match="terrm"):
        list(filled.scan({"terrm": {"n": 1}}))
    assert open_points(filled.client(), filled.index) == []
    filled.client().indices.delete(index=filled.index)
    with pytest.raises(IndexNotFoundError):
        list(filled.scan())


@pytest.mark.parametrize("shards", [1, 2])
def test_documents_of_others_without_an_id_field_are_read_or_refused(make_store: MakeStore, shards: int) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": shards})
    store.write({"id": f"own{number}", "text": "word"} for number in range(9))
    for number in range(9):
        store.client().index(index=store.index, id=f"{number}", body={"content": "word"})
    store.refresh()
    if shards == 1:
        read = [row.id for row in store.scan(page_size=2)]
        assert sorted(read) == sorted([f"{n}" for n in range(9)] + [f"own{n}" for n in range(9)])
    else:
        with pytest.raises(IndexSchemaError, match="has no field 'id'"):
            next(store.scan(page_size=2))
