"""Several documents of each value of a field, on real servers."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    ChunkOptions,
    Collapse,
    FieldType,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    NeuralSparseStore,
    SearchHit,
    SearchOptions,
    SeismicParameters,
    SparseDocument,
)
from opensearch_neural_sparse.server_info import parse_version
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeIndex, MakeStore

WORDS = [f"w{number}" for number in range(40)]
DOCUMENTS = 120
TEXT = "w1 w2 w3"
CHANCE = random.Random(3)
VECTOR = {word: CHANCE.uniform(0.5, 6) for word in CHANCE.sample(WORDS, 6)}
BY_PARENT = Collapse("parent", size=3)
Group = tuple[Any, list[tuple[str, float]]]


@pytest.fixture(scope="module", params=[1, 3], ids=["one-shard", "three-shards"])
def index(make_index: MakeIndex, request: pytest.FixtureRequest) -> str:
    """Some passages of each parent, and some documents that have none."""
    chance = random.Random(7)
    documents = (
        SparseDocument(
            id=str(number),
            text=" ".join(chance.choices(WORDS, k=chance.randint(10, 40))),
            vector={word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 15)},
            metadata={"number": number} | ({"parent": f"p{number // 7}"} if number % 30 else {}),
        )
        for number in range(DOCUMENTS)
    )
    return make_index(documents, shards=request.param)


@pytest.fixture
def passages(make_store: MakeStore, index: str) -> NeuralSparseStore:
    """A store to be searched only."""
    return make_store(index=index)


def expected(hits: Iterable[SearchHit], size: int = 3) -> list[Group]:
    """The best documents of each parent, in the order of the best one, of every hit."""
    groups: dict[Any, list[tuple[str, float]]] = defaultdict(list)
    for hit in hits:
        groups[hit.metadata.get("parent")].append((hit.id, hit.score))
    return [(parent, best[:size]) for parent, best in groups.items()]


def found(hits: Iterable[SearchHit]) -> list[Group]:
    return [(hit.metadata.get("parent"), [(one.id, one.score) for one in hit.group_hits]) for hit in hits]


@pytest.mark.parametrize("condition", [None, {"range": {"number": {"gte": 50}}}], ids=["all", "filtered"])
def test_values_come_with_their_best_documents_by_exact_scores(passages: NeuralSparseStore, condition: Any) -> None:
    whole = passages.search(VECTOR, size=DOCUMENTS, filter=condition)
    options = SearchOptions(collapse=BY_PARENT)
    hits = passages.search(VECTOR, size=DOCUMENTS, filter=condition, options=options)
    assert found(hits) == expected(whole)
    assert all(hit.id == hit.group_hits[0].id for hit in hits)
    assert max(len(hit.group_hits) for hit in hits) == 3
    assert hits.ungrouped == [one for hit in hits for one in hit.group_hits]
    assert not any("sparse_vector" in one.source for one in hits.ungrouped)
    pages = [
        hit
        for start in (0, 5, 10, 15, 20)
        for hit in passages.search(VECTOR, size=5, offset=start, filter=condition, options=options)
    ]
    assert found(pages) == found(hits)
    explained = passages.search(VECTOR, size=2, filter=condition, options=options, explain=True)
    for one in explained.ungrouped:
        assert sum(match.score for match in one.matches or ()) == pytest.approx(one.score, rel=1e-6)
    once = passages.search(VECTOR, size=5, options=SearchOptions(collapse=Collapse("parent")))
    assert once == passages.search(VECTOR, size=5, options=SearchOptions(collapse="parent"))
    assert once[0].group_hits == ()


def test_a_search_by_words_brings_the_best_documents_of_each_value(passages: NeuralSparseStore) -> None:
    whole = passages.match_search(TEXT, size=DOCUMENTS)
    hits = passages.match_search(TEXT, size=DOCUMENTS, collapse=BY_PARENT)
    assert [parent for parent, _ in found(hits)] == [parent for parent, _ in expected(whole)]
    assert [[score for _, score in best] for _, best in found(hits)] == [
        [score for _, score in best] for _, best in expected(whole)
    ]
    assert hits.total == whole.total > len(hits)
    once = passages.match_search(TEXT, size=DOCUMENTS, collapse="parent")
    assert [hit.id for hit in once] == [hit.id for hit in hits]
    with pytest.raises(TypeError, match="collapse is the name of a field or a Collapse, got int"):
        passages.match_search(TEXT, collapse=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "choices", [{}, {"fusion": "client"}, {"normalization": "min_max"}, {"weights": [0.3, 0.7]}], ids=str
)
@pytest.mark.parametrize("condition", [None, {"range": {"number": {"gte": 50}}}], ids=["all", "filtered"])
def test_fused_documents_are_grouped_by_their_fused_scores(
    passages: NeuralSparseStore, choices: dict[str, Any], condition: Any
) -> None:
    depth: dict[str, Any] = {"pagination_depth": DOCUMENTS, **choices}
    whole = passages.hybrid_search(
        TEXT, vector=VECTOR, size=DOCUMENTS, filter=condition, options=HybridOptions(**depth), explain=True
    )
    options = HybridOptions(collapse=BY_PARENT, **depth)
    arguments: dict[str, Any] = {"vector": VECTOR, "filter": condition, "options": options}
    hits = passages.hybrid_search(TEXT, size=50, explain=True, **arguments)
    assert hits.fusion == whole.fusion
    assert found(hits) == expected(whole)
    legs = {one.id: one.legs for one in whole}
    assert all(one.legs == legs[one.id] for one in hits.ungrouped)
    pages = [hit for start in (0, 7, 14, 21) for hit in passages.hybrid_search(TEXT, size=7, offset=start, **arguments)]
    assert found(pages) == found(hits)


def test_page_that_ends_with_the_groups_of_the_pool_says_so(passages: NeuralSparseStore) -> None:
    options = HybridOptions(collapse=BY_PARENT, pagination_depth=20, fusion="client")
    with pytest.warns(match="pagination_depth"):
        hits = passages.hybrid_search(TEXT, vector=VECTOR, size=20, options=options)
    assert hits.pool_end == len(hits) < 20


def test_groups_of_a_field_that_no_index_has_are_refused(passages: NeuralSparseStore) -> None:
    options = HybridOptions(collapse=Collapse("parents", size=2))
    with pytest.raises(IndexSchemaError, match=r"by field .parents..*Did you mean .parent."):
        passages.hybrid_search(TEXT, vector=VECTOR, options=options)


async def test_awaited_store_groups_alike(
    passages: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> None:
    sparse, hybrid = SearchOptions(collapse=BY_PARENT), HybridOptions(collapse=BY_PARENT, pagination_depth=DOCUMENTS)
    async with AsyncNeuralSparseStore(passages.index, url=server.url, query_encoder=encoder) as store:
        assert await store.search(VECTOR, options=sparse) == passages.search(VECTOR, options=sparse)
        blocking = passages.hybrid_search(TEXT, vector=VECTOR, options=hybrid)
        assert await store.hybrid_search(TEXT, vector=VECTOR, options=hybrid) == blocking


def test_every_document_of_a_group_has_its_own_best_chunk(make_store: MakeStore) -> None:
    store = make_store(schema=IndexSchema(chunking=ChunkOptions(tokens=4, overlap=0)))
    store.create(settings={"number_of_shards": 1})
    texts = {"1": "one two three four mars", "2": "mars one two three", "3": "nine ten one two mars mars"}
    store.write({"id": key, "text": text, "metadata": {"parent": "p"}} for key, text in texts.items())
    whole = {hit.id: hit for hit in store.search("mars")}
    (hit,) = store.search("mars", options=SearchOptions(collapse=BY_PARENT))
    assert {one.id: (one.score, one.chunk) for one in hit.group_hits} == {
        key: (one.score, one.chunk) for key, one in whole.items()
    }
    (hybrid,) = store.hybrid_search("mars", options=HybridOptions(collapse=BY_PARENT))
    assert {one.id: one.chunk for one in hybrid.group_hits} == {key: one.chunk for key, one in whole.items()}


def test_approximate_search_groups_what_it_finds(make_store: MakeStore, server: RunningServer) -> None:
    if parse_version(server.version) < (3, 3, 0):
        pytest.skip("sparse_vector came with OpenSearch 3.3")
    seismic = SeismicParameters(approximate_threshold=1)
    store = make_store(schema=IndexSchema(field_type=FieldType.SPARSE_VECTOR, seismic=seismic))
    store.create(settings={"number_of_shards": 1})
    store.write(
        {"id": f"{n}", "text": "red", "vector": {"red": 0.2 * (n + 1)}, "metadata": {"parent": f"p{n % 3}"}}
        for n in range(12)
    )
    hits = store.search({"red": 1.0}, options=SearchOptions(collapse=BY_PARENT))
    assert [[one.id for one in hit.group_hits] for hit in hits] == [["11", "8", "5"], ["10", "7", "4"], ["9", "6", "3"]]
