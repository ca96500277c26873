"""Collapsed searches on real servers: each value of a field once, by its best document."""

from __future__ import annotations

import random
from typing import Any

import pytest

from opensearch_neural_sparse import Fusion, HybridOptions, NeuralSparseStore, SearchHits, SearchOptions, SparseDocument
from opensearch_neural_sparse.search.fusion.rrf import float32, fuse
from tests.store.conftest import MakeIndex, MakeStore

WORDS = [f"w{number}" for number in range(40)]
DOCUMENTS, DEPTH = 240, 200
TEXT = "w1 w2 w3"
CHANCE = random.Random(3)
VECTOR = {word: CHANCE.uniform(0.5, 6) for word in CHANCE.sample(WORDS, 6)}
BY_PARENT = SearchOptions(collapse="parent")


@pytest.fixture(scope="module", params=[1, 3], ids=["one shard", "three shards"])
def index(make_index: MakeIndex, request: pytest.FixtureRequest) -> str:
    """Four passages of each parent, and some documents that have none."""
    chance = random.Random(7)
    documents = (
        SparseDocument(
            id=str(number),
            text=" ".join(chance.choices(WORDS, k=chance.randint(10, 40))),
            vector={word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 15)},
            metadata={"number": number} | ({"parent": f"p{number // 4}"} if number % 30 else {}),
        )
        for number in range(DOCUMENTS)
    )
    return make_index(documents, shards=request.param)


@pytest.fixture
def passages(make_store: MakeStore, index: str) -> NeuralSparseStore:
    """A store to be searched only."""
    return make_store(index=index)


def first_of_each_parent(hits: SearchHits) -> list[tuple[Any, str, float]]:
    found: dict[Any, tuple[Any, str, float]] = {}
    for hit in hits:
        parent = hit.metadata.get("parent")
        found.setdefault(parent, (parent, hit.id, hit.score))
    return list(found.values())


def test_best_document_of_each_value_is_found_and_pages_agree(passages: NeuralSparseStore) -> None:
    whole = passages.search(VECTOR, size=DOCUMENTS)
    expected = first_of_each_parent(whole)
    collapsed = passages.search(VECTOR, size=DOCUMENTS, options=BY_PARENT)
    assert [(hit.metadata.get("parent"), hit.id, hit.score) for hit in collapsed] == expected
    assert None in {parent for parent, _, _ in expected}, "documents without the field count as one value"
    assert collapsed.total == whole.total > len(collapsed), "every document is counted"
    starts = range(0, len(expected) + 7, 7)
    pages = [hit for start in starts for hit in passages.search(VECTOR, size=7, offset=start, options=BY_PARENT)]
    assert [hit.id for hit in pages] == [hit.id for hit in collapsed]
    many = passages.search_many([VECTOR, {"w1": 1.0}], size=5, options=BY_PARENT)
    assert [hit.id for hit in many[0]] == [hit.id for hit in collapsed[:5]]


def test_filter_holds_before_the_collapse(passages: NeuralSparseStore) -> None:
    hits = passages.search(VECTOR, size=DOCUMENTS, options=BY_PARENT, filter={"range": {"number": {"gte": 200}}})
    assert len(hits) > 5
    assert min(hit.metadata["number"] for hit in hits) >= 200


def test_client_fuses_the_ranks_of_values(passages: NeuralSparseStore) -> None:
    legs = {
        "bm25": first_of_each_parent(passages.match_search(TEXT, size=DOCUMENTS)),
        "sparse": first_of_each_parent(passages.search(VECTOR, size=DOCUMENTS)),
    }
    expected = fuse([[parent for parent, _, _ in leg] for leg in legs.values()])
    options = HybridOptions(collapse="parent", fusion=Fusion.CLIENT, pagination_depth=DEPTH)
    hits = passages.hybrid_search(TEXT, vector=VECTOR, size=DEPTH, options=options, explain=True)
    assert hits.fusion == "client rrf"
    assert [float32(hit.score) for hit in hits] == [score for _, score in expected]
    assert dict(expected) == {hit.metadata.get("parent"): float32(hit.score) for hit in hits}
    for hit in hits:
        ranks = {name: leg.rank for name, leg in (hit.legs or {}).items()}
        best = min(ranks, key=lambda name: ranks[name] or 0)
        parents = [parent for parent, _, _ in legs[best]]
        assert (ranks[best] or 0) - 1 == parents.index(hit.metadata.get("parent"))
        assert hit.id == legs[best][(ranks[best] or 0) - 1][1], "the best document of the best leg"


@pytest.mark.parametrize("fusion", [Fusion.AUTO, Fusion.CLIENT])
def test_hybrid_search_finds_each_value_once_and_pages_agree(passages: NeuralSparseStore, fusion: Fusion) -> None:
    options = HybridOptions(collapse="parent", fusion=fusion, pagination_depth=DEPTH)
    hits = passages.hybrid_search(TEXT, vector=VECTOR, size=DEPTH, options=options)
    by_server = fusion is Fusion.AUTO and passages.server().at_least((3, 6, 0))
    assert hits.fusion == ("server rrf" if by_server else "client rrf")
    parents = [hit.metadata.get("parent") for hit in hits]
    assert len(parents) == len(set(parents)) > 50
    starts = range(0, len(hits) + 7, 7)
    pages = [
        hit
        for start in starts
        for hit in passages.hybrid_search(TEXT, vector=VECTOR, size=7, offset=start, options=options)
    ]
    assert [(hit.id, hit.score) for hit in pages] == [(hit.id, hit.score) for hit in hits]
    explained = passages.hybrid_search(TEXT, vector=VECTOR, size=7, options=options, explain=True)
    assert [hit.id for hit in explained] == [hit.id for hit in hits[:7]]
    assert all(leg.rank for hit in explained for leg in (hit.legs or {}).values())
    if not by_server:
        return
    alone = [passages.match_search(TEXT, size=DOCUMENTS), passages.search(VECTOR, size=DOCUMENTS)]
    for hit in explained:
        legs = hit.legs or {}
        assert sum(1 / (60 + (leg.rank or 0)) for leg in legs.values()) == pytest.approx(hit.score, rel=1e-6)
        for name, found in zip(("bm25", "sparse"), alone, strict=True):
            expected = {one.id: (rank, one.score) for rank, one in enumerate(found, 1)}.get(hit.id)
            assert expected == ((legs[name].rank, legs[name].score) if name in legs else None)
