"""Boosts on real servers: scores computed here from the unboosted ones."""

from __future__ import annotations

import math
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    CustomSearch,
    FieldBoost,
    HybridOptions,
    MatchSearch,
    NeuralSparseStore,
    RecencyBoost,
    SearchOptions,
    SparseDocument,
    TwoPhase,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeIndex, MakeStore

WORDS = [f"w{number}" for number in range(20)]
VECTOR = {"w3": 3.0, "w4": 2.0, "w5": 0.5, "w6": 0.25}
TEXT = "w1 w2"
DOCUMENTS = 80
ORIGIN = date(2026, 6, 1)
RECENT = RecencyBoost(field="day", scale="30d", decay=0.4, weight=2.0, origin=ORIGIN.isoformat())
POPULAR = FieldBoost(field="likes", factor=0.5, modifier="ln1p", weight=1.5, mode="add")


def rows() -> list[SparseDocument]:
    chance = random.Random(5)
    made = []
    for number in range(DOCUMENTS):
        metadata: dict[str, Any] = {"number": number}
        if number % 3:
            metadata["day"] = (ORIGIN - timedelta(days=chance.randint(-20, 200))).isoformat()
        if number % 4:
            metadata["likes"] = chance.randint(-3, 60)
        text = " ".join(chance.choices(WORDS, k=8))
        vector = {word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 8)}
        made.append(SparseDocument(id=str(number), text=text, vector=vector, metadata=metadata))
    return made


ALL = {row.id: row for row in rows()}


def recency(key: str) -> float:
    day = ALL[key].metadata.get("day")
    return 0.0 if day is None else 0.4 ** (abs((date.fromisoformat(day) - ORIGIN).days) / 30)


def popularity(key: str) -> float:
    likes = ALL[key].metadata.get("likes")
    return 0.0 if likes is None or likes < 0 else math.log1p(0.5 * likes)


def expected(key: str, score: float) -> float:
    """What RECENT and then POPULAR make of a score."""
    return score * (1 + 2.0 * recency(key)) + 1.5 * popularity(key)


@pytest.fixture(scope="module", params=[1, 3], ids=["one-shard", "three-shards"])
def index(make_index: MakeIndex, request: pytest.FixtureRequest) -> str:
    return make_index(ALL.values(), shards=request.param)


@pytest.fixture
def corpus(make_store: MakeStore, index: str) -> NeuralSparseStore:
    """A store to be searched only."""
    return make_store(index=index)


BOTH = SearchOptions(boosts=[RECENT, POPULAR])


@pytest.mark.parametrize("condition", [None, {"range": {"number": {"gte": 30}}}], ids=["all", "filtered"])
async def test_scores_are_boosted_and_documents_without_the_field_keep_theirs(
    corpus: NeuralSparseStore, condition: Any, server: RunningServer, encoder: WordEncoder
) -> None:
    plain = corpus.search(VECTOR, size=DOCUMENTS, filter=condition)
    hits = corpus.search(VECTOR, size=DOCUMENTS, filter=condition, options=BOTH, explain=True)
    wanted = {hit.id: expected(hit.id, hit.score) for hit in plain}
    assert {hit.id: hit.score for hit in hits} == pytest.approx(wanted, rel=1e-5)
    assert [hit.id for hit in hits] == sorted(wanted, key=lambda key: -wanted[key]) != [hit.id for hit in plain]
    before = {hit.id: sum(match.score for match in hit.matches or ()) for hit in hits}
    assert before == pytest.approx({hit.id: hit.score for hit in plain}, rel=1e-5), "matches are of the query alone"
    untouched = [hit for hit in hits if not recency(hit.id) and not popularity(hit.id)]
    assert untouched
    assert all(hit.score == pytest.approx(before[hit.id], rel=1e-5) for hit in untouched)
    async with AsyncNeuralSparseStore(corpus.index, url=server.url, query_encoder=encoder) as store:
        awaited = await store.search(VECTOR, size=DOCUMENTS, filter=condition, options=BOTH)
    assert [(hit.id, hit.score) for hit in awaited] == [(hit.id, hit.score) for hit in hits]


