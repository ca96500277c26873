"""Searches of an index whose shards and their copies lie on three nodes, beside the same index on one of them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from opensearchpy import OpenSearch

from opensearch_neural_sparse import (
    FieldType,
    Fusion,
    HybridOptions,
    IndexSchema,
    NeuralSparseStore,
    RequestOptions,
    SearchHits,
    SearchOptions,
    SeismicParameters,
    SeismicSearch,
    SparseDocument,
    TwoPhase,
)
from opensearch_neural_sparse.devserver import DevServer, Profile
from opensearch_neural_sparse.index.token_ids import TokenIds
from tests.conftest import SMALL_AND_QUICK, own_server
from tests.encoders import WordEncoder
from tests.tiers import LINES

pytestmark = pytest.mark.slow

WORDS = [f"w{number}" for number in range(50)]
DOCUMENTS, SHARDS = 150, 3
SPREAD = {"number_of_shards": SHARDS, "number_of_replicas": 1, "routing.allocation.total_shards_per_node": 2}
TOGETHER = {"number_of_shards": SHARDS, "number_of_replicas": 0, "routing.allocation.require._name": "n1"}
APPROXIMATE = IndexSchema(
    field_type=FieldType.SPARSE_VECTOR,
    seismic=SeismicParameters(approximate_threshold=1, cluster_ratio=0.9, summary_prune_ratio=1.0),
    token_ids=TokenIds(lambda: {word: number for number, word in enumerate(WORDS)}),
)
THOROUGH = SeismicSearch(top_n=len(WORDS), heap_factor=50)
"""All summaries are whole and read: by default the server leaves clusters to chance, and deep ranks with them."""
QUERIES = ["w1 w2 w3", "w4 w5", "w10 w20 w30 w40"]
Pair = tuple[NeuralSparseStore, NeuralSparseStore]
MakePair = Callable[[IndexSchema], Pair]


@pytest.fixture(scope="module", params=LINES)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """Three nodes of a version; one cluster at a time, since each takes the memory of three servers."""
    with ExitStack() as stack:
        home = tmp_path_factory.mktemp("opensearch-cluster")
        options = {**SMALL_AND_QUICK, "version": request.param, "profile": Profile.CLUSTER}
        yield own_server(stack, home, **options)


@pytest.fixture
def make_pair(cluster: DevServer, encoder: WordEncoder) -> Iterator[MakePair]:
    """Make the same index twice: with its shards and copies on three nodes, and on one node without copies."""
    stores: list[NeuralSparseStore] = []
    with OpenSearch(cluster.url, timeout=120) as client:

        def make(schema: IndexSchema) -> Pair:
            parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder, "schema": schema}
            for settings in (SPREAD, TOGETHER):
                store = NeuralSparseStore(f"test-{uuid.uuid4().hex}", client=client, **parts)
                store.create(settings={**settings, "refresh_interval": -1})
                stores.append(store)
                store.write(documents())
                client.indices.forcemerge(index=store.index, max_num_segments=1)
                client.cluster.health(index=store.index, wait_for_status="green")
            return stores[-2], stores[-1]

        yield make
        for store in stores:
            store.delete_index()


def documents() -> list[SparseDocument]:
    chance = random.Random(5)
    return [
        SparseDocument(
            id=str(number),
            text=" ".join(chance.choices(WORDS, k=chance.randint(10, 40))),
            vector={word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 12)},
            metadata={"lang": ("en", "fr")[number % 2]},
        )
        for number in range(DOCUMENTS)
    ]


def vector_of(query: str) -> dict[str, float]:
    chance = random.Random(query)
    return {word: chance.uniform(0.5, 6) for word in chance.sample(WORDS, 5)}


def found(hits: SearchHits) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in hits]


def nodes(store: NeuralSparseStore) -> list[str]:
    return [row["node"] for row in store.client().cat.shards(index=store.index, format="json")]


def test_shards_lie_where_the_tests_say(make_pair: MakePair) -> None:
    spread, together = make_pair(IndexSchema())
    assert sorted(nodes(spread)) == ["n1", "n1", "n2", "n2", "n3", "n3"]
    assert nodes(together) == ["n1"] * SHARDS


@pytest.mark.parametrize("condition", [None, {"term": {"lang": "en"}}], ids=["everything", "filtered"])
def test_searches_find_and_score_on_three_nodes_as_on_one(make_pair: MakePair, condition: Any) -> None:
    spread, together = make_pair(IndexSchema())
    two_phase = SearchOptions(two_phase=TwoPhase(prune_ratio=0.6))
    searches: list[Callable[[NeuralSparseStore, str], SearchHits]] = [
        lambda store, query: store.search(vector_of(query), filter=condition),
        lambda store, query: store.search(vector_of(query), filter=condition, options=two_phase),
        lambda store, query: store.match_search(query, filter=condition),
        lambda store, query: store.hybrid_search(query, vector=vector_of(query), filter=condition),
        lambda store, query: store.hybrid_search(
            query, vector=vector_of(query), filter=condition, options=HybridOptions(fusion=Fusion.CLIENT)
        ),
        lambda store, query: store.hybrid_search(
            query,
            vector=vector_of(query),
            filter=condition,
            options=HybridOptions(normalization="min_max"),  # type: ignore[arg-type]
        ),
    ]
    for search in searches:
        for query in QUERIES:
            one, other = search(spread, query), search(together, query)
            assert (len(one), one.total, one.fusion) == (10, other.total, other.fusion)
            assert sorted(found(one)) == sorted(found(other))


def test_pages_of_the_same_copies_agree(make_pair: MakePair) -> None:
    spread, _ = make_pair(IndexSchema())
    way = RequestOptions(preference="a reader")
    options = HybridOptions(request=way)
    for query in QUERIES:
        vector = vector_of(query)
        whole = found(spread.search(vector, size=40, options=SearchOptions(request=way)))
        pages = [
            row
            for start in range(0, 40, 8)
            for row in found(spread.search(vector, size=8, offset=start, options=SearchOptions(request=way)))
        ]
        assert pages == whole
        fused = found(spread.hybrid_search(query, vector=vector, size=40, options=options))
        pages = [
            row
            for start in range(0, 40, 8)
            for row in found(spread.hybrid_search(query, vector=vector, size=8, offset=start, options=options))
        ]
        assert pages == fused


def test_approximate_search_is_the_same_on_three_nodes(make_pair: MakePair, cluster: DevServer) -> None:
    if cluster.version.startswith("2."):
        pytest.skip("sparse_vector came with OpenSearch 3.3")
    spread, together = make_pair(APPROXIMATE)
    for query in QUERIES:
        vector = vector_of(query)
        for condition in (None, {"term": {"lang": "en"}}):
            options = SearchOptions(seismic=THOROUGH)
            one, other = (store.search(vector, filter=condition, options=options) for store in (spread, together))
            assert one.approximate
            assert len(one) == 10
            assert [score for _, score in found(one)] == [score for _, score in found(other)]
            both = HybridOptions(seismic=THOROUGH)
            one, other = (
                store.hybrid_search(query, vector=vector, filter=condition, options=both)
                for store in (spread, together)
            )
            assert [score for _, score in found(one)] == [score for _, score in found(other)]
