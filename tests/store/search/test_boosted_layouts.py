"""Boosts over each layout of an index, several of them behind one name, and fields that no boost reads."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    ChunkOptions,
    Collapse,
    DenseLeg,
    FieldBoost,
    FieldType,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    NeuralSparseStore,
    RecencyBoost,
    SearchHits,
    SearchOptions,
    SeismicParameters,
    SeismicSearch,
    SparseLeg,
    SparseVector,
)
from opensearch_neural_sparse.search.fusion.rrf import fuse
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.server_info import parse_version
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeIndex, MakeStore

DOCUMENTS = 60
WORDS = ["red", "mars", "planet", "is"]
QUERY = "mars red"
VECTOR = SparseVector({"mars": 2.0, "red": 1.0})
DENSE = [1.0, 0.5]
LAYOUTS: Mapping[str, IndexSchema] = {
    "plain": IndexSchema(embedding_dimension=2),
    "chunks": IndexSchema(embedding_dimension=2, chunking=ChunkOptions(tokens=4, overlap=0)),
    "seismic": IndexSchema(field_type=FieldType.SPARSE_VECTOR, seismic=SeismicParameters(approximate_threshold=1)),
}
"""An index of approximate search has no dense vectors beside it."""
RECENT = RecencyBoost(field="day", scale="10d", origin="2026-06-01", weight=3.0)
POPULAR = FieldBoost(field="likes", factor=0.5, modifier="sqrt", mode="add")
BOOSTS = [RECENT, POPULAR]
Filled = Callable[[str], NeuralSparseStore]


def rows(schema: IndexSchema) -> Iterator[dict[str, Any]]:
    chance = random.Random(9)
    for number in range(DOCUMENTS):
        metadata = {"shelf": f"s{number % 7}", "number": number} | (
            {"day": f"2026-05-{1 + number % 28:02}"} if number % 4 else {}
        )
        yield {
            "id": str(number),
            "text": " ".join(chance.choices(WORDS, k=chance.randint(3, 12))),
            **({} if schema.embedding_dimension is None else {"embedding": [math.cos(number), math.sin(number)]}),
            "metadata": metadata | ({"likes": number * 7 % 31} if number % 5 else {}),
        }


def whole(layout: str) -> SearchOptions:
    """Options of a search that finds all that match, as an approximate one with boosts does."""
    return SearchOptions(seismic=SeismicSearch(heap_factor=50.0) if layout == "seismic" else None)


def boosted(hits: SearchHits) -> dict[str, float]:
    """What the boosts make of the scores of hits."""
    return {
        hit.id: hit.score * (1 + 3.0 * _recency(hit.metadata)) + math.sqrt(0.5 * hit.metadata.get("likes", 0))
        for hit in hits
    }


def _recency(metadata: Mapping[str, Any]) -> float:
    if "day" not in metadata:
        return 0.0
    return float(0.5 ** ((32 - int(metadata["day"][-2:])) / 10))


@pytest.fixture(scope="module")
def index_of(make_index: MakeIndex) -> Callable[[str], str]:
    return cache(lambda layout: make_index(rows(LAYOUTS[layout]), schema=LAYOUTS[layout]))


@pytest.fixture
def filled(make_store: MakeStore, index_of: Callable[[str], str], server: RunningServer) -> Filled:
    """Return a store of a layout, to be searched only."""

    def of(layout: str) -> NeuralSparseStore:
        if layout == "seismic" and parse_version(server.version) < (3, 3, 0):
            pytest.skip("sparse_vector came with OpenSearch 3.3")
        return make_store(index=index_of(layout), schema=LAYOUTS[layout])

    return of


@pytest.mark.parametrize("layout", LAYOUTS)
async def test_a_sparse_search_of_each_layout_is_boosted(
    filled: Filled, layout: str, server: RunningServer, encoder: WordEncoder
) -> None:
    store = filled(layout)
    for condition in (None, {"range": {"number": {"gte": 10}}}):
        page: dict[str, Any] = {"size": DOCUMENTS, "filter": condition}
        wanted = boosted(plain := store.search(QUERY, **page, options=whole(layout), explain=True))
        hits = store.search(QUERY, **page, options=SearchOptions(boosts=BOOSTS), explain=True)
        assert {hit.id: hit.score for hit in hits} == pytest.approx(wanted, rel=1e-5)
        assert [hit.id for hit in hits] != [hit.id for hit in plain]
        assert {hit.id: hit.matches for hit in hits} == {hit.id: hit.matches for hit in plain}
        chunks = {hit.id: hit.chunk.score for hit in hits if hit.chunk is not None}
        assert chunks == {hit.id: hit.chunk.score for hit in plain if hit.chunk is not None}, "without boosts"
        assert len(chunks) == (len(hits) if layout == "chunks" else 0)
        best = store.search(QUERY, size=5, filter=condition, options=SearchOptions(boosts=BOOSTS))
        assert [hit.score for hit in best] == [hit.score for hit in hits[:5]], "boosts choose among all that match"
    async with AsyncNeuralSparseStore(
        store.index, url=server.url, query_encoder=encoder, document_encoder=encoder, schema=LAYOUTS[layout]
    ) as awaited:
        found = await awaited.search(QUERY, **page, options=SearchOptions(boosts=BOOSTS))
    assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in hits]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_groups_of_a_boosted_search_are_ordered_by_boosted_scores(filled: Filled, layout: str) -> None:
    store = filled(layout)
    wanted = boosted(plain := store.search(QUERY, size=DOCUMENTS, options=whole(layout)))
    shelves = {hit.id: hit.metadata["shelf"] for hit in plain}
    best: dict[str, list[float]] = {}
    for key in sorted(wanted, key=lambda key: -wanted[key]):
        best.setdefault(shelves[key], []).append(wanted[key])
    collapse = Collapse("shelf", size=2)
    hits = store.search(QUERY, size=5, options=SearchOptions(boosts=BOOSTS, collapse=collapse))
    assert [hit.metadata["shelf"] for hit in hits] == list(best)[:5]
    for hit in hits:
        scores = [one.score for one in hit.group_hits]
        assert scores == pytest.approx(best[hit.metadata["shelf"]][:2], rel=1e-5)


def legs_of(store: NeuralSparseStore) -> dict[str, dict[str, float]]:
    """The boosted scores of each leg, from its own search without boosts."""
    schema = store.open().schema
    layout = "seismic" if schema.field_type is FieldType.SPARSE_VECTOR else "plain"
    legs = {
        "bm25": boosted(store.match_search(QUERY, size=DOCUMENTS)),
        "sparse": boosted(store.search(QUERY, size=DOCUMENTS, options=whole(layout))),
    }
    if schema.embedding_dimension is None:
        return legs
    nearest = {"knn": {schema.embedding_field: {"vector": DENSE, "k": DOCUMENTS}}}
    return legs | {"dense": boosted(store.custom_search({"size": DOCUMENTS, "query": nearest}))}


def best_of_shelf(scores: Mapping[str, float]) -> dict[str, float]:
    """The best score of a document's shelf, for each document that a leg can find."""
    every = range(DOCUMENTS)
    return {
        str(key): max(scores[str(one)] for one in every if one % 7 == key % 7 and str(one) in scores) for key in every
    }


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "choices",
    [{"fusion": "auto"}, {"fusion": "client"}, {"normalization": "min_max"}, {"collapse": "shelf"}],
    ids=lambda choices: "-".join(map(str, *choices.items())),
)
async def test_every_leg_is_boosted_whoever_fuses(
    filled: Filled, layout: str, choices: dict[str, Any], server: RunningServer, encoder: WordEncoder
) -> None:
    if layout == "chunks" and "normalization" in choices and parse_version(server.version) < (3, 0, 0):
        pytest.skip("earlier servers do not fuse the best chunks of documents")
    store = filled(layout)
    legs: list[Leg] = [Bm25Leg(), SparseLeg()]
    if layout != "seismic":
        legs.append(DenseLeg(vector=DENSE))
    options = HybridOptions(legs=legs, boosts=BOOSTS, pagination_depth=DOCUMENTS, **choices)
    hits = store.hybrid_search(QUERY, size=6, options=options, explain=True)
    wanted = legs_of(store)
    if "collapse" in choices and hits.fusion == "client rrf":  # each leg has the best of a value
        wanted = {name: best_of_shelf(scores) for name, scores in wanted.items()}
    assert len(hits) == 6
    for hit in hits:
        scores = {name: leg.score for name, leg in (hit.legs or {}).items()}
        assert scores
        assert scores == pytest.approx({name: wanted[name][hit.id] for name in scores}, rel=1e-4)
    if "fusion" in choices:
        orders = [sorted(scores, key=lambda key: -scores[key]) for scores in wanted.values()]
        assert [hit.score for hit in hits] == pytest.approx([score for _, score in fuse(orders)][:6], rel=1e-3)
    if "collapse" in choices:
        assert len({hit.metadata["shelf"] for hit in hits}) == len(hits)
    async with AsyncNeuralSparseStore(
        store.index, url=server.url, query_encoder=encoder, document_encoder=encoder, schema=LAYOUTS[layout]
    ) as awaited:
        found = await awaited.hybrid_search(QUERY, size=6, options=options)
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in hits], rel=1e-6)