@pytest.mark.parametrize("boosts", [[RECENT, POPULAR], [POPULAR, RECENT]], ids=["multiply-add", "add-multiply"])
def test_two_phases_score_boosted_as_one_within_the_window(corpus: NeuralSparseStore, boosts: Any) -> None:
    phases = TwoPhase(prune_ratio=0.4, expansion_rate=DOCUMENTS)
    once = corpus.search(VECTOR, size=DOCUMENTS, options=SearchOptions(boosts=boosts))
    hits = corpus.search(VECTOR, size=50, options=SearchOptions(boosts=boosts, two_phase=phases))
    assert hits.two_phase
    exact = {hit.id: hit.score for hit in once}
    assert {hit.id: hit.score for hit in hits} == pytest.approx({hit.id: exact[hit.id] for hit in hits}, rel=1e-5)


@pytest.mark.parametrize("choices", [{}, {"fusion": "client"}, {"normalization": "min_max"}], ids=str)
def test_each_leg_of_a_hybrid_search_is_boosted_before_the_fusion(
    corpus: NeuralSparseStore, choices: dict[str, Any]
) -> None:
    options = HybridOptions(boosts=[RECENT, POPULAR], pagination_depth=DOCUMENTS, **choices)
    hits = corpus.hybrid_search(TEXT, vector=VECTOR, size=20, options=options, explain=True)
    legs = {
        "bm25": {hit.id: expected(hit.id, hit.score) for hit in corpus.match_search(TEXT, size=DOCUMENTS)},
        "sparse": {hit.id: expected(hit.id, hit.score) for hit in corpus.search(VECTOR, size=DOCUMENTS)},
    }
    for hit in hits:
        found = hit.legs or {}
        assert {name: leg.score for name, leg in found.items()} == pytest.approx(
            {name: scores[hit.id] for name, scores in legs.items() if hit.id in scores}, rel=1e-5
        )
        for name, leg in found.items():
            own = legs[name][hit.id]
            above = sum(score > own * (1 + 1e-6) for score in legs[name].values())
            least = sum(score >= own * (1 - 1e-6) for score in legs[name].values())
            assert above < (leg.rank or 0) <= least, "equal scores rank in any order"
        if not options.normalization:
            assert hit.score == pytest.approx(sum(1 / (60 + (leg.rank or 0)) for leg in found.values()), rel=1e-6)


@pytest.mark.parametrize("modifier", ["none", "log1p", "ln1p", "sqrt", "square"])
def test_modifiers_are_the_server_s(corpus: NeuralSparseStore, modifier: Any) -> None:
    functions = {"none": float, "log1p": lambda x: math.log10(1 + x), "ln1p": math.log1p, "sqrt": math.sqrt}
    function: Any = functions.get(modifier, lambda x: x * x)
    boost = FieldBoost(field="likes", factor=2.0, modifier=modifier, weight=0.5)
    plain = {hit.id: hit.score for hit in corpus.search(VECTOR, size=DOCUMENTS)}
    hits = corpus.search(VECTOR, size=DOCUMENTS, options=SearchOptions(boosts=[boost]))
    likes = {key: ALL[key].metadata.get("likes", -1) for key in plain}
    wanted = {k: s * (1 + (0.5 * function(2.0 * likes[k]) if likes[k] >= 0 else 0)) for k, s in plain.items()}
    assert {hit.id: hit.score for hit in hits} == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("curve", ["exp", "gauss", "linear"])
