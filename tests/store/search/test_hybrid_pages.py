"""Pages of a hybrid search on real servers: each document once, or word of where they end."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    ChunkOptions,
    Fusion,
    HybridOptions,
    HybridPoolWarning,
    IndexSchema,
    NeuralSparseStore,
    SearchHits,
    UnsupportedServerError,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

DOCUMENTS, PAGE = 210, 10
FUSIONS: dict[str, dict[str, Any]] = {
    "ranks": {},
    "weights": {"weights": [0.3, 0.7]},
    "min_max": {"normalization": "min_max"},
    "client": {"fusion": Fusion.CLIENT},
}


def fill(make_store: MakeStore, shards: int = 1, **arguments: Any) -> NeuralSparseStore:
    """Write as many equal documents."""
    store = make_store(**arguments)
    store.create(settings={"number_of_shards": shards})
    store.write({"id": f"{number}", "text": "red river"} for number in range(DOCUMENTS))
    return store


def pages(store: NeuralSparseStore, **choices: Any) -> Iterator[SearchHits]:
    """Yield pages until one is not full."""
    options = HybridOptions(**choices)
    for offset in range(0, DOCUMENTS + PAGE, PAGE):
        yield (hits := store.hybrid_search("red river", size=PAGE, offset=offset, options=options))
        if len(hits) < PAGE:
            return


def ids(found: Iterator[SearchHits]) -> Counter[str]:
    return Counter(hit.id for hits in found for hit in hits)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("fusion", FUSIONS)
def test_pages_of_a_pool_that_holds_all_find_each_document_once(
    make_store: MakeStore, fusion: str, shards: int
) -> None:
    store = fill(make_store, shards)
    found = ids(pages(store, pagination_depth=1000, **FUSIONS[fusion]))
    assert found == Counter(f"{number}" for number in range(DOCUMENTS))


def test_pages_of_chunks_find_each_document_once(make_store: MakeStore) -> None:
    store = fill(make_store, schema=IndexSchema(chunking=ChunkOptions(tokens=10, overlap=0)))
    found = ids(pages(store, pagination_depth=1000))
    assert found == Counter(f"{number}" for number in range(DOCUMENTS))


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("normalization", ["l2", "z_score"])
def test_pages_of_other_normalised_scores_find_each_document_once(
    make_store: MakeStore, normalization: str, shards: int
) -> None:
    store = fill(make_store, shards)
    if normalization == "z_score" and not store.server().at_least((3, 2, 0)):
        with pytest.raises(UnsupportedServerError, match="z_score"):
            next(pages(store, normalization=normalization))
        return
    found = ids(pages(store, pagination_depth=1000, normalization=normalization))
    assert found == Counter(f"{number}" for number in range(DOCUMENTS))


@pytest.mark.parametrize("depth", [None, 1000])
@pytest.mark.filterwarnings("ignore::opensearch_neural_sparse.HybridPoolWarning")
def test_pages_over_two_layouts_find_each_document_once(
    make_store: MakeStore, client: Any, encoder: WordEncoder, other_index: str, depth: int | None
) -> None:
    store = fill(make_store)
    schema = IndexSchema(chunking=ChunkOptions(tokens=10, overlap=0))
    given: dict[str, Any] = {"client": client, "query_encoder": encoder, "document_encoder": encoder}
    chunks = NeuralSparseStore(other_index, schema=schema, **given)
    chunks.create(settings={"number_of_shards": 1})
    chunks.write({"id": f"c{number}", "text": "red river"} for number in range(DOCUMENTS))
    both = NeuralSparseStore(f"{store.index},{other_index}", **given)
    options, found = HybridOptions(pagination_depth=depth), list[SearchHits]()
    for offset in range(0, 2 * DOCUMENTS + PAGE, PAGE):
        found.append(both.hybrid_search("red river", size=PAGE, offset=offset, options=options))
    counted = ids(iter(found))
    assert set(counted.values()) == {1}
    assert found[0].fusion == "client rrf, client rrf of 2 layouts"
    if depth is None:
        assert len(counted) < 2 * DOCUMENTS
        assert found[-1].pool_end == len(counted)
    else:
        assert len(counted) == 2 * DOCUMENTS
        assert found[-1].pool_end is None


@pytest.mark.parametrize("fusion", FUSIONS)
def test_the_page_that_reaches_past_the_pool_says_where_it_ends(make_store: MakeStore, fusion: str) -> None:
    store = fill(make_store)
    found: list[SearchHits] = []
    with pytest.warns(HybridPoolWarning, match="larger pagination_depth") as caught:
        found.extend(pages(store, **FUSIONS[fusion]))
    fused = sum(map(len, found))
    assert len(caught) == 1
    assert f"end after {fused} documents, though {DOCUMENTS} or more match" in str(caught[0].message)
    assert {hits.pool_end for hits in found[:-1]} == {None}
    assert (found[-1].pool_end, found[-1].total) == (fused, DOCUMENTS)
    assert 100 <= fused < DOCUMENTS
    assert set(ids(iter(found)).values()) == {1}


def test_a_page_beyond_the_pool_is_empty_and_says_so(make_store: MakeStore) -> None:
    store = fill(make_store)
    with pytest.warns(HybridPoolWarning):
        hits = store.hybrid_search("red river", size=PAGE, offset=DOCUMENTS)
    assert hits == []
    assert hits.pool_end is not None


async def test_awaited_pages_say_where_they_end(
    make_store: MakeStore, server: RunningServer, encoder: WordEncoder
) -> None:
    store = fill(make_store)
    async with AsyncNeuralSparseStore(store.index, url=server.url, query_encoder=encoder) as awaited:
        with pytest.warns(HybridPoolWarning):
            assert (await awaited.hybrid_search("red river", offset=200)).pool_end is not None
        whole = HybridOptions(pagination_depth=1000)
        last = await awaited.hybrid_search("red river", offset=200, options=whole)
    assert (len(last), last.pool_end) == (10, None)


def test_a_pool_that_holds_all_that_match_ends_without_a_word(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    store.write({"id": f"{number}", "text": "red river"} for number in range(15))
    for fusion in FUSIONS.values():
        assert [len(hits) for hits in pages(store, **fusion)] == [10, 5]


@pytest.mark.parametrize("fusion", [Fusion.AUTO, Fusion.CLIENT])
def test_hits_that_a_collapse_or_a_least_score_drops_are_no_end_of_a_pool(
    make_store: MakeStore, fusion: Fusion
) -> None:
    store = make_store(schema=IndexSchema(metadata_fields={"topic": {"type": "keyword"}}))
    store.create(settings={"number_of_shards": 1})
    store.write(
        {"id": f"{number}", "text": "red river", "metadata": {"topic": f"{number % 2}"}} for number in range(DOCUMENTS)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(store.hybrid_search("red", options=HybridOptions(collapse="topic", fusion=fusion))) == 2
        assert store.hybrid_search("red", options=HybridOptions(min_score=0.9, fusion=fusion)) == []
