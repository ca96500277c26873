"""Hybrid search on real servers: scores bit for bit, over one shard and over three."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from opensearch_neural_sparse import (
    Bm25Leg,
    Bound,
    BoundMode,
    Combination,
    DenseLeg,
    Fusion,
    HybridOptions,
    IndexSchema,
    NeuralSparseStore,
    Normalization,
    SearchHits,
    SearchOptions,
    ServerRequestError,
    SparseDocument,
    SparseLeg,
    SparseVector,
    TwoPhase,
    UnsupportedServerError,
)
from opensearch_neural_sparse.search.fusion.pipelines import rrf_pipeline
from opensearch_neural_sparse.search.fusion.rrf import float32, fuse
from opensearch_neural_sparse.search.query.clauses import hybrid_query, match_query, neural_sparse_query
from tests.store.conftest import MakeIndex, MakeStore

WORDS = [f"w{number}" for number in range(60)]
DEPTH = 20
DOCUMENTS = 200
QUERIES = ["w1 w2 w3", "w4 w5", "w10 w20 w30 w40"]
DENSE = DenseLeg(vector=[1.0, 0.25, -0.5])
SCHEMA = IndexSchema(embedding_dimension=3)
THREE = (Bm25Leg(), SparseLeg(), DENSE)
MakeCorpus = Callable[[int], NeuralSparseStore]


def vector_of(query: str) -> dict[str, float]:
    chance = random.Random(query)
    return {word: chance.uniform(0.5, 6) for word in chance.sample(WORDS, 6)}


def documents() -> Iterator[SparseDocument]:
    """Texts, token weights and embeddings that do not hang together."""
    chance = random.Random(7)
    for number in range(DOCUMENTS):
        yield SparseDocument(
            id=f"{number}",
            text=" ".join(chance.choices(WORDS, k=chance.randint(10, 40))),
            vector={word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 15)},
            embedding=[chance.gauss(0, 1) for _ in range(3)],
            metadata={"lang": ("en", "fr")[number % 2], "number": number},
        )


@pytest.fixture(scope="module")
def index_of(make_index: MakeIndex) -> Callable[[int], str]:
    """Return the index of so many shards that the tests here share."""
    return cache(lambda shards: make_index(documents(), shards=shards, schema=SCHEMA))


@pytest.fixture
def corpus(make_store: MakeStore, index_of: Callable[[int], str]) -> MakeCorpus:
    """Open an index of so many shards, to be searched only."""
    return lambda shards: make_store(index=index_of(shards), schema=SCHEMA)


@pytest.fixture
def own_corpus(make_store: MakeStore) -> MakeCorpus:
    """Fill an index of so many shards, which may be deleted and made again with others."""

    def make(shards: int) -> NeuralSparseStore:
        store = make_store(schema=SCHEMA)
        store.create(settings={"number_of_shards": shards})
        store.write(documents())
        return store

    return make


def search(store: NeuralSparseStore, query: str = QUERIES[0], **choices: Any) -> SearchHits:
    arguments = {name: choices.pop(name) for name in ("size", "offset", "filter", "explain") if name in choices}
    options = HybridOptions(**({"pagination_depth": DEPTH} | choices))
    return store.hybrid_search(query, vector=vector_of(query), options=options, **({"size": DEPTH} | arguments))


def scores(hits: SearchHits) -> dict[str, float]:
    return {hit.id: hit.score for hit in hits}


def ids(hits: SearchHits) -> list[str]:
    return [hit.id for hit in hits]


def exact_rankings(store: NeuralSparseStore, query: str, **arguments: Any) -> list[list[str]]:
    """What BM25 and sparse search find by themselves, over all shards."""
    return [
        ids(store.match_search(query, size=DEPTH, **arguments)),
        ids(store.search(vector_of(query), size=DEPTH, **arguments)),
    ]


def best(fused: list[tuple[str, float]], size: int) -> dict[str, float]:
    """The best of a fusion and whatever scores as the last of them, since equal scores stand in any order."""
    least = fused[:size][-1][1]
    return {key: score for key, score in fused if score >= least}


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(
    "choices",
    [{}, {"rank_constant": 1}, {"weights": [0.3, 0.7]}, {"weights": [1, 0]}, {"legs": THREE}],
    ids=["plain", "constant", "weights", "one weight", "three legs"],
)
def test_client_fusion_scores_bit_for_bit_as_the_server_s_over_one_shard(
    corpus: MakeCorpus, query: str, choices: dict[str, Any]
) -> None:
    store = corpus(1)
    whole = {"size": 100, "pagination_depth": 100} | choices
    by_server = search(store, query, fusion=Fusion.SERVER, **whole)
    by_client = search(store, query, fusion=Fusion.CLIENT, **whole)
    assert (by_server.fusion, by_client.fusion) == ("server rrf", "client rrf")
    assert [hit.score for hit in by_server] == [hit.score for hit in by_client]
    least = by_client[-1].score
    above = {hit.id: hit.score for hit in by_client if hit.score > least}
    assert above.items() <= scores(by_server).items()


def test_weights_with_another_rank_constant_are_fused_here_where_the_server_cannot(corpus: MakeCorpus) -> None:
    store = corpus(1)
    choices: dict[str, Any] = {"weights": [0.3, 0.7], "rank_constant": 7}
    hits = search(store, **choices)
    expected = fuse(exact_rankings(store, QUERIES[0]), rank_constant=7, weights=[0.3, 0.7])
    assert [float32(hit.score) for hit in hits] == [score for _, score in expected[:DEPTH]]
    if store.server().at_least((3, 1, 0)):
        assert hits.fusion == "server rrf"
    else:
        assert hits.fusion == "client rrf"
        with pytest.raises(UnsupportedServerError, match="rank_constant=7"):
            search(store, fusion=Fusion.SERVER, **choices)


@pytest.mark.parametrize("query", QUERIES)
def test_client_fusion_over_three_shards_fuses_the_exact_rankings(corpus: MakeCorpus, query: str) -> None:
    store = corpus(3)
    expected = fuse(exact_rankings(store, query))
    hits = search(store, query, fusion=Fusion.CLIENT)
    assert [float32(hit.score) for hit in hits] == [score for _, score in expected[:DEPTH]]
    assert {hit.id: float32(hit.score) for hit in hits}.items() <= best(expected, DEPTH).items()


def test_server_that_ranks_each_shard_by_itself_is_wrong_and_we_are_right(corpus: MakeCorpus) -> None:
    store = corpus(3)
    query, hits = QUERIES[0], search(store)
    exact = dict(fuse(exact_rankings(store, query)))
    legs = [match_query("content", query), neural_sparse_query("sparse_vector", vector_of(query))]
    body = {
        "size": DEPTH,
        "query": hybrid_query(legs, pagination_depth=DEPTH),
        "search_pipeline": rrf_pipeline(store.server()),
    }
    raw = store.client().search(index=store.index, body=body)["hits"]["hits"]
    if store.server().ranks_across_shards:
        assert hits.fusion == "server rrf"
        assert [hit["_score"] for hit in raw] == [hit.score for hit in hits]
        return
    assert hits.fusion == "client rrf"
    assert {hit.id: float32(hit.score) for hit in hits}.items() <= exact.items()
    wrong = [hit["_id"] for hit in raw if float32(hit["_score"]) != exact.get(hit["_id"])]
    assert len(wrong) > len(raw) / 2
    with pytest.raises(UnsupportedServerError, match=r"3\.5 or later.*3 shards.*fusion='client'"):
        search(store, fusion=Fusion.SERVER)


def test_index_made_anew_with_more_shards_is_looked_at_again(own_corpus: MakeCorpus) -> None:
    embedded: list[str] = []

    def embed(text: str) -> list[float]:
        embedded.append(text)
        return [1.0, 0.25, -0.5]

    legs = (Bm25Leg(), SparseLeg(), DenseLeg(embedder=embed))
    store = own_corpus(1)
    assert search(store, legs=THREE).fusion == "server rrf"
    store.client().indices.delete(index=store.index)
    fresh = own_corpus(3)
    hits = search(store, legs=legs)
    assert hits.fusion == ("server rrf" if store.server().ranks_across_shards else "client rrf")
    assert scores(hits) == scores(search(fresh, legs=THREE))
    assert embedded == [QUERIES[0]], "what is asked anew is not embedded anew"


def test_server_that_shall_fuse_over_more_shards_than_before_is_refused(own_corpus: MakeCorpus) -> None:
    store = own_corpus(1)
    assert search(store, fusion=Fusion.SERVER)
    store.client().indices.delete(index=store.index)
    own_corpus(3)
    if store.server().ranks_across_shards:
        assert search(store, fusion=Fusion.SERVER)
        return
    with pytest.raises(UnsupportedServerError, match=r"3\.5 or later.*3 shards.*fusion='client'"):
        search(store, fusion=Fusion.SERVER)
    assert search(store).fusion == "client rrf"


def test_ranks_in_a_pool_of_every_hit_are_those_of_the_whole_index(corpus: MakeCorpus) -> None:
    store = corpus(3)
    raw = {
        "bm25": scores(store.match_search(QUERIES[0], size=DOCUMENTS)),
        "sparse": scores(store.search(vector_of(QUERIES[0]), size=DOCUMENTS)),
    }
    hits = search(store, explain=True, size=DOCUMENTS, pagination_depth=DOCUMENTS)
    assert set(ids(hits)) == {key for leg in raw.values() for key in leg}
    for hit in hits:
        assert set(hit.legs or ()) == {name for name, leg in raw.items() if hit.id in leg}
        for name, leg in (hit.legs or {}).items():
            others = [score for score in raw[name].values() if abs(score - leg.score) > 1e-5]
            above = sum(score > leg.score for score in others)
            assert leg.rank is not None
            assert above < leg.rank <= len(raw[name]) - (len(others) - above), "equal scores rank in any order"
        assert hit.score == pytest.approx(
            sum(1 / (60 + (leg.rank or 0)) for leg in (hit.legs or {}).values()), rel=1e-6
        )


@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
def test_hybrid_search_is_one_request(corpus: MakeCorpus, fusion: Fusion, monkeypatch: pytest.MonkeyPatch) -> None:
    store = corpus(1)
    search(store, filter={"term": {"lang": "en"}})  # the first filter has the fields read
    calls: list[str] = []
    transport = store.client().transport
    perform = transport.perform_request

    def recorded(method: str, url: str, **arguments: Any) -> Any:
        calls.append(url)
        return perform(method, url, **arguments)

    monkeypatch.setattr(transport, "perform_request", recorded)
    assert search(store, legs=THREE, fusion=fusion, explain=True, filter={"term": {"lang": "en"}}, offset=5)
    assert calls == [f"/{store.index}/{'_search' if fusion is Fusion.SERVER else '_msearch'}"]


@pytest.mark.filterwarnings("ignore::opensearch_neural_sparse.HybridPoolWarning")
@pytest.mark.parametrize("shards", [1, 3])
def test_pages_agree_and_end(corpus: MakeCorpus, shards: int) -> None:
    store = corpus(shards)
    for fusion in (Fusion.AUTO, Fusion.CLIENT):
        whole = [*search(store, fusion=fusion), *search(store, fusion=fusion, offset=DEPTH)]
        whole += search(store, fusion=fusion, offset=2 * DEPTH, size=DEPTH)
        pages: list[SearchHits] = []
        while not pages or pages[-1]:
            pages.append(search(store, fusion=fusion, size=7, offset=7 * len(pages)))
            assert len(pages) < DOCUMENTS
        found = [(hit.id, hit.score) for page in pages for hit in page]
        assert len({key for key, _ in found}) == len(found) > DEPTH
        assert found[: len(whole)] == [(hit.id, hit.score) for hit in whole]
        assert search(store, fusion=fusion, offset=9_000) == []
        assert len({page.total for page in pages}) == 1


@pytest.mark.parametrize("offset", [-1, True, 9_991, 1.0])
def test_offset_out_of_range_is_refused(corpus: MakeCorpus, offset: Any) -> None:
    with pytest.raises(ValueError, match="offset lies between 0 and 10000 less size"):
        search(corpus(1), size=10, offset=offset)


@pytest.mark.parametrize("shards", [1, 3])
def test_filter_holds_in_every_leg(corpus: MakeCorpus, shards: int) -> None:
    store = corpus(shards)
    clauses = [{"term": {"lang": "en"}}, {"range": {"number": {"lt": 60}}}]
    for fusion in (Fusion.AUTO, Fusion.CLIENT):
        hits = search(store, legs=THREE, fusion=fusion, filter=clauses, size=60, pagination_depth=60, explain=True)
        assert {hit.metadata["lang"] for hit in hits} == {"en"}
        assert max(hit.metadata["number"] for hit in hits) < 60
        nearest = [hit.id for hit in hits if hit.legs and "dense" in hit.legs]
        assert len(nearest) == 30, "the nearest are looked for among what the filter lets through"
        assert search(store, legs=THREE, fusion=fusion, filter={"term": {"lang": "xx"}}) == []


@pytest.mark.parametrize("shards", [1, 3])
def test_whatever_is_asked_for_besides_scores_stay_fused(corpus: MakeCorpus, shards: int) -> None:
    """A hybrid query within another one would give sums of raw scores, which are well above those of two ranks."""
    store, most = corpus(shards), 2 / 61
    for choices in (
        {"filter": {"term": {"lang": "en"}}},
        {"filter": {"term": {"lang": "en"}}, "explain": True, "offset": 3},
        {"collapse": "lang", "filter": {"exists": {"field": "lang"}}},
        {"min_score": 0.001, "filter": {"term": {"lang": "en"}}},
        {"two_phase": TwoPhase(), "filter": {"term": {"lang": "en"}}},
    ):
        hits = search(store, **choices)
        assert hits
        assert all(0 < hit.score <= most * (1 + 1e-6) for hit in hits), choices


def test_both_fusions_tell_score_and_rank_of_every_leg(corpus: MakeCorpus) -> None:
    store = corpus(1)
    query = QUERIES[0]
    rankings = exact_rankings(store, query)
    (bm25, sparse) = (scores(store.match_search(query, size=DEPTH)), scores(store.search(vector_of(query), size=DEPTH)))
    for fusion in (Fusion.SERVER, Fusion.CLIENT):
        for choices in ({}, {"weights": [0.3, 0.7]}):
            hits = search(store, fusion=fusion, explain=True, **choices)
            assert len(hits) == DEPTH
            for hit in hits:
                legs = {name: (leg.score, leg.rank) for name, leg in (hit.legs or {}).items() if leg.rank}
                expected = {}
                for name, own, ranking in zip(("bm25", "sparse"), (bm25, sparse), rankings, strict=True):
                    if hit.id in ranking:
                        expected[name] = (pytest.approx(own[hit.id], rel=1e-6), ranking.index(hit.id) + 1)
                assert legs == expected
                assert hit.matches is not None
    assert search(store)[0].legs is None


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("combination", list(Combination))
@pytest.mark.parametrize("normalization", [Normalization.MIN_MAX, Normalization.L2])
def test_normalised_scores_are_means_over_all_shards(
    corpus: MakeCorpus, shards: int, normalization: Normalization, combination: Combination
) -> None:
    store = corpus(shards)
    weights = [0.25, 0.75]
    deep = {"size": DOCUMENTS, "pagination_depth": DOCUMENTS}
    choices: dict[str, Any] = {"normalization": normalization, "combination": combination, "weights": weights}
    hits = search(store, explain=True, **choices, **deep)
    assert scores(hits) == scores(search(store, **choices, **deep)), "an explanation changes no score"
    assert hits.fusion == f"server {normalization} {combination}"
    raw = [
        scores(store.match_search(QUERIES[0], size=DOCUMENTS)),
        scores(store.search(vector_of(QUERIES[0]), size=DOCUMENTS)),
    ]
    scaled = [normalised(leg, normalization) for leg in raw]
    for hit in hits:
        parts = [leg.get(hit.id) for leg in scaled]
        assert hit.score == pytest.approx(mean(parts, weights, combination), rel=1e-5)
        legs = {name: (leg.score, leg.rank) for name, leg in (hit.legs or {}).items()}
        assert legs == {
            name: (leg[hit.id], list(leg).index(hit.id) + 1)
            for name, leg in zip(("bm25", "sparse"), raw, strict=True)
            if hit.id in leg
        }


@pytest.mark.parametrize("shards", [1, 3])
def test_ranks_under_normalisation_are_those_of_each_leg_s_own_search(corpus: MakeCorpus, shards: int) -> None:
    store = corpus(shards)
    condition = {"term": {"lang": "en"}}
    hits = search(store, size=7, offset=3, normalization="min_max", filter=condition, explain=True)
    plain = search(store, size=7, offset=3, normalization="min_max", filter=condition)
    assert [(hit.id, hit.score) for hit in hits] == [(hit.id, hit.score) for hit in plain]
    alone = {
        "bm25": store.match_search(QUERIES[0], size=DEPTH * shards, filter=condition),
        "sparse": store.search(vector_of(QUERIES[0]), size=DEPTH * shards, filter=condition),
    }
    for hit in hits:
        assert {name: (leg.score, leg.rank) for name, leg in (hit.legs or {}).items()} == {
            name: (one.score, rank)
            for name, found in alone.items()
            for rank, one in enumerate(found, 1)
            if one.id == hit.id
        }


def normalised(leg: dict[str, float], technique: Normalization) -> dict[str, float]:
    if technique is Normalization.L2:
        norm = sum(score**2 for score in leg.values()) ** 0.5
        return {key: score / norm for key, score in leg.items()}
    low, high = min(leg.values()), max(leg.values())
    return {key: (score - low) / (high - low) or 0.001 for key, score in leg.items()}


def mean(parts: list[float | None], weights: list[float], combination: Combination) -> float:
    """The server's means: the arithmetic one counts a leg that did not find the document as 0, the others leave it."""
    if combination is Combination.ARITHMETIC_MEAN:
        return sum((part or 0) * weight for part, weight in zip(parts, weights, strict=True)) / sum(weights)
    present = [(part, weight) for part, weight in zip(parts, weights, strict=True) if part]
    whole = sum(weight for _, weight in present)
    if combination is Combination.HARMONIC_MEAN:
        return whole / sum(weight / part for part, weight in present)
    product = 1.0
    for part, weight in present:
        product *= part ** (weight / whole)
    return product


