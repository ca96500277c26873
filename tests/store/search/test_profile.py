"""Profiles of searches on real servers: what they show as sent finds the same documents when it is sent again."""

from __future__ import annotations

import asyncio
import copy
import logging
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    CustomSearch,
    DenseLeg,
    FieldBoost,
    Fusion,
    HybridOptions,
    HybridSearch,
    IndexSchema,
    MatchSearch,
    NeuralSparseStore,
    ProfiledSearch,
    RequestOptions,
    Rerank,
    SearchHits,
    SearchOptions,
    SearchProfile,
    SparseDocument,
    SparseLeg,
    SparseSearch,
    TwoPhase,
)
from opensearch_neural_sparse.search.fusion.rrf import fuse
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.recorded_telemetry import Recorded
from tests.rerankers import CountingReranker
from tests.store.conftest import MakeIndex, MakeStore

WORDS = [f"w{number}" for number in range(30)]
QUERY = "w1 w2 w3"
SCHEMA = IndexSchema(embedding_dimension=3)
BODY = {"query": {"bool": {"must": "$sparse", "filter": "$filters"}}, "size": 4}
TOPICS = {"topics": {"terms": {"field": "topic"}}}
PROFILED, CLIENT = SearchOptions(profile=True), HybridOptions(profile=True, fusion=Fusion.CLIENT)
HYBRID = HybridOptions(profile=True, fusion=Fusion.SERVER)
KINDS = {
    "sparse": SparseSearch(QUERY, options=PROFILED),
    "sparse-page": SparseSearch(QUERY, size=5, offset=7, options=PROFILED, filter={"term": {"topic": "t1"}}),
    "two-phase": SparseSearch(QUERY, size=6, offset=2, options=SearchOptions(profile=True, two_phase=TwoPhase())),
    "boosted": SparseSearch(QUERY, options=SearchOptions(profile=True, boosts=[FieldBoost(field="number")])),
    "collapsed": SparseSearch(QUERY, options=SearchOptions(profile=True, collapse="topic")),
    "words": MatchSearch("w1 w2", size=4, offset=1, profile=True),
    "custom": CustomSearch(BODY, query=QUERY, filter={"term": {"topic": "t2"}}, profile=True),
    "server-fused": HybridSearch(QUERY, options=HYBRID),
    "server-fused-page": HybridSearch(QUERY, size=4, offset=6, options=HYBRID),
    "client-fused": HybridSearch(QUERY, options=CLIENT),
}


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> str:
    chance = random.Random(3)
    documents = (
        SparseDocument(
            id=str(number),
            text=f"{' '.join(chance.choices(WORDS, k=20))} #{number}",
            vector={word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 12)},
            embedding=[chance.gauss(0, 1) for _ in range(3)],
            metadata={"topic": f"t{number % 5}", "number": number},
        )
        for number in range(100)
    )
    return make_index(documents, shards=1, schema=SCHEMA)


@pytest.fixture
def store(make_store: MakeStore, index: str) -> NeuralSparseStore:
    return make_store(index=index, schema=SCHEMA)


def profile_of(hits: SearchHits) -> SearchProfile:
    """Return a profile whose times fit together."""
    profile = hits.profile
    assert profile is not None
    answers = [request.answer_ms for request in profile.requests if request.answer_ms is not None]
    parts = [profile.encode_ms or 0.0, *answers, profile.read_ms, profile.rerank_ms or 0.0]
    assert min(parts) >= 0
    assert sum(parts) <= profile.total_ms
    assert profile.other_ms == pytest.approx(profile.total_ms - sum(parts), abs=1e-6)
    for request in profile.requests:
        if request.took_ms is not None and request.answer_ms is not None:
            assert request.took_ms <= request.answer_ms
        assert all((search.took_ms or 0) <= (request.took_ms or 0) for search in request.searches)
    assert (profile.fusion, profile.fusion_reason) == (hits.fusion, hits.fusion_reason)
    return profile


def sent_again(client: Any, search: ProfiledSearch) -> list[str]:
    """Return the ids that a search finds when it is sent again as it is, by the client alone."""
    response = client.search(index=search.index, params=dict(search.params), body=search.body)
    return [hit["_id"] for hit in response["hits"]["hits"]]


def ids(hits: SearchHits) -> list[str]:
    return [hit.id for hit in hits]


