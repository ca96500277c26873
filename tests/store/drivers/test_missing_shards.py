"""Requests to an index whose shards have not started yet: sent again when they have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    HybridOptions,
    HybridSearch,
    NeuralSparseStore,
    ServerRequestError,
    SparseLeg,
    SparseSearch,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder

UNASSIGNED = {"number_of_shards": 1, "number_of_replicas": 0, "routing.allocation.enable": "none"}
SECONDS_UNTIL_SHARDS_START = 0.5
Make = Callable[[type[Any]], Any]


@pytest.fixture
def make(server: RunningServer, index_name: str, encoder: WordEncoder) -> Make:
    def make(kind: type[Any]) -> Any:
        return kind(index_name, url=server.url, query_encoder=encoder, document_encoder=encoder)

    return make


@pytest.fixture
def store(make: Make, client: Any) -> Iterator[NeuralSparseStore]:
    """An index none of whose shards has started."""
    with make(NeuralSparseStore) as store:
        store.create()
        mappings = client.indices.get_mapping(index=store.index)[store.index]["mappings"]
        store.delete_index()
        body = {"mappings": mappings, "settings": UNASSIGNED}
        client.indices.create(index=store.index, body=body, params={"wait_for_active_shards": "0"})
        yield store


@contextmanager
def starting(client: Any, index: str) -> Iterator[None]:
    """Let the shards start while the body runs."""
    settings = {"index.routing.allocation.enable": None}
    timer = threading.Timer(SECONDS_UNTIL_SHARDS_START, lambda: client.indices.put_settings(index=index, body=settings))
    timer.start()
    try:
        yield
    finally:
        timer.join()


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda store: store.count(), id="count"),
        pytest.param(lambda store: list(store.scan()), id="scan"),
        pytest.param(lambda store: store.get(["1"]), id="get"),
        pytest.param(lambda store: store.run(SparseSearch("red planet")), id="search"),
        pytest.param(lambda store: store.search_many(["red planet", "moon"])[0], id="several searches"),
    ],
)
def test_request_waits_for_shards_of_a_new_index(
    store: NeuralSparseStore, client: Any, read: Callable[[NeuralSparseStore], Any]
) -> None:
    with starting(client, store.index):
        assert not read(store)


async def test_asynchronous_requests_wait_for_shards_of_a_new_index(
    store: NeuralSparseStore, make: Make, client: Any
) -> None:
    hybrid = HybridSearch("red planet", options=HybridOptions(legs=(Bm25Leg(), SparseLeg())))
    async with make(AsyncNeuralSparseStore) as other:
        with starting(client, store.index):
            assert await other.count() == 0
        assert not await other.run(hybrid)


def test_error_of_shards_that_do_not_start_is_that_of_the_server(store: NeuralSparseStore) -> None:
    for search in (store.count, lambda: store.search_many(["red planet", "moon"])):
        with pytest.raises(ServerRequestError, match="503"):
            search()
