"""How searches travel: timeouts, copies and shards that are asked, pages, and answers that are not whole."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from opensearchpy import OpenSearch

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Fusion,
    HybridOptions,
    NeuralSparseStore,
    Partial,
    PartialResultsError,
    PartialResultsWarning,
    RequestOptions,
    SearchHits,
    SearchOptions,
    ServerConnectionError,
    TwoPhase,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

Search = Callable[[NeuralSparseStore, RequestOptions], Any]
SEARCHES: dict[str, Search] = {
    "search": lambda store, way: store.search("mars", options=SearchOptions(request=way)),
    "many": lambda store, way: store.search_many(["mars", "planet"], options=SearchOptions(request=way)),
    "match": lambda store, way: store.match_search("mars", request=way),
    "hybrid": lambda store, way: store.hybrid_search("mars", options=HybridOptions(request=way)),
    "fused here": lambda store, way: store.hybrid_search(
        "mars", options=HybridOptions(request=way, fusion=Fusion.CLIENT)
    ),
    "custom": lambda store, way: store.custom_search(
        {"query": {"match": {"content": "$text"}}}, query="mars", request=way
    ),
}
MANY = ("many", "fused here")


@pytest.fixture
def filled(store: NeuralSparseStore) -> NeuralSparseStore:
    store.write({"id": str(n), "text": f"mars planet word{n}", "metadata": {"n": n}} for n in range(30))
    return store


@pytest.fixture(params=SEARCHES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def sent(store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes over the wire from here on: the parameters, the time to wait and the body of each request."""
    store.open()
    store.server()
    calls: list[dict[str, Any]] = []
    connection = store.client().transport.get_connection()
    perform = type(connection).perform_request

    def recorded(self: Any, method: str, url: str, params: Any = None, body: Any = None, **rest: Any) -> Any:
        calls.append({"url": url, "params": params, "timeout": rest.get("timeout"), "body": body})
        return perform(self, method, url, params, body, **rest)

    monkeypatch.setattr(type(connection), "perform_request", recorded)
    return calls


def test_timeout_copies_and_shards_reach_the_server(
    filled: NeuralSparseStore, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = sent(filled, monkeypatch)
    SEARCHES[name](filled, RequestOptions(timeout=17.5, preference="a word", routing="r1"))
    (call,) = calls
    assert call["timeout"] == 17.5
    target = {"preference": "a word", "routing": "r1"}
    if name in MANY:
        lines = [json.loads(line) for line in call["body"].strip().splitlines()]
        assert lines[0::2] == [target] * 2
        assert not call["params"]
    else:
        assert target.items() <= call["params"].items()
    SEARCHES[name](filled, RequestOptions())
    assert calls[1]["timeout"] is None
    assert b"preference" not in json.dumps(calls[1], default=str).encode()


def test_server_that_does_not_answer_in_time_is_an_error(
    filled: NeuralSparseStore, encoder: WordEncoder, name: str
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        OpenSearch(f"http://127.0.0.1:{mute.getsockname()[1]}") as client,
    ):
        store = NeuralSparseStore(filled.index, client=client, query_encoder=encoder)
        store._context.info, store._context.server = filled.open(), filled.server()
        with pytest.raises(ServerConnectionError, match="timed out"):
            SEARCHES[name](store, RequestOptions(timeout=0.05))


def test_routing_finds_the_documents_of_its_shard_alone(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 4})
    for word in "abcdefgh":
        body = {"content": "mars", "sparse_vector": {"mars": 1.0}, "id": word}
        store.client().index(index=store.index, id=word, body=body, params={"routing": word, "refresh": "true"})
    found = {word: store.search("mars", options=SearchOptions(request=RequestOptions(routing=word))) for word in "abcd"}
    assert all(word in {hit.id for hit in hits} for word, hits in found.items())
    assert min(len(hits) for hits in found.values()) < 8
    for word, hits in found.items():
        way = RequestOptions(routing=word)
        assert store.match_search("mars", request=way).total == hits.total
        assert store.search_many(["mars"], options=SearchOptions(request=way))[0].total == hits.total


def test_pages_of_every_kind_of_search_agree(filled: NeuralSparseStore) -> None:
    two_phase = SearchOptions(two_phase=TwoPhase(prune_ratio=0.9))
    searches: list[Callable[..., SearchHits]] = [
        lambda **page: filled.search("mars word3 word7", **page),
        lambda **page: filled.search_many(["mars word3 word7"], **page)[0],
        lambda **page: filled.match_search("mars word3 word7", **page),
        lambda **page: filled.search({"mars": 5.0, "word3": 1.0, "word7": 1.0}, options=two_phase, **page),
    ]
    for search in searches:
        whole = [(hit.id, hit.score) for hit in search(size=30)]
        assert len(whole) == 30
        pages = [(hit.id, hit.score) for start in range(0, 35, 7) for hit in search(size=7, offset=start)]
        assert pages == whole
        assert search(size=5, offset=100) == []
        with pytest.raises(ValueError, match="offset lies between 0 and"):
            search(size=5, offset=9_996)


@pytest.fixture
def halves(
    filled: NeuralSparseStore, client: Any, other_index: str, encoder: WordEncoder
) -> Iterator[NeuralSparseStore]:
    """A store over two indices, one of which cannot be searched: its field is no sparse one any more."""
    alias = f"{other_index}-alias"
    client.indices.put_alias(index=filled.index, name=alias)
    store = NeuralSparseStore(alias, client=client, query_encoder=encoder, document_encoder=encoder)
    store.open()
    client.indices.create(index=other_index, body={"mappings": {"properties": {"sparse_vector": {"type": "text"}}}})
    client.index(index=other_index, body={"sparse_vector": "x"}, refresh=True)
    client.indices.put_alias(index=other_index, name=alias)
    return store


@pytest.fixture
def failing() -> list[str]:
    """The searches that ask for the sparse field."""
    return ["search", "many", "hybrid", "fused here"]


def test_answer_that_is_not_whole_is_an_error_or_a_warning(halves: NeuralSparseStore, failing: list[str]) -> None:
    for name in failing:
        with pytest.raises(PartialResultsError, match=r"1 of \d shards did not answer"):
            SEARCHES[name](halves, RequestOptions())
        with pytest.warns(PartialResultsWarning, match="hits may be missing"):
            found = SEARCHES[name](halves, RequestOptions(partial=Partial.WARN))
        for hits in found if name == "many" else [found]:
            assert len(hits) == 10
            assert hits.partial
            assert "rank_features" in hits.failures[0]["reason"]["reason"]
    assert halves.match_search("mars").partial is False


@pytest_asyncio.fixture
async def twin(
    halves: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> AsyncIterator[AsyncNeuralSparseStore]:
    async with AsyncNeuralSparseStore(halves.index, url=server.url, query_encoder=encoder) as store:
        store._context.info = halves.open()
        yield store


async def test_asynchronous_store_travels_alike(twin: AsyncNeuralSparseStore) -> None:
    options = SearchOptions(request=RequestOptions(partial="warn", preference="x", timeout=30))  # type: ignore[arg-type]
    with pytest.warns(PartialResultsWarning):
        assert (await twin.search("mars", options=options)).partial
    with pytest.warns(PartialResultsWarning):
        assert all(hits.partial for hits in await twin.search_many(["mars", "planet"], options=options))
    with pytest.raises(PartialResultsError):
        await twin.search("mars")


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout is above 0"):
        RequestOptions(timeout=timeout)


def test_way_with_partial_answers_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="ignore"):
        RequestOptions(partial="ignore")  # type: ignore[arg-type]