@pytest.mark.parametrize("kind", ["sparse", "sparse-page", "two-phase", "boosted", "collapsed", "words", "custom"])
def test_the_body_of_one_leg_sent_again_finds_the_same(
    store: NeuralSparseStore, client: Any, index: str, kind: str
) -> None:
    hits = store.run(KINDS[kind])
    profile = profile_of(hits)
    (search,) = profile.searches
    assert sent_again(client, search) == ids(hits) != []
    assert profile.requests[0].path == f"/{index}/_search"
    assert search.index == index
    assert search.legs == {"words": ("bm25",), "custom": ()}.get(kind, ("sparse",))
    assert search.took_ms == profile.requests[0].took_ms == hits.took_ms
    assert (profile.encode_ms is None) == (kind == "words")
    assert profile.rerank_ms is None


@pytest.mark.parametrize("kind", ["server-fused", "server-fused-page"])
def test_the_body_that_the_server_fuses_sent_again_finds_the_same(
    store: NeuralSparseStore, client: Any, kind: str
) -> None:
    search = KINDS[kind]
    assert isinstance(search, HybridSearch)
    hits = store.run(search)
    (sent,) = profile_of(hits).searches
    assert (sent.purpose, sent.legs, hits.fusion) == ("hits", ("bm25", "sparse"), "server rrf")
    assert sent_again(client, sent)[search.offset : search.depth] == ids(hits) != []


def test_each_leg_that_the_client_fuses_sent_again_gives_the_same_fusion(
    store: NeuralSparseStore, client: Any, index: str
) -> None:
    legs = (Bm25Leg(), SparseLeg(), DenseLeg(vector=[1.0, 0.5, -1.0]))
    options = HybridOptions(profile=True, legs=legs, fusion=Fusion.CLIENT, weights=[0.2, 0.5, 0.3])
    hits = store.hybrid_search(QUERY, size=6, offset=3, options=options)
    profile = profile_of(hits)
    assert profile.requests[0].path == f"/{index}/_msearch"
    assert [search.legs for search in profile.searches] == [("bm25",), ("sparse",), ("dense",)]
    assert [search.took_ms for search in profile.searches] == list(hits.leg_took_ms.values())
    ranked = fuse([sent_again(client, search) for search in profile.searches], weights=options.weights)
    assert [key for key, _ in ranked[3:9]] == ids(hits)
    assert profile.fusion_reason == "The options ask the client for it."


def test_searches_beside_the_hits_say_what_they_are_for(store: NeuralSparseStore, client: Any) -> None:
    options = HybridOptions(profile=True, normalization="min_max", aggregations=TOPICS)
    hits = store.hybrid_search(QUERY, options=options, explain=True)
    searches = profile_of(hits).searches
    both = ("bm25", "sparse")
    assert [(search.purpose, search.legs) for search in searches] == [
        ("hits", both),
        ("leg ranks", both[:1]),
        ("leg ranks", both[1:]),
        ("aggregations", ()),
    ]
    assert sent_again(client, searches[0]) == ids(hits)
    for search, (leg,) in zip(searches[1:3], (["bm25"], ["sparse"]), strict=True):
        ranks = {document: rank for rank, document in enumerate(sent_again(client, search), 1)}
        scored = {hit.id: (hit.legs or {})[leg].rank for hit in hits if leg in (hit.legs or {})}
        assert scored == {document: ranks[document] for document in scored} != {}
    response = client.search(index=searches[3].index, body=searches[3].body)
    assert response["aggregations"] == hits.aggregations


def test_explained_ranks_of_the_server_are_asked_for_by_the_parameters_shown(
    store: NeuralSparseStore, client: Any
) -> None:
    hits = store.hybrid_search(QUERY, options=HYBRID, explain=True)
    (search,) = profile_of(hits).searches
    assert search.params == {"include_named_queries_score": "true"}
    response = client.search(index=search.index, params=dict(search.params), body=search.body)
    scores = {hit["_id"]: hit["matched_queries"] for hit in response["hits"]["hits"]}
    assert {hit.id: {name: leg.score for name, leg in (hit.legs or {}).items()} for hit in hits} == scores