@pytest.mark.parametrize("fusion", ["auto", "client"])
def test_fused_documents_are_grouped_with_boosts(filled: Filled, fusion: Any) -> None:
    store = filled("plain")
    every = HybridOptions(boosts=BOOSTS, fusion=fusion, pagination_depth=DOCUMENTS)
    whole = store.hybrid_search(QUERY, size=DOCUMENTS, options=every)
    grouped = HybridOptions(
        boosts=BOOSTS, fusion=fusion, pagination_depth=DOCUMENTS, collapse=Collapse("shelf", size=3)
    )
    best: dict[str, list[float]] = {}
    for hit in whole:
        best.setdefault(hit.metadata["shelf"], []).append(hit.score)
    hits = store.hybrid_search(QUERY, size=7, options=grouped)
    assert {hit.metadata["shelf"]: [one.score for one in hit.group_hits] for hit in hits} == {
        shelf: pytest.approx(scores[:3], rel=1e-6) for shelf, scores in best.items()
    }


async def test_each_of_several_layouts_behind_a_name_is_boosted(
    make_store: MakeStore, index_of: Callable[[str], str], server: RunningServer, encoder: WordEncoder
) -> None:
    layouts = [one for one in LAYOUTS if one != "seismic" or parse_version(server.version) >= (3, 3, 0)]
    store = make_store(index=",".join(map(index_of, layouts)))
    options = SearchOptions(boosts=BOOSTS)
    hits = store.search(QUERY, size=DOCUMENTS, options=options)
    parts = [make_store(index=index_of(one), schema=LAYOUTS[one]) for one in layouts]
    alone = [part.search(QUERY, size=DOCUMENTS, options=options) for part in parts]
    fused = fuse([[(hit.index, hit.id) for hit in found] for found in alone])
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in fused][:DOCUMENTS], rel=1e-6)
    several = store.search_many([QUERY, "planet"], size=DOCUMENTS, options=options)
    assert [(hit.id, hit.score) for hit in several[0]] == [(hit.id, hit.score) for hit in hits]
    words = store.match_search(QUERY, size=10, boosts=BOOSTS)
    assert [hit.score for hit in words] == sorted((hit.score for hit in words), reverse=True)
    wanted = boosted(store.match_search(QUERY, size=DOCUMENTS * len(layouts)))
    assert {hit.id: hit.score for hit in words}.keys() <= wanted.keys()
    assert words[0].score > store.match_search(QUERY, size=1)[0].score
    async with AsyncNeuralSparseStore(
        store.index, url=server.url, query_encoder=encoder, document_encoder=encoder
    ) as awaited:
        found = await awaited.search(QUERY, size=DOCUMENTS, options=options)
    assert [(hit.id, hit.score) for hit in found] == [(hit.id, hit.score) for hit in hits]