def test_z_score_and_bounds_work_or_are_refused(corpus: MakeCorpus) -> None:
    store = corpus(1)
    ignore = Bound(mode=BoundMode.IGNORE)
    plain = search(store, normalization="min_max")
    middle = store.search(vector_of(QUERIES[0]), size=DEPTH)[DEPTH // 2].score
    asked: list[dict[str, Any]] = [
        {"normalization": "z_score"},
        {"normalization": "min_max", "lower_bounds": [Bound(mode=BoundMode.APPLY, score=0.5), ignore]},
        {"normalization": "min_max", "upper_bounds": [ignore, Bound(mode=BoundMode.CLIP, score=middle)]},
    ]
    for choices in asked:
        if store.server().at_least((3, 2, 0)):
            assert scores(search(store, **choices)) != scores(plain)
        else:
            with pytest.raises(UnsupportedServerError, match="OpenSearch 3"):
                search(store, **choices)


def test_min_score_holds_for_the_fused_score(corpus: MakeCorpus) -> None:
    store = corpus(1)
    everything = search(store, size=DEPTH, fusion=Fusion.CLIENT)
    least = everything[7].score
    expected = [hit.score for hit in everything if hit.score >= least]
    new = store.server().at_least((3, 5, 0))
    for fusion in (Fusion.AUTO, Fusion.CLIENT, *([Fusion.SERVER] if new else [])):
        assert [hit.score for hit in search(store, min_score=least - 1e-9, fusion=fusion)] == pytest.approx(expected)
    assert search(store, min_score=least).fusion == ("server rrf" if new else "client rrf")
    if not new:
        for choices in ({"fusion": Fusion.SERVER}, {"normalization": "min_max"}):
            with pytest.raises(UnsupportedServerError, match="min_score"):
                search(store, min_score=least, **choices)


@pytest.mark.parametrize("shards", [1, 3])
def test_collapse_finds_each_value_once(corpus: MakeCorpus, shards: int) -> None:
    store = corpus(shards)
    hits = search(store, collapse="lang")
    assert hits.fusion == ("server rrf" if store.server().at_least((3, 6, 0)) else "client rrf")
    for each in (hits, search(store, collapse="lang", fusion=Fusion.CLIENT)):
        assert sorted(hit.metadata["lang"] for hit in each) == ["en", "fr"]


@pytest.mark.parametrize("condition", [None, {"term": {"lang": "en"}}], ids=["processor", "rescore"])
@pytest.mark.parametrize("shards", [1, 3])
def test_two_phases_score_as_one_within_the_window(corpus: MakeCorpus, shards: int, condition: Any) -> None:
    store = corpus(shards)
    for query in QUERIES:
        vector = vector_of(query)
        exact = scores(store.search(vector, filter=condition, size=DOCUMENTS))
        wide = TwoPhase(prune_ratio=0.6, expansion_rate=DOCUMENTS / 10)
        hits = store.search(vector, filter=condition, options=SearchOptions(two_phase=wide))
        assert (hits.two_phase, hits.fusion) == (True, None)
        heavy, light = wide.split(SparseVector(vector))
        assert heavy
        assert light
        reached = store.search(heavy, filter=condition, size=DOCUMENTS)
        expected = sorted((exact[key] for key in ids(reached)), reverse=True)[:10]
        assert [hit.score for hit in hits] == pytest.approx(expected, rel=1e-6)


def test_narrow_window_loses_no_light_token_of_what_is_asked_for(corpus: MakeCorpus) -> None:
    store = corpus(1)
    vector = vector_of(QUERIES[0])
    exact = scores(store.search(vector, size=DOCUMENTS))
    narrow = SearchOptions(two_phase=TwoPhase(expansion_rate=1.0))
    for condition in (None, {"term": {"lang": "en"}}):
        hits = store.search(vector, filter=condition, options=narrow, explain=True)
        for hit in hits:
            assert hit.score == pytest.approx(exact[hit.id], rel=1e-6)
            assert sum(match.score for match in hit.matches or ()) == pytest.approx(hit.score, rel=1e-6)


def test_query_that_does_not_split_is_searched_at_once(corpus: MakeCorpus) -> None:
    store = corpus(1)
    everything_heavy = {"w1": 1.0, "w2": 1.0}
    assert store.search(everything_heavy, options=SearchOptions(two_phase=TwoPhase())).two_phase is False
    nothing_heavy = TwoPhase(prune_type="alpha_mass", prune_ratio=0.1)  # type: ignore[arg-type]
    hits = store.search(everything_heavy, options=SearchOptions(two_phase=nothing_heavy))
    assert (hits.two_phase, len(hits)) == (False, 10)
    with pytest.raises(ValueError, match="max_window_size"):
        store.search("w1", size=3000, options=SearchOptions(two_phase=TwoPhase()))


def test_two_phases_in_a_hybrid_are_the_client_s_and_say_so(corpus: MakeCorpus) -> None:
    store = corpus(1)
    wide = TwoPhase(prune_ratio=0.01, expansion_rate=10)
    plain = search(store, fusion=Fusion.CLIENT)
    for condition in (None, {"match_all": {}}):
        hits = search(store, two_phase=wide, filter=condition)
        assert (hits.fusion, hits.two_phase) == ("client rrf", False), "no token is light enough"
        assert scores(hits) == scores(plain)
        split = search(store, two_phase=TwoPhase(prune_ratio=0.9, expansion_rate=10), filter=condition)
        assert (split.fusion, split.two_phase) == ("client rrf", True)
    for choices in ({"fusion": Fusion.SERVER}, {"normalization": "l2"}):
        with pytest.raises(UnsupportedServerError, match="two-phase processor does not reach"):
            search(store, two_phase=wide, **choices)


@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
def test_long_queries_stay_within_the_server_s_clauses(corpus: MakeCorpus, fusion: Fusion) -> None:
    store = corpus(1)
    heavy = dict.fromkeys(WORDS, 5.0)
    vector = {f"t{number}": 0.5 for number in range(1500)} | heavy
    clauses = [{"range": {"number": {"gte": number - 1000}}} for number in range(20)]
    legs = (Bm25Leg(), SparseLeg(), SparseLeg(vector=vector, name="again"), DENSE)
    options = HybridOptions(legs=legs, fusion=fusion)
    text = "w1 w2 " + "other " * 1200
    hits = store.hybrid_search(text, vector=vector, filter=clauses, options=options)
    assert len(hits) == 10
    assert (hits.tokens_left_out > 1000, hits.words_left_out > 0) == (True, True)
    matched = store.match_search("w1 " + "other " * 2000)
    assert (len(matched), matched.words_left_out) == (10, 1001)
    assert store.search(vector, filter=clauses).tokens_left_out == 1560 - 980


@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
def test_words_of_filters_count_among_the_server_s_clauses(corpus: MakeCorpus, fusion: Fusion) -> None:
    store = corpus(1)
    vector = {f"t{number}": 0.5 for number in range(1500)} | dict.fromkeys(WORDS, 5.0)
    some = " ".join(["w1", "w2", *(f"word{number}" for number in range(60))])
    for text in (
        {"match": {"content": some}},
        {"multi_match": {"query": some, "fields": ["content", "lang"]}},
        {"bool": {"should": [{"query_string": {"query": some, "fields": ["content"]}}]}},
    ):
        assert len(store.search(vector, filter=text)) == 10
        options = HybridOptions(fusion=fusion)
        assert len(store.hybrid_search("w1 w2 w3", vector=vector, filter=text, options=options)) == 10


def test_two_phases_without_a_leg_that_has_them_are_refused(corpus: MakeCorpus) -> None:
    options = HybridOptions(legs=(Bm25Leg(), DENSE), two_phase=TwoPhase())
    with pytest.raises(ValueError, match="leave two_phase out"):
        corpus(1).hybrid_search("w1", options=options)


def test_embedder_and_several_fields_make_legs_of_their_own(make_store: MakeStore) -> None:
    schema = IndexSchema(
        embedding_dimension=2, metadata_fields={"title": {"type": "text"}, "title_vector": {"type": "rank_features"}}
    )
    store = make_store(schema=schema)
    store.create(settings={"number_of_shards": 1})
    rows = {"1": ("red", "one", [1.0, 0.0]), "2": ("blue", "two", [0.0, 1.0]), "3": ("green", "three", [1.0, 1.0])}
    store.write(
        {"id": key, "text": text, "embedding": near, "metadata": {"title": title, "title_vector": {title: 2.0}}}
        for key, (text, title, near) in rows.items()
    )
    legs = (
        Bm25Leg(),
        Bm25Leg(field="title", text="two", name="title"),
        SparseLeg(),
        SparseLeg(field="title_vector", vector={"three": 1.5}, name="title tokens"),
        DenseLeg(embedder=lambda text: [float(len(text)), 0.1]),
    )
    for fusion in (Fusion.SERVER, Fusion.CLIENT):
        found = {
            hit.id: {name for name, leg in (hit.legs or {}).items() if leg.rank == 1}
            for hit in store.hybrid_search("red", options=HybridOptions(legs=legs, fusion=fusion), explain=True)
        }
        assert found == {"1": {"bm25", "sparse", "dense"}, "2": {"title"}, "3": {"title tokens"}}


def test_leg_that_the_server_refuses_is_an_error_with_its_reason(corpus: MakeCorpus) -> None:
    store = corpus(1)
    legs = (Bm25Leg(), SparseLeg(field="content"))
    for fusion in (Fusion.SERVER, Fusion.CLIENT):
        with pytest.raises(ServerRequestError, match=r"400.*rank_features"):
            search(store, legs=legs, fusion=fusion)


@pytest.mark.parametrize("size", [5, DEPTH])
@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
def test_vectors_come_with_hits_only_where_they_are_wanted(corpus: MakeCorpus, fusion: Fusion, size: int) -> None:
    store = corpus(1)
    options = HybridOptions(fusion=fusion, pagination_depth=DEPTH)
    plain = store.hybrid_search("w1 w2", size=size, options=options)
    whole = store.hybrid_search("w1 w2", size=size, options=options, explain=True, with_embedding=True)
    assert ids(plain) == ids(whole)
    for one, other in zip(plain, whole, strict=True):
        assert {"sparse_vector", "embedding"}.isdisjoint(one.source)
        assert {"sparse_vector", "embedding"} <= set(other.source)
        assert one.source.items() <= other.source.items()
        assert (one.embedding, other.embedding) == (None, other.source["embedding"])
