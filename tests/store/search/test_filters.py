"""Filters on real servers: nothing for an OR over nothing, and a word about fields that nobody has."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    FilterSyntaxError,
    HybridOptions,
    NeuralSparseStore,
    UnmappedFieldWarning,
)
from opensearch_neural_sparse.search.options.fusion import Fusion
from opensearch_neural_sparse.store.operations import lifecycle
from tests.store.conftest import MakeStore

pytestmark = pytest.mark.newest_server

NONE_OF_NONE: list[Any] = [
    {"bool": {"should": []}},
    {"bool": {"should": [], "minimum_should_match": 1}},
    {"bool": {"should": [], "must_not": [{"term": {"lang": "de"}}]}},
    {"bool": {"filter": [{"bool": {"should": []}}]}},
    {"bool": {"should": [{"bool": {"should": []}}], "minimum_should_match": 1}},
    {"constant_score": {"filter": {"bool": {"should": []}}}},
    [{"term": {"lang": "en"}}, {"bool": {"should": []}}],
    {"terms": {"lang": []}},
]
UNKNOWN = {"term": {"lnag": "en"}}


@pytest.fixture
def filled(store: NeuralSparseStore) -> NeuralSparseStore:
    texts = {"1": "red mars", "2": "red planet", "3": "mars"}
    rows = [{"id": name, "text": text, "metadata": {"lang": "en", "year": 2020}} for name, text in texts.items()]
    store.write(rows)
    return store


@pytest.fixture
def asynchronous(server: Any, index_name: str, encoder: Any) -> AsyncNeuralSparseStore:
    return AsyncNeuralSparseStore(index_name, url=server.url, query_encoder=encoder, document_encoder=encoder)


@pytest.mark.parametrize("nothing", NONE_OF_NONE, ids=str)
def test_an_or_over_no_conditions_lets_nothing_through(filled: NeuralSparseStore, nothing: Any) -> None:
    assert list(filled.search("red mars", filter=nothing)) == []
    assert list(filled.search_many(["red mars"], filter=nothing)[0]) == []
    assert list(filled.match_search("red mars", filter=nothing)) == []
    for fusion in (Fusion.AUTO, Fusion.CLIENT):
        assert list(filled.hybrid_search("red mars", filter=nothing, options=HybridOptions(fusion=fusion))) == []
    assert list(filled.custom_search({"query": "$filters"}, filter=nothing)) == []
    assert filled.count(nothing) == 0
    assert list(filled.scan(nothing)) == []
    assert filled.delete_matching(nothing) == 0
    assert filled.count() == 3


def test_its_opposite_lets_everything_through(filled: NeuralSparseStore) -> None:
    assert filled.count({"bool": {"must_not": [{"bool": {"should": []}}]}}) == 3
    assert filled.count({"bool": {"must": [{"term": {"lang": "en"}}], "should": []}}) == 3
    assert filled.count({"bool": {"filter": []}}) == filled.count([]) == filled.count(None) == 3


async def test_nothing_is_let_through_where_it_is_awaited(
    filled: NeuralSparseStore, asynchronous: AsyncNeuralSparseStore
) -> None:
    nothing = NONE_OF_NONE[0]
    async with asynchronous as store:
        assert list(await store.search("red mars", filter=nothing)) == []
        assert list(await store.hybrid_search("red mars", filter=nothing)) == []
        assert await store.count(nothing) == 0
        assert [document async for document in store.scan(nothing)] == []
        assert await store.delete_matching(nothing) == 0
    assert filled.count() == 3


@pytest.mark.parametrize("value", [{"en"}, b"en", "\ud800", object()], ids=["set", "bytes", "surrogate", "object"])
def test_what_has_no_json_is_blamed_on_the_filter(filled: NeuralSparseStore, value: Any) -> None:
    wrong = {"terms": {"lang": [value]}}
    for ask in (
        lambda: filled.search("red", filter=wrong),
        lambda: filled.count(wrong),
        lambda: list(filled.scan(wrong)),
        lambda: filled.delete_matching(wrong),
    ):
        with pytest.raises(FilterSyntaxError, match="in a filter"):
            ask()


def _asks(store: NeuralSparseStore, condition: Any) -> Iterator[Any]:
    yield lambda: store.search("red", filter=condition)
    yield lambda: store.search_many(["red", "mars"], filter=condition)
    yield lambda: store.match_search("red", filter=condition)
    yield lambda: store.hybrid_search("red", filter=condition)
    yield lambda: store.custom_search({"query": "$filters"}, filter=condition)
    yield lambda: store.count(condition)
    yield lambda: list(store.scan(condition))
    yield lambda: store.delete_matching(condition)


def test_a_field_that_no_index_maps_is_one_warning_a_call(filled: NeuralSparseStore) -> None:
    for ask in _asks(filled, [UNKNOWN, {"exists": {"field": "lnag"}}]):
        with pytest.warns(UnmappedFieldWarning, match=r"field 'lnag' of the filter.*Did you mean 'lang'\?") as seen:
            assert not any([ask()] if isinstance(ask(), int) else ask())
        assert len(seen) == 2  # the call is made twice


async def test_so_it_is_where_it_is_awaited(filled: NeuralSparseStore, asynchronous: AsyncNeuralSparseStore) -> None:
    async with asynchronous as store:
        for ask in (store.search("red", filter=UNKNOWN), store.count(UNKNOWN), store.delete_matching(UNKNOWN)):
            with pytest.warns(UnmappedFieldWarning, match="Did you mean 'lang'"):
                await ask
    assert filled.count() == 3


def test_fields_are_named_where_none_is_close(filled: NeuralSparseStore) -> None:
    with pytest.warns(UnmappedFieldWarning, match=r"fields 'colour', 'size' of .*It has lang, year\."):
        filled.count([{"term": {"colour": 1}}, {"bool": {"should": {"term": {"size": 1}}}}])


def test_a_field_that_a_write_has_mapped_meanwhile_is_known(filled: NeuralSparseStore, make_store: MakeStore) -> None:
    filled.open()
    make_store().write([{"id": "4", "text": "mars", "metadata": {"late": True}}])
    assert [hit.id for hit in filled.search("mars", filter={"term": {"late": True}})] == ["4"]


def test_a_field_that_hits_have_is_known_without_a_look(
    filled: NeuralSparseStore, make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.open()
    make_store().write([{"id": "4", "text": "mars", "metadata": {"late": {"at": 1}}}])
    monkeypatch.setattr(lifecycle, "read_index", lambda _: pytest.fail("the index was read again"))
    assert [hit.id for hit in filled.search("mars", filter={"term": {"late.at": 1}})] == ["4"]


def test_mapped_fields_ask_nothing_more_of_the_server(
    filled: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = [{"term": {"lang": "en"}}, {"exists": {"field": "year"}}]
    filled.count(both)  # a look, since the first write has mapped them
    monkeypatch.setattr(lifecycle, "read_index", lambda _: pytest.fail("the index was read again"))
    assert len(filled.search("red mars", filter=both)) == 3


def test_an_index_without_metadata_is_no_cause_for_a_warning(store: NeuralSparseStore) -> None:
    store.write(["red mars"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.count(UNKNOWN) == 0


@pytest.mark.parametrize("prefixed", ["metadata.lang", "meta.lang"])
def test_a_prefix_of_another_layout_is_refused_with_the_right_name(filled: NeuralSparseStore, prefixed: str) -> None:
    for ask in _asks(filled, {"bool": {"must_not": [{"term": {prefixed: "en"}}]}}):
        with pytest.raises(FilterSyntaxError, match=rf"'{prefixed}'.*Write 'lang'\."):
            ask()
    assert filled.count() == 3


def test_metadata_that_lies_below_such_a_name_is_found(store: NeuralSparseStore) -> None:
    below = {"lang": "en", "metadata": {"lang": "de"}, "meta": {"lang": "fr"}}
    store.write([{"id": "1", "text": "red", "metadata": below}])
    assert [store.count({"term": {name: "de"}}) for name in ("metadata.lang", "lang")] == [1, 0]
    assert store.count({"term": {"meta.meta.lang": "fr"}}) == 1