@pytest.mark.parametrize("options", [PROFILED, CLIENT], ids=["search", "msearch"])
def test_parameters_are_those_of_each_search_without_the_timeout(
    store: NeuralSparseStore, client: Any, options: SearchOptions
) -> None:
    request = RequestOptions(timeout=20, preference="_local", routing="a")
    if isinstance(options, HybridOptions):
        own = HybridOptions(profile=True, fusion=options.fusion, request=request)
        profile = profile_of(store.hybrid_search(QUERY, options=own))
    else:
        profile = profile_of(store.search(QUERY, options=SearchOptions(profile=True, request=request)))
    assert {tuple(search.params.items()) for search in profile.searches} == {
        (("preference", "_local"), ("routing", "a"))
    }
    assert all(sent_again(client, search) for search in profile.searches)


def test_each_of_many_searches_has_its_own(store: NeuralSparseStore, client: Any) -> None:
    queries = ["w1 w2", "", "w4", "w1 w2"]
    options = SearchOptions(profile=True, rerank=Rerank(CountingReranker(), depth=5))
    found = store.search_many(queries, options=options, size=3)
    profiles = [profile_of(hits) for hits in found]
    for query, hits, profile in zip(queries, found, profiles, strict=True):
        if not query:
            assert (profile.searches, hits) == ((), [])
            continue
        (search,) = profile.searches
        assert set(ids(hits)) <= set(sent_again(client, search))
        alone = store.search(query, options=PROFILED, size=5).profile
        assert alone is not None
        assert (search.body, search.legs) == (alone.searches[0].body, ("sparse",))
    assert len({profile.requests[0].took_ms for profile in profiles}) == 1


@pytest.mark.parametrize("options", [PROFILED, HYBRID, CLIENT], ids=["sparse", "server", "client"])
def test_reranked_pages_show_the_search_for_all_that_were_reranked(
    store: NeuralSparseStore, client: Any, options: SearchOptions
) -> None:
    rerank = Rerank(CountingReranker(), depth=20)
    if isinstance(options, HybridOptions):
        own = HybridOptions(profile=True, fusion=options.fusion, rerank=rerank)
        hits = store.hybrid_search(QUERY, size=4, offset=4, options=own)
    else:
        hits = store.search(QUERY, size=4, offset=4, options=SearchOptions(profile=True, rerank=rerank))
    profile = profile_of(hits)
    assert profile.rerank_ms is not None
    assert all(search.body["size"] >= 20 for search in profile.searches)
    again = {document for search in profile.searches for document in sent_again(client, search)}
    assert set(ids(hits)) <= again
    assert len(hits) == 4


def test_a_query_without_a_token_has_sent_nothing(store: NeuralSparseStore) -> None:
    profile = profile_of(store.search(" ", options=PROFILED))
    assert (profile.requests, profile.searches) == ((), ())


def test_token_weights_are_not_encoded_here(store: NeuralSparseStore) -> None:
    assert profile_of(store.search({"w1": 1.0}, options=PROFILED)).encode_ms is None
    assert profile_of(store.hybrid_search(QUERY, vector={"w1": 1.0}, options=HYBRID)).encode_ms is None


@pytest.mark.parametrize("kind", KINDS)
def test_awaited_searches_show_the_same(
    store: NeuralSparseStore, server: RunningServer, index: str, encoder: WordEncoder, kind: str
) -> None:
    async def run() -> SearchHits:
        async with AsyncNeuralSparseStore(index, url=server.url, query_encoder=encoder, schema=SCHEMA) as awaited:
            return await awaited.run(KINDS[kind])

    hits, awaited = store.run(KINDS[kind]), asyncio.run(run())
    assert ids(awaited) == ids(hits)
    mine, others = profile_of(hits), profile_of(awaited)
    assert [without_times(search) for search in others.searches] == [without_times(search) for search in mine.searches]
    assert [request.path for request in others.requests] == [request.path for request in mine.requests]
    assert (others.encode_ms is None) == (mine.encode_ms is None)


def without_times(search: ProfiledSearch) -> dict[str, Any]:
    return {name: value for name, value in vars(search).items() if name != "took_ms"}


async def test_awaited_embedders_are_part_of_the_encoding(
    server: RunningServer, index: str, encoder: WordEncoder
) -> None:
    async def embedder(_: str) -> list[float]:
        await asyncio.sleep(0.05)
        return [1.0, 0.0, 0.0]

    options = HybridOptions(profile=True, legs=(Bm25Leg(), DenseLeg(embedder=embedder)))
    async with AsyncNeuralSparseStore(index, url=server.url, query_encoder=encoder, schema=SCHEMA) as store:
        profile = profile_of(await store.hybrid_search(QUERY, options=options))
    assert (profile.encode_ms or 0) > 40


