"""An index that is not there and that the document store does not make."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack.dataclasses import Document
from haystack.document_stores.errors import DocumentStoreError
from opensearchpy.exceptions import ConnectionError as NoConnection

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import IndexNotBoundError, IndexNotFoundError, NeuralSparseError, ServerConnectionError
from tests.haystack_layer.conftest import MakeStore

Ask = Callable[[OpenSearchNeuralSparseDocumentStore], Any]
AsyncAsk = Callable[[OpenSearchNeuralSparseDocumentStore], Awaitable[Any]]
FILTER = {"field": "meta.lang", "operator": "==", "value": "en"}
ASKS: dict[str, tuple[Ask, AsyncAsk]] = {
    "count": (lambda s: s.count_documents(), lambda s: s.count_documents_async()),
    "filter": (lambda s: s.filter_documents(), lambda s: s.filter_documents_async()),
    "count_by_filter": (
        lambda s: s.count_documents_by_filter(FILTER),
        lambda s: s.count_documents_by_filter_async(FILTER),
    ),
    "write": (
        lambda s: s.write_documents([Document(content="x")]),
        lambda s: s.write_documents_async([Document(content="x")]),
    ),
    "delete": (lambda s: s.delete_documents(["1"]), lambda s: s.delete_documents_async(["1"])),
    "delete_all": (lambda s: s.delete_all_documents(), lambda s: s.delete_all_documents_async()),
    "delete_by_filter": (lambda s: s.delete_by_filter(FILTER), lambda s: s.delete_by_filter_async(FILTER)),
    "update_by_filter": (
        lambda s: s.update_by_filter(FILTER, {"a": 1}),
        lambda s: s.update_by_filter_async(FILTER, {"a": 1}),
    ),
    "fields": (lambda s: s.get_metadata_fields_info(), lambda s: s.get_metadata_fields_info_async()),
    "min_max": (lambda s: s.get_metadata_field_min_max("a"), lambda s: s.get_metadata_field_min_max_async("a")),
    "values": (
        lambda s: s.get_metadata_field_unique_values("a"),
        lambda s: s.get_metadata_field_unique_values_async("a"),
    ),
    "unique": (
        lambda s: s.count_unique_metadata_by_filter(FILTER, ["a"]),
        lambda s: s.count_unique_metadata_by_filter_async(FILTER, ["a"]),
    ),
    "refresh": (lambda s: s.refresh(), lambda s: s.refresh_async()),
    "bm25": (lambda s: s._bm25_retrieval("x"), lambda s: s._bm25_retrieval_async("x")),
    "sparse": (
        lambda s: OpenSearchNeuralSparseRetriever(document_store=s).run("x"),
        lambda s: OpenSearchNeuralSparseRetriever(document_store=s).run_async("x"),
    ),
    "hybrid": (
        lambda s: OpenSearchNeuralSparseHybridRetriever(document_store=s).run("x"),
        lambda s: OpenSearchNeuralSparseHybridRetriever(document_store=s).run_async("x"),
    ),
}
NOT_MADE: dict[str, dict[str, Any]] = {
    "create_index=False": {"create_index": False},
    "no model": {"model": None},
    "pattern": {"index": "{}-no*"},
    "list": {"index": "{},{}-typo"},
}


@pytest.mark.parametrize("options", NOT_MADE.values(), ids=NOT_MADE)
@pytest.mark.parametrize(("ask", "await_"), ASKS.values(), ids=ASKS)
def test_missing_index_that_is_not_made_is_an_error_of_this_package(
    make_store: MakeStore, client: Any, index_name: str, options: dict[str, Any], ask: Ask, await_: AsyncAsk
) -> None:
    named = {"index": options["index"].format(index_name, index_name)} if "index" in options else {}
    store = make_store(**(options | named))

    async def awaited() -> None:
        try:
            await await_(store)
        finally:
            await store.close_async()

    with pytest.raises(IndexNotFoundError, match=index_name):
        ask(store)
    with pytest.raises(IndexNotFoundError, match=index_name):
        asyncio.run(awaited())
    assert not client.indices.exists(index=index_name)


@pytest.mark.parametrize(
    ("options", "way_out"), [({"model": None}, "name a model"), ({"create_index": False}, "create")]
)
def test_way_out_of_a_missing_index_is_what_the_store_lacks(
    make_store: MakeStore, options: dict[str, Any], way_out: str
) -> None:
    with pytest.raises(IndexNotFoundError, match=f"Check its name, or {way_out}"):
        make_store(**options).write_documents([Document(content="x")])


WRAPPED = {"delete_all", "delete_by_filter", "update_by_filter"}
"""What opensearch-haystack makes a DocumentStoreError of."""


@pytest.mark.parametrize("name", [name for name in ASKS if name != "delete"])
def test_index_that_vanished_is_an_error_of_this_package(
    make_store: MakeStore, client: Any, index_name: str, name: str
) -> None:
    store, (ask, await_) = make_store(), ASKS[name]
    expected = DocumentStoreError if name in WRAPPED else IndexNotFoundError

    async def awaited() -> None:
        try:
            await store.count_documents_async()
            client.indices.delete(index=index_name)
            await await_(store)
        finally:
            await store.close_async()

    assert store.count_documents() == 0
    client.indices.delete(index=index_name)
    with pytest.raises((expected, IndexNotFoundError), match=index_name):
        ask(store)
    make_store().create_index()
    with pytest.raises((expected, IndexNotFoundError), match=index_name):
        asyncio.run(awaited())


@pytest.mark.parametrize("name", ["count", "filter", "count_by_filter", "fields", "min_max", "values", "bm25"])
def test_server_that_is_gone_is_an_error_of_this_package(make_store: MakeStore, name: str) -> None:
    store, (ask, await_) = make_store(), ASKS[name]

    async def awaited() -> None:
        try:
            await store.count_documents_async()
            transport = store._async_client.transport
            for connection in transport.connection_pool.connections:
                connection.perform_request = _refuse_async
            await await_(store)
        finally:
            await store.close_async()

    store.count_documents()
    for connection in store._client.transport.connection_pool.connections:
        connection.perform_request = _refuse
    with pytest.raises(ServerConnectionError, match="Connection refused"):
        ask(store)
    store.close()
    with pytest.raises(ServerConnectionError, match="Connection refused"):
        asyncio.run(awaited())


def _refuse(*_: object, **__: object) -> None:
    raise NoConnection("N/A", "refused", ConnectionRefusedError(111, "Connection refused"))


async def _refuse_async(*_: object, **__: object) -> None:
    _refuse()


def test_index_that_comes_later_is_opened(make_store: MakeStore, index_name: str) -> None:
    store = make_store(create_index=False)
    with pytest.raises(IndexNotFoundError):
        store.count_documents()
    make_store().write_documents([Document(content="x")])
    assert store.count_documents() == 1


def test_index_is_created_by_ones_own_mappings(make_store: MakeStore, client: Any, index_name: str) -> None:
    mappings = {"properties": {"own": {"type": "keyword"}, "sparse_vector": {"type": "rank_features"}}}
    for create_index in (True, False):
        make_store(create_index=create_index).create_index(mappings=mappings, settings={"number_of_shards": 2})
        (made,) = client.indices.get(index=index_name).values()
        assert made["mappings"] == mappings
        assert made["settings"]["index"]["number_of_shards"] == "2"
        make_store().create_index(mappings={"properties": {}})  # it is there, and stays as it is
        client.indices.delete(index=index_name)


def test_creation_without_a_model_says_that_it_needs_one(make_store: MakeStore) -> None:
    with pytest.raises(IndexNotBoundError, match=r"model='\.\.\.'"):
        make_store(model=None).create_index()


def test_index_of_a_list_is_not_created(make_store: MakeStore, index_name: str) -> None:
    with pytest.raises(NeuralSparseError):
        make_store(index=f"{index_name},other").create_index()