def test_curves_fall_to_the_decay_at_the_scale(make_store: MakeStore, curve: Any) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    now = datetime.now(UTC)
    ages = {"new": 0, "scale": 10}
    store.write(
        {"id": key, "text": "x", "vector": {"red": 1.0}, "metadata": {"day": (now - timedelta(days=age)).isoformat()}}
        for key, age in ages.items()
    )
    boost = RecencyBoost(field="day", scale="10d", decay=0.3, curve=curve)
    hits = store.search({"red": 1.0}, options=SearchOptions(boosts=[boost]))
    assert {hit.id: hit.score for hit in hits} == pytest.approx({"new": 2.0, "scale": 1.3}, abs=1e-2)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: RecencyBoost(field="d", scale="a month"), "scale is a time such as '30d'"),
        (lambda: RecencyBoost(field="d", scale="30d", decay=1.0), "decay lies between 0 and 1"),
        (lambda: RecencyBoost(field="d", scale="30d", weight=0), "weight is a finite number above 0"),
        (lambda: FieldBoost(field="n", factor=math.inf), "factor is a finite number above 0"),
        (lambda: FieldBoost(field="n", modifier="cube"), "cube"),  # type: ignore[arg-type]
        (lambda: SearchOptions(boosts=[{"field": "n"}]), "A boost is a RecencyBoost or FieldBoost, got dict"),  # type: ignore[list-item]
        (lambda: HybridOptions(boosts=POPULAR), "boosts is a list"),  # type: ignore[arg-type]
        (lambda: MatchSearch("x", boosts=POPULAR), "boosts is a list"),  # type: ignore[arg-type]
        (lambda: FieldBoost(field=""), "names a field"),
        (lambda: CustomSearch({"query": {"hybrid": {"queries": []}}}, boosts=[POPULAR]), "boosts each leg"),
    ],
)
def test_boosts_that_no_server_takes_are_refused(make: Any, reason: str) -> None:
    with pytest.raises((TypeError, ValueError), match=reason):
        make()


async def test_words_a_body_and_many_queries_are_boosted_blocking_and_awaited(
    corpus: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> None:
    boosts, condition = [RECENT, POPULAR], {"range": {"number": {"gte": 20}}}
    everything: dict[str, Any] = {"query": {"bool": {"filter": "$filters"}}, "size": DOCUMENTS}
    sparse: dict[str, Any] = {"query": {"bool": {"must": "$sparse", "filter": "$filters"}}, "size": DOCUMENTS}
    page: dict[str, Any] = {"size": DOCUMENTS, "filter": condition}
    async with AsyncNeuralSparseStore(corpus.index, url=server.url, query_encoder=encoder) as store:
        pairs = [
            (corpus.match_search(TEXT, boosts=boosts, **page), await store.match_search(TEXT, boosts=boosts, **page)),
            (
                corpus.custom_search(sparse, query=VECTOR, filter=condition, boosts=boosts),
                await store.custom_search(sparse, query=VECTOR, filter=condition, boosts=boosts),
            ),
            (
                corpus.custom_search({"size": DOCUMENTS}, boosts=boosts),
                await store.custom_search({"size": DOCUMENTS}, boosts=boosts),
            ),
            (
                corpus.search_many([VECTOR, {"w9": 1.0}], options=BOTH, **page)[1],
                (await store.search_many([VECTOR, {"w9": 1.0}], options=BOTH, **page))[1],
            ),
        ]
    plain = [
        corpus.match_search(TEXT, **page),
        corpus.custom_search(sparse, query=VECTOR, filter=condition),
        corpus.custom_search({"size": DOCUMENTS}),
        corpus.search({"w9": 1.0}, **page),
    ]
    for (hits, awaited), before in zip(pairs, plain, strict=True):
        wanted = {hit.id: expected(hit.id, hit.score) for hit in before}
        assert {hit.id: hit.score for hit in hits} == pytest.approx(wanted, rel=1e-5)
        assert [hit.id for hit in hits] != [hit.id for hit in before], "the boosts change the order"
        assert [(hit.id, hit.score) for hit in awaited] == [(hit.id, hit.score) for hit in hits]
    assert len(corpus.custom_search(everything, filter=condition, boosts=boosts)) == DOCUMENTS - 20


def test_pages_of_a_boosted_search_continue_one_another(corpus: NeuralSparseStore) -> None:
    whole = [hit.id for hit in corpus.search(VECTOR, size=40, options=BOTH)]
    pages = [corpus.search(VECTOR, size=10, offset=offset, options=BOTH) for offset in range(0, 40, 10)]
    assert [hit.id for page in pages for hit in page] == whole
    words = corpus.match_search(TEXT, size=20, boosts=[RECENT, POPULAR])
    parts = [corpus.match_search(TEXT, size=10, offset=offset, boosts=[RECENT, POPULAR]) for offset in (0, 10)]
    assert [hit.score for part in parts for hit in part] == [hit.score for hit in words]
