"""Missing indices, in every method of a store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from opensearch_neural_sparse import AsyncNeuralSparseStore, IndexNotFoundError, NeuralSparseStore
from opensearch_neural_sparse.index.missing_index import error_of_list

Ask = Callable[[NeuralSparseStore], object]
AsyncAsk = Callable[[AsyncNeuralSparseStore], Awaitable[object]]
ALL: dict[str, Any] = {"match_all": {}}


async def _read(store: AsyncNeuralSparseStore) -> list[object]:
    return [document async for document in store.scan()]


ASKS: dict[str, tuple[Ask, AsyncAsk]] = {
    "open": (lambda s: s.open(), lambda s: s.open()),
    "search": (lambda s: s.search("mars"), lambda s: s.search("mars")),
    "search_many": (lambda s: s.search_many(["mars"]), lambda s: s.search_many(["mars"])),
    "match_search": (lambda s: s.match_search("mars"), lambda s: s.match_search("mars")),
    "custom_search": (lambda s: s.custom_search({"query": ALL}), lambda s: s.custom_search({"query": ALL})),
    "hybrid_search": (lambda s: s.hybrid_search("mars"), lambda s: s.hybrid_search("mars")),
    "encode_query": (lambda s: s.encode_query("mars"), lambda s: s.encode_query("mars")),
    "count": (lambda s: s.count(), lambda s: s.count()),
    "get": (lambda s: s.get(["1"]), lambda s: s.get(["1"])),
    "scan": (lambda s: list(s.scan()), _read),
    "write": (lambda s: s.write(["mars"]), lambda s: s.write(["mars"])),
    "delete": (lambda s: s.delete(["1"]), lambda s: s.delete(["1"])),
    "delete_matching": (lambda s: s.delete_matching(ALL), lambda s: s.delete_matching(ALL)),
    "update_metadata": (lambda s: s.update_metadata({"1": {}}), lambda s: s.update_metadata({"1": {}})),
    "update_text": (lambda s: s.update_text({"1": "x"}), lambda s: s.update_text({"1": "x"})),
    "refresh": (lambda s: s.refresh(), lambda s: s.refresh()),
}
every = pytest.mark.parametrize(("ask", "await_"), ASKS.values(), ids=ASKS)


@every
async def test_missing_names_of_a_list_are_named_alone(server, client, store, encoder, ask, await_) -> None:
    client.indices.put_alias(index=store.index, name=f"{store.index}-alias")
    name = ",".join(f"{store.index}{end}" for end in ("", "-alias", "-typo", "-other", "-no*", "-typo"))
    named = f"'{store.index}-typo', '{store.index}-other'"
    said = rf"^Indices {named} do not exist\. Check their names, or create them first\.$"
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    with (
        NeuralSparseStore(name, client=client, **encoders) as several,
        pytest.raises(IndexNotFoundError, match=said) as error,
    ):
        ask(several)
    assert error.value.index == f"{store.index}-typo,{store.index}-other"
    async with AsyncNeuralSparseStore(name, url=server.url, **encoders) as awaited:
        with pytest.raises(IndexNotFoundError, match=said):
            await await_(awaited)


@every
async def test_pattern_that_matches_nothing_is_an_error(server, client, index_name, encoder, ask, await_) -> None:
    said = rf"^No index matches '{index_name}-no\*'\. Check the pattern, or create an index that it matches\.$"
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    with (
        NeuralSparseStore(f"{index_name}-no*", client=client, **encoders) as store,
        pytest.raises(IndexNotFoundError, match=said),
    ):
        ask(store)
    async with AsyncNeuralSparseStore(f"{index_name}-no*", url=server.url, **encoders) as awaited:
        with pytest.raises(IndexNotFoundError, match=said):
            await await_(awaited)


def test_one_missing_name_of_a_list_is_named_as_one(client, store, encoder) -> None:
    with (
        NeuralSparseStore(f"{store.index},{store.index}-typo", client=client, query_encoder=encoder) as several,
        pytest.raises(IndexNotFoundError, match=rf"^Index '{store.index}-typo' does not exist\. Check its name"),
    ):
        several.search("mars")


def test_a_list_whose_indices_came_in_the_meantime_lacks_none() -> None:
    there = {"a": {"aliases": {"b": {}}}, ".ds-c-1": {"data_stream": "c"}}
    assert error_of_list("a,b,c,d*,-e", there) is None
    assert str(error_of_list("a,b,c,d", there)).startswith("Index 'd' does not exist.")


@pytest.mark.parametrize(
    ("name", "named", "creatable"), [("a", True, True), ("a", False, False), ("a,b", True, False), ("a*", True, False)]
)
def test_one_name_with_a_model_can_be_created(encoder, name, named, creatable) -> None:
    store = NeuralSparseStore(name, url="http://localhost:1", query_encoder=encoder if named else None)
    assert store.is_creatable is creatable
