"""The fence of a real server holds on every path of reading: documents, passages, fields, facets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    ChunkOptions,
    Collapse,
    Fusion,
    HybridOptions,
    IndexSchema,
    NeuralSparseStore,
    SearchHits,
    SearchOptions,
    TwoPhase,
)
from tests.secured.cluster import ONE_SHARD, SecuredCluster

WHOLE, PASSAGES, USER = "walled", "walled-passages", "test-walled"
SCHEMAS = {WHOLE: None, PASSAGES: IndexSchema(chunking=ChunkOptions(tokens=4, overlap=0))}
CLUSTER = ("cluster:monitor/main", "indices:data/read/msearch", "indices:data/read/mget")
READS = ["read", "indices:admin/get", "indices:data/read/point_in_time/create"]
TEXTS = {"a": "mars one two three four five red planet", "b": "mars classified nine ten red planet eleven twelve"}
DOCUMENTS = [
    {"id": f"{tenant}{n}", "text": text, "metadata": {"tenant": tenant, "n": n, "salary": 77700 + n}}
    for tenant, text in TEXTS.items()
    for n in range(3)
]
QUERY = "mars classified planet"


@pytest.fixture(scope="module")
def walled(cluster: SecuredCluster) -> Iterator[SecuredCluster]:
    """Indices with and without passages; a user sees half of the documents, and no salaries."""
    fence = {"dls": json.dumps({"term": {"tenant": "a"}}), "fls": ["~salary"]}
    cluster.give_role(USER, CLUSTER, {"index_patterns": [f"{WHOLE}*"], "allowed_actions": READS, **fence})
    for index, schema in SCHEMAS.items():
        owner = cluster.owner(index, schema=schema)
        owner.create(settings={**ONE_SHARD, "number_of_shards": 2})
        owner.write(DOCUMENTS)
    yield cluster
    cluster.admin.indices.delete(index=f"{WHOLE}*")


def options(**chosen: Any) -> SearchOptions:
    return SearchOptions(**chosen)


FACETS = {
    "tenants": {"terms": {"field": "tenant"}},
    "best": {"top_hits": {"size": 9}},
}
BODY_FACETS = FACETS | {"highest": {"max": {"field": "salary"}}}
EVERYWHERE = {"all": {"global": {}, "aggs": {"tenants": {"terms": {"field": "tenant"}}}}}
SEARCHES: dict[str, Callable[[NeuralSparseStore], list[SearchHits]]] = {
    "sparse": lambda store: [store.search(QUERY, explain=True)],
    "several": lambda store: store.search_many([QUERY, "classified", "mars"]),
    "two-phase": lambda store: [store.search(QUERY, options=options(two_phase=TwoPhase()))],
    "words": lambda store: [store.match_search(QUERY)],
    "hybrid": lambda store: [store.hybrid_search(QUERY, explain=True)],
    "hybrid by the client": lambda store: [
        store.hybrid_search(QUERY, explain=True, options=HybridOptions(fusion=Fusion.CLIENT))
    ],
    "hybrid groups": lambda store: [
        store.hybrid_search(QUERY, options=HybridOptions(collapse=Collapse("n", size=5), aggregations=FACETS))
    ],
    "groups": lambda store: [store.search(QUERY, options=options(collapse=Collapse("n", size=5)))],
    "facets": lambda store: [store.search(QUERY, options=options(aggregations=FACETS))],
    "body": lambda store: [
        store.custom_search({"query": {"match_all": {}}, "explain": True, "aggs": BODY_FACETS, "fields": ["salary"]})
    ],
    "hidden documents": lambda store: [store.search(QUERY, filter={"term": {"tenant": "b"}})],
    "hidden field": lambda store: [store.custom_search({"query": {"range": {"salary": {"gte": 1}}}})],
}


def leaks(found: object) -> list[str]:
    """Return what is hidden and is in a result nevertheless."""
    text = str(found)
    return [word for word in ("'b0'", "'b1'", "'b2'", "classified nine", "7770", "'key': 'b'") if word in text]


CASES = [
    pytest.param(index, search, id=f"{search}-{index}")
    for search in SEARCHES
    for index in SCHEMAS
    if (index, search) != (PASSAGES, "two-phase")  # an index of passages has no such search
]


@pytest.mark.parametrize(("index", "search"), CASES)
def test_no_search_finds_what_is_hidden(walled: SecuredCluster, index: str, search: str) -> None:
    with walled.store(USER, index, schema=SCHEMAS[index]) as store:
        for hits in SEARCHES[search](store):
            whole = [(hit, hit.text, hit.metadata, hit.source, hit.chunk, hit.matches) for hit in hits.ungrouped]
            assert leaks((whole, hits.aggregations, hits.response)) == []
            assert {hit.id[0] for hit in hits.ungrouped} <= {"a"}
    everything = SEARCHES[search](walled.owner(index, schema=SCHEMAS[index]))
    assert leaks([(hits.ungrouped, [hit.source for hit in hits], hits.aggregations) for hits in everything])


@pytest.mark.parametrize("index", SCHEMAS)
async def test_nothing_reads_what_is_hidden(walled: SecuredCluster, index: str) -> None:
    ids = [str(document["id"]) for document in DOCUMENTS]
    with walled.store(USER, index, schema=SCHEMAS[index]) as store:
        read = [*store.get(ids), *store.scan()]
        assert len(read) == 6
        assert leaks([(one, one.text, one.metadata, one.chunks) for one in read]) == []
        assert (store.count(), store.count({"term": {"tenant": "b"}})) == (3, 0)
    async with walled.several(USER, index, schema=SCHEMAS[index]) as several:
        awaited = [*await several.get(ids), *[document async for document in several.scan()]]
        assert [one.id for one in awaited] == [one.id for one in read]
        for found in (await several.search(QUERY), await several.hybrid_search(QUERY)):
            assert {hit.id[0] for hit in found} == {"a"}


def test_passages_score_as_their_documents_though_the_fence_adds_to_scores(walled: SecuredCluster) -> None:
    with walled.store(USER, PASSAGES, schema=SCHEMAS[PASSAGES]) as store:
        for hit in store.search(QUERY):
            assert hit.chunk is not None
            assert hit.chunk.score == pytest.approx(hit.score, abs=1e-5)


def test_an_aggregation_that_passes_the_fence_is_refused_here(walled: SecuredCluster) -> None:
    with walled.store(USER, WHOLE) as store:
        with pytest.raises(ValueError, match=r"'all' is of kind 'global'.*those that are hidden"):
            store.search(QUERY, options=options(aggregations=EVERYWHERE))
        with pytest.raises(ValueError, match="kind global looks at documents that document-level security hides"):
            store.custom_search({"size": 0, "aggs": EVERYWHERE})
        raw = store.client().search(index=WHOLE, body={"size": 0, "aggs": EVERYWHERE})
        assert leaks(raw["aggregations"]) == ["'key': 'b'"], "the plugin itself lets it through, up to 2.19.1"