def test_a_query_of_as_many_tokens_as_a_request_takes_is_boosted(store: NeuralSparseStore) -> None:
    weights = {f"t{number}": 1.0 + number / 1000 for number in range(1100)}
    store.write([{"id": "1", "text": "t1", "vector": weights, "metadata": {"likes": 4}}])
    hits = store.search(weights, options=SearchOptions(boosts=[POPULAR, POPULAR]))
    assert hits.tokens_left_out == 100
    plain = store.search(weights)
    assert hits[0].score == pytest.approx(plain[0].score + 2 * math.sqrt(2), rel=1e-5)


REFUSED = [
    (FieldBoost(field="lkes"), r"boosts names field 'lkes', which index '\S+' does not have\. Did you mean 'likes'\?"),
    (FieldBoost(field="meta.likes"), r"'meta\.likes', which .* Did you mean 'likes'\?"),
    (FieldBoost(field="shelf"), r"A FieldBoost reads numbers, and field 'shelf' of index '\S+' is of type keyword"),
    (FieldBoost(field="content"), r"field 'content' of index '\S+' is of type text\. Name one of numbers"),
    (FieldBoost(field="id"), "is of type keyword"),
    (FieldBoost(field="sparse_vector.red"), "is of type rank_features"),
    (RecencyBoost(field="likes", scale="1d"), r"dates of field 'likes' \(double\) as 'likes\.as_date', .* had a date"),
    (RecencyBoost(field="shelf", scale="1d"), r"dates of field 'shelf' \(keyword\) .*Write dates as ISO 8601"),
    (RecencyBoost(field="day", scale="1d", subfield=None), "reads dates, and field 'day' .* is of type keyword"),
    (RecencyBoost(field="dya", scale="1d"), r"Did you mean 'day'\?.*metadata_fields=\{'dya': \{'type': 'date'\}\}"),
]


