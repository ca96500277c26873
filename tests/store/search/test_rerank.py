"""Reranking on real servers: one request, the reranker's order, pages, and nothing lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from threading import current_thread, main_thread
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    ChunkOptions,
    Fusion,
    HybridOptions,
    HybridSearch,
    IndexSchema,
    NeuralSparseStore,
    Rerank,
    RerankBudgetWarning,
    RerankerError,
    RerankWarning,
    SearchHits,
    SearchOptions,
    SparseDocument,
    SparseSearch,
    UnsupportedServerError,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.rerankers import CountingReranker
from tests.store.conftest import MakeIndex, MakeStore

WORDS = [f"w{number}" for number in range(30)]
DOCUMENTS, DEPTH = 120, 40
QUERY = "w1 w2 w3"
Search = Callable[..., SearchHits]


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> str:
    """Texts of random words, each with a number of its own, by which the reranker scores it; some have no text."""
    chance = random.Random(5)
    places = chance.sample(range(DOCUMENTS), DOCUMENTS)
    documents = (
        SparseDocument(
            id=str(number),
            text=None if number % 10 == 3 else f"{' '.join(chance.choices(WORDS, k=20))} #{places[number]}",
            vector={word: chance.uniform(0.1, 3) for word in chance.sample(WORDS, 12)},
            metadata={"parent": f"p{number // 4}", "even": number % 2 == 0},
        )
        for number in range(DOCUMENTS)
    )
    return make_index(documents, shards=1)


@pytest.fixture
def store(make_store: MakeStore, index: str) -> NeuralSparseStore:
    return make_store(index=index)


@pytest.fixture(params=["sparse", "server-fused", "client-fused"])
def search(request: pytest.FixtureRequest, store: NeuralSparseStore) -> Search:
    """A sparse search, or a hybrid one of either fusion: `search(rerank=..., size=...)`."""

    def run(*, rerank: Any = None, **choices: Any) -> SearchHits:
        page = {name: choices.pop(name) for name in ("size", "offset", "explain", "filter") if name in choices}
        if request.param == "sparse":
            return store.search(QUERY, options=SearchOptions(rerank=rerank, **choices), **page)
        fusion = Fusion.CLIENT if request.param == "client-fused" else Fusion.SERVER
        return store.hybrid_search(QUERY, options=HybridOptions(rerank=rerank, fusion=fusion, **choices), **page)

    return run


def expected_order(before: SearchHits, depth: int = DEPTH) -> list[str]:
    """Return the ids by the numbers in their texts, then those without a text, then those below the depth."""
    best = before[:depth]
    read = sorted((hit for hit in best if hit.text), key=lambda hit: -float(str(hit.text).rpartition("#")[2]))
    return [hit.id for hit in [*read, *(hit for hit in best if not hit.text), *before[depth:]]]


def ids(hits: SearchHits) -> list[str]:
    return [hit.id for hit in hits]


def test_best_hits_are_in_the_reranker_s_order_and_pages_agree(search: Search) -> None:
    before, reranker = search(size=100), CountingReranker()
    rerank = Rerank(reranker, depth=DEPTH)
    after = search(size=100, rerank=rerank)
    assert ids(after) == expected_order(before)
    assert len({*ids(after)}) == len(before), "no hit is lost"
    assert after.total == before.total
    pages = [hit.id for start in range(0, 100, 7) for hit in search(size=7, offset=start, rerank=rerank)]
    assert pages[:100] == ids(after), "pages are cut from the reranked hits, and go on below the depth"
    assert {query for query, _ in reranker.calls} == {QUERY}


def test_scores_fall_and_say_where_they_come_from(search: Search) -> None:
    before = {hit.id: hit.score for hit in search(size=60)}
    after = search(size=60, rerank=Rerank(CountingReranker(), depth=DEPTH), explain=True)
    read = [hit for hit in after if hit.rerank_score is not None]
    assert after.reranked == len(read) == sum(bool(hit.text) for hit in after[:DEPTH])
    assert [hit.score for hit in read] == [hit.rerank_score for hit in read]
    assert [hit.score for hit in after] == sorted((hit.score for hit in after), reverse=True)
    assert {hit.id: hit.search_score for hit in after} == before
    assert "reranker: score" in after[0].explain()
    assert f"search: score {before[after[0].id]:.4f}" in after[0].explain()
    assert "reranker: not scored" in after[-1].explain()


def test_reranking_sends_no_further_request(
    search: Search, store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    search()
    transport, sent = store.client().transport, []
    perform = transport.perform_request

    def recorded(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        sent.append(url)
        return perform(method, url, *arguments, **options)

    monkeypatch.setattr(transport, "perform_request", recorded)
    search()
    without = len(sent)
    search(rerank=Rerank(CountingReranker(), depth=DEPTH))
    assert len(sent) == 2 * without


def test_page_below_the_depth_is_that_of_the_search(search: Search) -> None:
    reranker = CountingReranker()
    hits = search(size=5, offset=DEPTH, rerank=Rerank(reranker, depth=DEPTH))
    assert ids(hits) == ids(search(size=5, offset=DEPTH))
    assert (reranker.calls, hits.reranked) == ([], None)
    assert {hit.rerank_score for hit in hits} == {None}


def test_filter_holds_before_reranking(search: Search) -> None:
    even = {"filter": {"term": {"even": True}}}
    before = search(size=60, **even)
    after = search(size=60, rerank=Rerank(CountingReranker(), depth=DEPTH), **even)
    assert ids(after) == expected_order(before)
    assert after.total == before.total
    assert all(hit.metadata["even"] for hit in after)


def test_collapse_holds_before_reranking(search: Search) -> None:
    rerank = Rerank(CountingReranker(), depth=DEPTH)
    try:
        before = search(size=30, collapse="parent")
    except UnsupportedServerError:  # OpenSearch before 3.6 does not collapse what it fuses
        with pytest.raises(UnsupportedServerError, match="A collapsed hybrid search needs OpenSearch"):
            search(size=30, collapse="parent", rerank=rerank)
        return
    after = search(size=30, collapse="parent", rerank=rerank)
    assert ids(after) == expected_order(before)
    assert after.total == before.total
    parents = [hit.metadata["parent"] for hit in after]
    assert len(set(parents)) == len(parents)


def test_equal_scores_keep_the_order_of_the_search(search: Search) -> None:
    before = [hit.id for hit in search(size=DEPTH) if hit.text]
    after = search(size=DEPTH, rerank=Rerank(lambda _query, texts: [1.0] * len(texts), depth=DEPTH))
    assert [hit.id for hit in after if hit.text] == before


def test_budget_scores_the_first_batches_and_warns(search: Search) -> None:
    def slow(query: str, texts: Sequence[str]) -> list[float]:
        time.sleep(0.1)
        return CountingReranker().score(query, texts)

    before = search(size=DEPTH)
    read = [hit for hit in before if hit.text]
    with pytest.warns(RerankBudgetWarning, match=f"Of {len(read)} hits, 8 were reranked within 0.05 s"):
        after = search(size=DEPTH, rerank=Rerank(slow, depth=DEPTH, batch_size=8, budget_s=0.05))
    scored = [hit.id for hit in after if hit.rerank_score is not None]
    assert after.reranked == len(scored) == 8
    assert {*scored} == {hit.id for hit in read[:8]}
    assert ids(after)[8:] == [hit.id for hit in before if hit.id not in scored]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda texts: [1.0] * (len(texts) - 1), "scores for"),
        (lambda texts: [float("nan")] * len(texts), "returned nan"),
        (lambda texts: [float("inf")] * len(texts), "returned inf"),
        (lambda _texts: None, "returned NoneType"),
        (lambda texts: [texts[0].missing], "failed with AttributeError"),
    ],
    ids=["too-few", "nan", "inf", "none", "raises"],
)
def test_failing_reranker_is_named_or_leaves_the_order(search: Search, answer: Any, problem: str) -> None:
    def broken(_query: str, texts: Sequence[str]) -> Any:
        return answer(texts)

    with pytest.raises(RerankerError, match=f"Reranker .*broken .*{problem}") as failure:
        search(rerank=Rerank(broken, depth=DEPTH))
    assert "w1" not in str(failure.value), "no text is in a message"
    with pytest.warns(RerankWarning, match=problem):
        kept = search(rerank=Rerank(broken, depth=DEPTH, on_error="keep"))
    assert ids(kept) == ids(search())
    assert (kept.reranked, kept[0].search_score) == (None, None)


def test_several_queries_are_reranked_each_by_its_own_text(store: NeuralSparseStore) -> None:
    reranker, queries = CountingReranker(), [QUERY, "w4 w5", "nothing"]
    found = store.search_many(queries, size=10, options=SearchOptions(rerank=Rerank(reranker, depth=DEPTH)))
    alone = [store.search(query, size=DEPTH) for query in queries]
    assert [ids(hits) for hits in found] == [expected_order(hits)[:10] for hits in alone]
    assert [query for query, _ in reranker.calls] == ["w1 w2 w3"] * 2 + ["w4 w5"] * 2
    assert found[2].reranked == 0


def test_words_alone_are_reranked(store: NeuralSparseStore) -> None:
    before = store.match_search(QUERY, size=DEPTH)
    assert ids(store.match_search(QUERY, rerank=Rerank(CountingReranker(), depth=DEPTH))) == expected_order(before)[:10]


def test_token_weights_need_a_text_for_the_reranker(store: NeuralSparseStore) -> None:
    reranker, weights = CountingReranker(), {"w1": 2.0, "w2": 1.0}
    with pytest.raises(ValueError, match=r"token weights have none: Rerank\(query=\.\.\.\)"):
        SparseSearch(weights, options=SearchOptions(rerank=Rerank(reranker)))
    with pytest.raises(ValueError, match="token weights have none"):
        HybridSearch(" ", vector=weights, options=HybridOptions(rerank=Rerank(reranker)))
    with pytest.raises(ValueError, match="token weights have none"):
        store.search_many([weights], options=SearchOptions(rerank=Rerank(reranker)))
    options = SearchOptions(rerank=Rerank(reranker, depth=DEPTH, query="what is w1?"))
    assert ids(store.search(weights, options=options)) == expected_order(store.search(weights, size=DEPTH))[:10]
    assert reranker.calls[0][0] == "what is w1?"


def test_event_loop_is_not_held_by_a_reranker(server: RunningServer, index: str, encoder: WordEncoder) -> None:
    reranker = CountingReranker()

    async def run() -> tuple[SearchHits, SearchHits, int]:
        encoders = {"query_encoder": encoder, "document_encoder": encoder}
        async with AsyncNeuralSparseStore(index, url=server.url, **encoders) as store:
            before = await store.hybrid_search(QUERY, size=DEPTH)
            ticks = 0

            def slow(query: str, texts: Sequence[str]) -> list[float]:
                time.sleep(0.3)
                return reranker.score(query, texts)

            options = HybridOptions(rerank=Rerank(slow, depth=DEPTH, batch_size=DEPTH))
            task = asyncio.create_task(store.hybrid_search(QUERY, options=options))
            while not task.done():
                await asyncio.sleep(0.01)
                ticks += 1
            return before, task.result(), ticks

    before, after, ticks = asyncio.run(run())
    assert ids(after) == expected_order(before)[:10]
    assert current_thread() is main_thread()
    assert "MainThread" not in reranker.threads
    assert ticks > 5


def test_reranker_reads_the_chunk_that_was_found(make_store: MakeStore) -> None:
    texts = {"1": "one two three mars #1 planet red w9 #2", "2": "mars one two #9 six five four #0", "3": "ten #5"}
    schema = IndexSchema(chunking=ChunkOptions(tokens=4, overlap=0))
    chunked = make_store(schema=schema)
    chunked.create()
    chunked.write([{"id": name, "text": text} for name, text in texts.items()])
    seen: list[str] = []

    def length(_query: str, read: Sequence[str]) -> list[float]:
        seen.extend(read)
        return [float(len(text)) for text in read]

    for find in (
        lambda **given: chunked.search("mars", options=SearchOptions(**given)),
        lambda **given: chunked.hybrid_search("mars", options=HybridOptions(**given)),
    ):
        before = find()
        seen.clear()
        after = find(rerank=Rerank(length))
        assert seen == [hit.chunk.text for hit in before if hit.chunk is not None]
        assert all(len(text) < len(texts[hit.id]) for text, hit in zip(seen, before, strict=True))
        assert ids(after) == [hit.id for hit in sorted(before, key=lambda hit: -len(str(hit.chunk and hit.chunk.text)))]


def test_depth_beyond_what_is_fused_is_refused() -> None:
    with pytest.raises(ValueError, match=r"depth of rerank is at most pagination_depth \(20\), got 50"):
        HybridOptions(pagination_depth=20, rerank=Rerank(CountingReranker()))
    with pytest.raises(TypeError, match="rerank is a Rerank or None, got CountingReranker"):
        SearchOptions(rerank=CountingReranker())  # type: ignore[arg-type]