def test_embedders_are_part_of_the_encoding(store: NeuralSparseStore) -> None:
    legs = (Bm25Leg(), DenseLeg(embedder=lambda text: [float(len(text)), 0.0, 0.0]))
    assert profile_of(store.hybrid_search(QUERY, options=HybridOptions(profile=True, legs=legs))).encode_ms is not None


WITHOUT: dict[str, Callable[[NeuralSparseStore], SearchHits]] = {
    "sparse": lambda store: store.search(QUERY),
    "hybrid": lambda store: store.hybrid_search(QUERY),
    "many": lambda store: store.search_many([QUERY])[0],
    "words": lambda store: store.match_search(QUERY),
    "custom": lambda store: store.custom_search(BODY, query=QUERY),
}


@pytest.mark.parametrize("kind", WITHOUT)
def test_without_the_option_nothing_is_kept(
    store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    made: list[ProfiledSearch] = []
    check = ProfiledSearch.__init__

    def noted(self: ProfiledSearch, **values: Any) -> None:
        check(self, **values)
        made.append(self)

    monkeypatch.setattr(ProfiledSearch, "__init__", noted)
    hits = WITHOUT[kind](store)
    assert hits.profile is None
    assert made == []
    hits.response = None  # a custom search has the server's answer
    assert QUERY.encode() not in pickle.dumps(vars(hits))
    profile_of(store.search(QUERY, options=PROFILED))
    assert len(made) == 1


def test_methods_take_the_option(store: NeuralSparseStore) -> None:
    assert profile_of(store.match_search(QUERY, profile=True)).searches[0].legs == ("bm25",)
    assert profile_of(store.custom_search(BODY, query=QUERY, profile=True)).searches[0].legs == ()


def test_later_changes_of_the_caller_s_values_leave_the_profile_as_it_is(store: NeuralSparseStore) -> None:
    body: dict[str, Any] = {"query": {"match": {"content": "$text"}}, "aggs": copy.deepcopy(TOPICS)}
    aggregations = copy.deepcopy(TOPICS)
    custom = store.custom_search(body, query=QUERY, profile=True)
    sparse = store.search(QUERY, options=SearchOptions(profile=True, aggregations=aggregations))
    body["aggs"]["topics"]["terms"]["field"] = aggregations["topics"]["terms"]["field"] = "other"
    for hits in (custom, sparse):
        assert profile_of(hits).searches[0].body["aggs"] == TOPICS


@pytest.mark.parametrize("kind", ["sparse", "client-fused", "custom", "words"])
def test_the_text_is_in_no_representation_no_line_and_no_span(
    store: NeuralSparseStore, caplog: pytest.LogCaptureFixture, recorded: Recorded, kind: str
) -> None:
    secret = "syzygy w1"
    by_kind: dict[str, Any] = {
        "sparse": SparseSearch(secret, options=PROFILED),
        "client-fused": HybridSearch(secret, options=CLIENT),
        "custom": CustomSearch(BODY, query=secret, profile=True),
        "words": MatchSearch(secret, profile=True),
    }
    with caplog.at_level(logging.DEBUG, logger="opensearch_neural_sparse"):
        hits = store.run(by_kind[kind])
    profile = profile_of(hits)
    assert "syzygy" in str([search.body for search in profile.searches])
    shown = [repr(hits), repr(profile), *map(repr, profile.requests), *map(repr, profile.searches)]
    assert not [text for text in shown if "syzygy" in text]
    assert len(repr(profile)) < 500
    assert "_search took" in caplog.text
    assert "syzygy" not in caplog.text
    spans = recorded.exporter.get_finished_spans()
    assert spans
    assert not [span for span in spans if "syzygy" in str((span.name, dict(span.attributes or {}), span.events))]


def test_profiles_are_copied_and_saved_with_their_hits(store: NeuralSparseStore) -> None:
    hits = store.run(KINDS["client-fused"])
    for again in (pickle.loads(pickle.dumps(hits)), copy.deepcopy(hits)):
        assert again == hits
        assert again.profile == hits.profile is not None


def test_plain_values_hold_all_of_it(store: NeuralSparseStore) -> None:
    profile = profile_of(store.run(KINDS["client-fused"]))
    plain = profile.to_dict()
    assert plain["total_ms"] == profile.total_ms
    assert plain["requests"][0]["searches"][1]["body"] == profile.searches[1].body