@pytest.mark.parametrize(("boost", "reason"), REFUSED)
async def test_a_field_that_no_boost_reads_is_refused(
    filled: Filled, boost: Any, reason: str, server: RunningServer, encoder: WordEncoder
) -> None:
    store, boosts = filled("plain"), [POPULAR, boost]
    options = SearchOptions(boosts=boosts)
    for search in (
        lambda: store.search(QUERY, options=options),
        lambda: store.search_many([QUERY, "red"], options=options),
        lambda: store.match_search(QUERY, boosts=boosts),
        lambda: store.custom_search({}, boosts=boosts),
        lambda: store.hybrid_search(QUERY, options=HybridOptions(boosts=boosts)),
    ):
        with pytest.raises(IndexSchemaError, match=reason):
            search()
    async with AsyncNeuralSparseStore(
        store.index, url=server.url, query_encoder=encoder, document_encoder=encoder
    ) as awaited:
        with pytest.raises(IndexSchemaError, match=reason):
            await awaited.search(QUERY, options=options)
        with pytest.raises(IndexSchemaError, match=reason):
            await awaited.search_many([QUERY], options=options)


def test_a_date_field_of_another_program_is_named_with_the_way_to_it(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    fields = {"made": {"type": "date"}, "parts": {"type": "nested"}, "box": {"properties": {"n": {"type": "long"}}}}
    client.indices.put_mapping(index=store.index, body={"properties": fields})
    store.write([{"id": "1", "text": "x", "vector": {"red": 1.0}, "metadata": {"made": "2026-06-01"}}])
    origin = {"scale": "10d", "origin": "2026-06-01"}
    with pytest.raises(IndexSchemaError, match=r"holds dates itself: RecencyBoost\(field='made', subfield=None"):
        store.search({"red": 1.0}, options=SearchOptions(boosts=[RecencyBoost(field="made", **origin)]))
    boost = RecencyBoost(field="made", subfield=None, **origin)
    assert store.search({"red": 1.0}, options=SearchOptions(boosts=[boost]))[0].score == pytest.approx(2.0)
    for field, kind in (("parts", "nested"), ("parts.n", "nested"), ("box", "object")):
        with pytest.raises(IndexSchemaError, match=f"is of type {kind}"):
            store.search({"red": 1.0}, options=SearchOptions(boosts=[FieldBoost(field=field)]))
    assert len(store.search({"red": 1.0}, options=SearchOptions(boosts=[FieldBoost(field="box.n")]))) == 1


def test_an_index_without_metadata_names_how_to_declare_a_field(store: NeuralSparseStore) -> None:
    with pytest.raises(IndexSchemaError, match=r"does not have\. Indices created with metadata_fields=\{'likes': "):
        store.search({"red": 1.0}, options=SearchOptions(boosts=[POPULAR]))
    store.write([{"id": "1", "text": "x", "vector": {"red": 1.0}, "metadata": {"likes": 8}}])
    hits = store.search({"red": 1.0}, options=SearchOptions(boosts=[POPULAR]))
    assert hits[0].score == pytest.approx(3.0), "the mapping is read again"


def test_a_field_that_one_of_several_indices_lacks(
    make_store: MakeStore, other_index: str, index_name: str, client: Any
) -> None:
    for index, metadata in ((index_name, {"likes": 8, "day": "2026-06-01"}), (other_index, {"n": 1})):
        store = make_store(index=index)
        store.create(settings={"number_of_shards": 1})
        store.write([{"id": index, "text": "x", "vector": {"red": 1.0}, "metadata": metadata}])
    both = make_store(index=f"{index_name},{other_index}")
    added = RecencyBoost(field="day", scale="10d", origin="2026-06-01", mode="add")
    for boost, score in ((POPULAR, 3.0), (FieldBoost(field="likes"), 9.0), (added, 2.0)):
        hits = both.search({"red": 1.0}, options=SearchOptions(boosts=[boost]))
        assert {hit.id: hit.score for hit in hits} == pytest.approx({index_name: score, other_index: 1.0})
    with pytest.raises(IndexSchemaError, match=rf"'day\.as_date', which '{other_index}' behind '\S+' does not have"):
        both.search({"red": 1.0}, options=SearchOptions(boosts=[RECENT]))
