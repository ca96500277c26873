"""Aggregations on real servers: counts of the documents that match, computed here by brute force."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    ChunkOptions,
    DenseLeg,
    FieldType,
    Fusion,
    HybridOptions,
    IndexSchema,
    NeuralSparseStore,
    SearchHits,
    SearchOptions,
    SeismicParameters,
    SparseDocument,
    SparseLeg,
    SparseVector,
    TwoPhase,
    UnmappedFieldWarning,
)
from opensearch_neural_sparse.server_info import parse_version
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeIndex, MakeStore

WORDS = [f"w{number}" for number in range(60)]
TOPICS = ("art", "law", "sea", "war")
DOCUMENTS = 200
TEXT = "w1 w2"
VECTOR = {"w3": 3.0, "w4": 2.0, "w5": 0.5, "w6": 0.25}
DENSE = DenseLeg(vector=[1.0, 0.25, -0.5])
SCHEMA = IndexSchema(embedding_dimension=3)
BY_TOPIC = {"by_topic": {"terms": {"field": "topic", "size": 10}}}
RECENT = {"range": {"number": {"gte": 60}}}
MakeCorpus = Callable[[int], NeuralSparseStore]


def documents() -> list[SparseDocument]:
    chance = random.Random(11)
    return [
        SparseDocument(
            id=str(number),
            text=" ".join(chance.choices(WORDS, k=chance.randint(5, 20))),
            vector={word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 10)},
            embedding=[chance.gauss(0, 1) for _ in range(3)],
            metadata={"topic": TOPICS[int(chance.random() ** 2 * 4)], "number": number},
        )
        for number in range(DOCUMENTS)
    ]


ALL = documents()


def counts(found: Iterable[SparseDocument]) -> dict[str, int]:
    return dict(Counter(document.metadata["topic"] for document in found))


def buckets(hits: SearchHits, name: str = "by_topic") -> dict[str, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in hits.aggregations[name]["buckets"]}


def by_words(text: str, least: int = 0) -> set[str]:
    return {
        one.id for one in ALL if set(text.split()) & set((one.text or "").split()) and one.metadata["number"] >= least
    }


def by_tokens(tokens: Iterable[str], least: int = 0) -> set[str]:
    return {one.id for one in ALL if set(tokens) & set(one.vector or ()) and one.metadata["number"] >= least}


def expected(ids: set[str]) -> dict[str, int]:
    return counts(one for one in ALL if one.id in ids)


@pytest.fixture(scope="module")
def index_of(make_index: MakeIndex) -> Callable[[int], str]:
    return cache(lambda shards: make_index(ALL, shards=shards, schema=SCHEMA))


@pytest.fixture(params=[1, 3], ids=["one-shard", "three-shards"])
def corpus(make_store: MakeStore, index_of: Callable[[int], str], request: pytest.FixtureRequest) -> NeuralSparseStore:
    """A store to be searched only."""
    return make_store(index=index_of(request.param), schema=SCHEMA)


def test_aggregations_of_a_sparse_search_count_what_matches_on_every_page(corpus: NeuralSparseStore) -> None:
    options = SearchOptions(aggregations=BY_TOPIC)
    for offset in (0, 20):
        hits = corpus.search(VECTOR, size=3, offset=offset, options=options)
        assert len(hits) == 3
        assert buckets(hits) == expected(by_tokens(VECTOR))
        assert sum(buckets(hits).values()) == hits.total
    within = corpus.search(VECTOR, filter=RECENT, options=options)
    assert buckets(within) == expected(by_tokens(VECTOR, 60)) != expected(by_tokens(VECTOR))
    assert buckets(corpus.search(VECTOR, options=replace(options, collapse="topic"))) == expected(by_tokens(VECTOR))
    assert corpus.search(VECTOR).aggregations == {}
    assert corpus.search({}, options=options).aggregations == {}


def test_aggregations_of_words_and_of_many_queries_are_their_own(corpus: NeuralSparseStore) -> None:
    assert buckets(corpus.match_search(TEXT, size=1, aggregations=BY_TOPIC)) == expected(by_words(TEXT))
    within = corpus.match_search(TEXT, filter=RECENT, aggregations=BY_TOPIC)
    assert buckets(within) == expected(by_words(TEXT, 60))
    several = [{"w3": 1.0}, {"w9": 1.0, "w10": 1.0}]
    many = corpus.search_many(several, size=1, options=SearchOptions(aggregations=BY_TOPIC))
    assert [buckets(hits) for hits in many] == [expected(by_tokens(query)) for query in several]


def test_numbers_and_aggregations_within_others_are_the_server_s(corpus: NeuralSparseStore) -> None:
    asked = {
        "by_topic": {"terms": {"field": "topic"}, "aggs": {"newest": {"max": {"field": "number"}}}},
        "late": {"filter": RECENT, "aggs": {"mean": {"avg": {"field": "number"}}}},
    }
    hits = corpus.search(VECTOR, size=1, options=SearchOptions(aggregations=asked))
    found = [one for one in ALL if one.id in by_tokens(VECTOR)]
    newest = {bucket["key"]: bucket["newest"]["value"] for bucket in hits.aggregations["by_topic"]["buckets"]}
    assert newest == {
        topic: max(one.metadata["number"] for one in found if one.metadata["topic"] == topic) for topic in newest
    }
    late = [one.metadata["number"] for one in found if one.metadata["number"] >= 60]
    assert hits.aggregations["late"]["mean"]["value"] == pytest.approx(sum(late) / len(late))


@pytest.mark.parametrize("condition", [None, RECENT], ids=["processor", "rescore"])
def test_two_phases_count_what_heavy_tokens_match(corpus: NeuralSparseStore, condition: Any) -> None:
    phases = TwoPhase(prune_ratio=0.4)
    heavy, light = phases.split(SparseVector(VECTOR))
    assert light
    least = 0 if condition is None else 60
    hits = corpus.search(VECTOR, filter=condition, options=SearchOptions(two_phase=phases, aggregations=BY_TOPIC))
    assert hits.two_phase
    assert buckets(hits) == expected(by_tokens(heavy, least)) != expected(by_tokens(VECTOR, least))
    options = HybridOptions(two_phase=phases, aggregations=BY_TOPIC)
    hybrid = corpus.hybrid_search(TEXT, vector=VECTOR, filter=condition, options=options)
    assert hybrid.two_phase
    assert buckets(hybrid) == expected(by_tokens(heavy, least) | by_words(TEXT, least))


@pytest.mark.parametrize(
    "choices",
    [{}, {"fusion": "client"}, {"normalization": "min_max"}, {"collapse": "topic"}, {"pagination_depth": 5}],
    ids=str,
)
def test_aggregations_of_a_hybrid_search_count_what_any_leg_matches(
    corpus: NeuralSparseStore, choices: dict[str, Any]
) -> None:
    options = HybridOptions(aggregations=BY_TOPIC, **choices)
    for condition, least in ((None, 0), (RECENT, 60)):
        for explain in (False, True):
            hits = corpus.hybrid_search(
                TEXT, vector=VECTOR, size=3, offset=2, filter=condition, options=options, explain=explain
            )
            plain = replace(options, aggregations=None)
            without = corpus.hybrid_search(TEXT, vector=VECTOR, size=3, offset=2, filter=condition, options=plain)
            assert [(hit.id, hit.score) for hit in hits] == [(hit.id, hit.score) for hit in without]
            assert buckets(hits) == expected(by_words(TEXT, least) | by_tokens(VECTOR, least))


@pytest.mark.parametrize("fusion", [Fusion.AUTO, Fusion.CLIENT])
def test_dense_leg_adds_as_many_of_each_shard_as_are_fused(corpus: NeuralSparseStore, fusion: Fusion) -> None:
    depth = 15
    nearest = corpus.custom_search(
        {"size": DOCUMENTS, "query": {"knn": {"embedding": {"vector": DENSE.vector, "k": depth}}}}
    )
    legs = (Bm25Leg(), SparseLeg(), DENSE)
    options = HybridOptions(legs=legs, fusion=fusion, pagination_depth=depth, aggregations=BY_TOPIC)
    hits = corpus.hybrid_search(TEXT, vector=VECTOR, options=options)
    assert len(nearest) >= depth
    ids = by_words(TEXT) | by_tokens(VECTOR) | {hit.id for hit in nearest}
    assert buckets(hits) == expected(ids)
    assert ids > by_words(TEXT) | by_tokens(VECTOR)


def test_hybrid_search_that_aggregates_is_one_request(
    corpus: NeuralSparseStore, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = HybridOptions(aggregations=BY_TOPIC)
    corpus.hybrid_search(TEXT, vector=VECTOR, options=options)
    sent: list[str] = []
    perform = client.transport.perform_request

    def recorded(method: str, url: str, *arguments: Any, **others: Any) -> Any:
        sent.append(url.rpartition("/")[2])
        return perform(method, url, *arguments, **others)

    monkeypatch.setattr(client.transport, "perform_request", recorded)
    corpus.hybrid_search(TEXT, vector=VECTOR, options=options)
    corpus.search(VECTOR, options=SearchOptions(aggregations=BY_TOPIC))
    assert sent == ["_msearch", "_search"]


def test_field_that_no_index_has_is_a_warning_with_those_that_are_close(corpus: NeuralSparseStore) -> None:
    typo = {"by": {"terms": {"field": "topics"}}}
    with pytest.warns(UnmappedFieldWarning, match="'topics' of the aggregations.*Did you mean 'topic'"):
        hits = corpus.search(VECTOR, options=SearchOptions(aggregations=typo))
    assert hits.aggregations["by"]["buckets"] == []
    with pytest.warns(UnmappedFieldWarning, match="'topics' of the aggregations"):
        corpus.hybrid_search(TEXT, options=HybridOptions(aggregations=typo))


@pytest.mark.parametrize("fusion", [Fusion.AUTO, Fusion.CLIENT])
def test_documents_are_counted_once_however_many_of_their_chunks_match(make_store: MakeStore, fusion: Fusion) -> None:
    store = make_store(schema=IndexSchema(chunking=ChunkOptions(tokens=4, overlap=0)))
    store.create(settings={"number_of_shards": 1})
    texts = {"1": "mars one two three mars five six seven", "2": "mars one two three", "3": "nine"}
    store.write({"id": key, "text": text, "metadata": {"topic": f"t{int(key) % 2}"}} for key, text in texts.items())
    hits = store.search("mars", options=SearchOptions(aggregations=BY_TOPIC))
    assert buckets(hits) == {"t1": 1, "t0": 1}
    hybrid = store.hybrid_search("mars nine", options=HybridOptions(aggregations=BY_TOPIC, fusion=Fusion.AUTO))
    assert buckets(hybrid) == {"t1": 2, "t0": 1}
    explained = HybridOptions(aggregations=BY_TOPIC, fusion=fusion)
    assert buckets(store.hybrid_search("mars", options=explained, explain=True)) == {"t1": 1, "t0": 1}


LAYOUTS: Mapping[str, IndexSchema] = {
    "plain": IndexSchema(),
    "chunks": IndexSchema(chunking=ChunkOptions(tokens=4, overlap=0)),
    "seismic": IndexSchema(field_type=FieldType.SPARSE_VECTOR, seismic=SeismicParameters(approximate_threshold=1)),
}


async def test_indices_of_several_layouts_behind_one_name_are_counted_together(
    make_store: MakeStore, index_name: str, encoder: WordEncoder, client: Any, server: RunningServer
) -> None:
    names = [f"{index_name}-{layout}" for layout in LAYOUTS]
    if parse_version(server.version) < (3, 3, 0):
        names.remove(f"{index_name}-seismic")
    try:
        for number, name in enumerate(names):
            store = NeuralSparseStore(
                name, client=client, document_encoder=encoder, schema=LAYOUTS[name.rpartition("-")[2]]
            )
            store.create(settings={"number_of_shards": 1})
            rows = {"a": "mars red", "b": "mars", "c": "planet", "d": "red"}
            store.write(
                {"id": f"{number}{key}", "text": text, "metadata": {"topic": "x" if key in "ac" else f"y{number}"}}
                for key, text in rows.items()
            )
        every = NeuralSparseStore(f"{index_name}-*", client=client, document_encoder=encoder, query_encoder=encoder)
        many = len(names)
        options = SearchOptions(aggregations={**BY_TOPIC, "topics": {"cardinality": {"field": "topic"}}})
        hits = every.search("mars", size=1, options=options)
        assert buckets(hits) == {"x": many, **{f"y{number}": 1 for number in range(many)}}
        assert hits.aggregations["topics"]["value"] == many + 1
        both = every.search_many(["mars", "", "planet"], options=options)
        assert [sum(buckets(found).values()) if found.aggregations else 0 for found in both] == [2 * many, 0, many]
        hybrid = HybridOptions(aggregations=BY_TOPIC)
        found = every.hybrid_search("mars planet", options=hybrid)
        assert buckets(found) == {"x": 2 * many, **{f"y{number}": 1 for number in range(many)}}
        assert sum(buckets(every.match_search("red", aggregations=BY_TOPIC)).values()) == 2 * many
        async with AsyncNeuralSparseStore(
            f"{index_name}-*", url=server.url, document_encoder=encoder, query_encoder=encoder
        ) as awaited:
            assert (await awaited.search("mars", options=options)).aggregations == hits.aggregations
            assert (await awaited.hybrid_search("mars planet", options=hybrid)).aggregations == found.aggregations
            words = await awaited.match_search("red", aggregations=BY_TOPIC)
            assert sum(buckets(words).values()) == 2 * many
    finally:
        client.indices.delete(index=",".join(names), ignore_unavailable=True)


def test_approximate_search_counts_what_it_finds(make_store: MakeStore, server: RunningServer) -> None:
    if parse_version(server.version) < (3, 3, 0):
        pytest.skip("sparse_vector came with OpenSearch 3.3")
    tokens = ["red", "mars", "planet", "is", "##s"]
    chance = random.Random(2)
    rows = [
        {
            "id": str(number),
            "text": "nine" if number % 50 == 0 else "ten",
            "vector": {token: chance.uniform(0.5, 3) for token in chance.sample(tokens, 2)},
            "metadata": {"topic": TOPICS[number % 4]},
        }
        for number in range(100)
    ]
    store = make_store(schema=LAYOUTS["seismic"])
    store.create(settings={"number_of_shards": 1})
    store.write(rows)
    hits = store.search({"red": 2.0}, size=5, options=SearchOptions(aggregations=BY_TOPIC))
    matching = Counter(row["metadata"]["topic"] for row in rows if "red" in row["vector"])  # type: ignore[index]
    assert hits.approximate
    assert Counter(buckets(hits)) <= matching
    assert sum(buckets(hits).values()) == hits.total > len(hits), "all that was found, not the page alone"
    options = HybridOptions(aggregations=BY_TOPIC)
    hybrid = store.hybrid_search("nine", vector={"red": 2.0}, size=5, options=options)
    either = Counter(
        row["metadata"]["topic"]  # type: ignore[index]
        for row in rows
        if "red" in row["vector"] or row["text"] == "nine"  # type: ignore[operator]
    )
    assert Counter(buckets(hybrid)) <= either
    assert sum(buckets(hybrid).values()) >= len(hybrid)
