"""One name over indices of several models, and names that come to lead to another model."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    BulkWriteError,
    ChunkOptions,
    HybridOptions,
    IndexNotBoundError,
    IndexSchema,
    IndexSchemaError,
    ModelMismatchError,
    NeuralSparseStore,
    SearchHits,
    SearchOptions,
    SparseDocument,
    SparseLeg,
    register_model,
    resolve_files,
)
from opensearch_neural_sparse.index.binding.model_binding import write_bindings
from opensearch_neural_sparse.index.mapping import add_field_body
from opensearch_neural_sparse.models import registry
from opensearch_neural_sparse.search.fusion.rrf import fuse, rrf_term, shortest
from opensearch_neural_sparse.store.bulk.index_guard import CHECK_INTERVAL
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.paths import SMALL_MODEL
from tests.store.conftest import wait_for_document
from tests.toy import write_doc_only

ONE_SHARD = {"number_of_shards": 1}
RED = {"red": 2.0, "planet": 1.0}


@dataclass
class Pair:
    """Two indices of two models, `<prefix>-small` and `<prefix>-toy`, and a name over both."""

    client: Any
    prefix: str
    toy: Path

    def store(self, name: str, **arguments: Any) -> NeuralSparseStore:
        return NeuralSparseStore(f"{self.prefix}-{name}", client=self.client, **arguments)

    def make(self, name: str, model: Path, documents: int = 3) -> NeuralSparseStore:
        store = self.store(name, document_encoder=WordEncoder(resolve_files(registry.get_model(model))))
        store.create(settings=ONE_SHARD)
        marker = store.open().binding.marker  # type: ignore[union-attr]
        weights = [{"red": float(documents - n), "planet": 1.0} for n in range(documents)]
        store.write(
            SparseDocument(id=f"{n}", text="red planet", metadata={"n": n}, vector=vector, model=marker)
            for n, vector in enumerate(weights)
        )
        return store

    def point(self, alias: str, to: str, away_from: str | None = None) -> str:
        name = f"{self.prefix}-{alias}"
        actions = [{"add": {"index": f"{self.prefix}-{to}", "alias": name}}]
        if away_from is not None:
            actions.append({"remove": {"index": f"{self.prefix}-{away_from}", "alias": name}})
        self.client.indices.update_aliases(body={"actions": actions})
        return name


@pytest.fixture
def pair(client: Any, tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(client, f"test-{uuid.uuid4().hex}", write_doc_only(tmp_path / "toy-en"))
    register_model(SMALL_MODEL, name=SMALL_MODEL.name)
    register_model(pair.toy, name="toy-en")
    pair.make("small", SMALL_MODEL)
    pair.make("toy", pair.toy)
    yield pair
    client.indices.delete(index=f"{pair.prefix}-*", ignore_unavailable=True)


@pytest.fixture
def requests(client: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    perform = client.transport.perform_request

    def recorded(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        sent.append(url.rpartition("/")[2])
        return perform(method, url, *arguments, **options)

    monkeypatch.setattr(client.transport, "perform_request", recorded)
    return sent


def test_every_model_s_indices_are_searched_by_their_own_in_one_request(pair: Pair, requests: list[str]) -> None:
    store = pair.store("*")
    store.open()
    store.server()
    requests.clear()
    hits = store.search("red planet", size=4)
    assert requests == ["_msearch"]
    assert hits.fusion == "client rrf of 2 models"
    assert [hit.id for hit in hits] == ["0", "0", "1", "1"]
    assert {hit.index for hit in hits} == {f"{pair.prefix}-small", f"{pair.prefix}-toy"}
    assert {hit.model.partition("@")[0] for hit in hits if hit.model} == {SMALL_MODEL.name, "toy-en"}
    assert [hit.score for hit in hits] == [shortest(rrf_term(rank)) for rank in (1, 1, 2, 2)]
    assert (hits.total, hits.total_is_exact) == (6, True)
    alone = [pair.store(name).search("red planet") for name in ("small", "toy")]
    assert [[hit.id for hit in part] for part in alone] == [["0", "1", "2"]] * 2


def test_filters_pages_and_explanations_hold_over_all(pair: Pair) -> None:
    store = pair.store("*")
    whole = store.search("red planet", size=6)
    assert [store.search("red planet", size=2, offset=start) for start in (0, 2, 4, 6)] == [
        whole[:2],
        whole[2:4],
        whole[4:],
        [],
    ]
    late = store.search("red planet", filter={"range": {"n": {"gte": 2}}}, explain=True)
    assert [hit.metadata["n"] for hit in late] == [2, 2]
    assert [{match.token for match in hit.matches or ()} for hit in late] == [{"red", "planet"}] * 2


def test_hybrid_and_many_searches_and_words_go_over_all(pair: Pair, requests: list[str]) -> None:
    store = pair.store("*")
    requests.clear()
    hybrid = store.hybrid_search("red planet", size=4, explain=True)
    assert requests.count("_msearch") == 1
    assert hybrid.fusion == "client rrf, client rrf of 2 models"
    assert {hit.index for hit in hybrid} == {f"{pair.prefix}-small", f"{pair.prefix}-toy"}
    assert all(set(hit.legs or ()) == {"bm25", "sparse"} for hit in hybrid)
    pages = [store.hybrid_search("red planet", size=3, offset=start) for start in (0, 3)]
    assert [*pages[0], *pages[1]] == list(store.hybrid_search("red planet", size=6))
    requests.clear()
    many = store.search_many(["red planet", "", "planet"], size=2)
    assert [len(found) for found in many] == [2, 0, 2]
    assert requests == ["_msearch"]
    assert len(store.match_search("planet")) == 6
    assert store.count() == 6


def test_what_one_model_alone_can_answer_is_refused(pair: Pair) -> None:
    store = pair.store("*")
    for operation in (
        lambda: store.search(RED),
        lambda: store.write(["text"]),
        lambda: store.delete(["0"]),
        lambda: store.update_metadata({"0": {"n": 1}}),
        lambda: store.encode_query("red"),
    ):
        with pytest.raises(ModelMismatchError, match="belong to different models") as error:
            operation()
        assert SMALL_MODEL.name in str(error.value)
        assert "'toy-en'" in str(error.value)
    with pytest.raises(ModelMismatchError, match=r"Model 'toy-en' does not fit all of them"):
        pair.store("*", model=pair.toy).open()
    with pytest.raises(ValueError, match="cannot be collapsed"):
        store.search("red", options=SearchOptions(collapse="n"))
    with pytest.raises(ValueError, match="cannot be collapsed"):
        store.hybrid_search("red", options=HybridOptions(collapse="n"))


@pytest.mark.parametrize("leg", [SparseLeg(vector=RED), SparseLeg(field="other")], ids=["vector", "further-field"])
def test_a_leg_of_one_model_is_refused_over_several(pair: Pair, leg: SparseLeg) -> None:
    index, toy = f"{pair.prefix}-small", pair.store("toy").open().binding
    assert toy is not None
    meta = pair.client.indices.get_mapping(index=index)[index]["mappings"]["_meta"]
    body = {"properties": add_field_body("other"), "_meta": write_bindings({"other": toy}, meta)}
    pair.client.indices.put_mapping(index=index, body=body)
    options = HybridOptions(legs=(Bm25Leg(), leg))
    with pytest.raises(ModelMismatchError, match="belong to different models"):
        pair.store("*").hybrid_search("red", options=options)


def test_index_without_a_stamp_or_without_the_field_is_named(pair: Pair) -> None:
    bare, lacking = f"{pair.prefix}-bare", f"{pair.prefix}-lacking"
    pair.client.indices.create(
        index=bare, body={"mappings": {"properties": {"sparse_vector": {"type": "rank_features"}}}}
    )
    with pytest.raises(IndexNotBoundError, match=bare):
        pair.store("*").open()
    with pytest.raises(IndexNotBoundError, match=bare):
        pair.store("toy,*-bare").search("red")
    assert len(pair.store("toy,*-bare", model=pair.toy).search("red planet")) == 3
    pair.client.indices.delete(index=bare)
    pair.client.indices.create(index=lacking)
    with pytest.raises(IndexSchemaError, match=f"{lacking}.* has no sparse field"):
        pair.store("*").search("red")


def test_several_indices_of_one_model_are_written_to_by_a_write_index_alone(pair: Pair) -> None:
    pair.make("toy2", pair.toy)
    pair.point("both", "toy")
    name = pair.point("both", "toy2")
    both = pair.store("both", document_encoder=WordEncoder(resolve_files(registry.get_model(pair.toy))))
    assert len(both.search("red planet")) == 6
    with pytest.raises(IndexSchemaError, match="none is its write index"):
        both.write(["red"])
    add = {"index": f"{pair.prefix}-toy2", "alias": name, "is_write_index": True}
    pair.client.indices.update_aliases(body={"actions": [{"add": add}]})
    both.close()
    both.write([{"id": "new", "text": "red"}])
    assert pair.client.exists(index=f"{pair.prefix}-toy2", id="new")


def test_index_that_joins_the_pattern_is_searched_too(pair: Pair) -> None:
    store = pair.store("*")
    assert len(store.search("red planet", size=20)) == 6
    pair.make("another", pair.toy)
    assert len(store.search("red planet", size=20)) == 9
    pair.client.indices.delete(index=f"{pair.prefix}-another")
    assert len(store.search("red planet", size=20)) == 6


@pytest.mark.parametrize(
    "search",
    [
        lambda store: store.search("red planet"),
        lambda store: store.hybrid_search("red planet"),
        lambda store: store.search_many(["red planet"])[0],
    ],
)
def test_search_after_the_alias_moved_is_made_anew_by_the_new_model(
    pair: Pair, search: Callable[[NeuralSparseStore], Any]
) -> None:
    name = pair.point("live", "small")
    store = pair.store("live")
    assert search(store)[0].index == f"{pair.prefix}-small"
    assert store.model_id == SMALL_MODEL.name
    pair.point("live", "toy", away_from="small")
    assert search(store) == search(NeuralSparseStore(name, client=pair.client))
    assert store.model_id == "toy-en"


def test_profile_shows_the_search_of_each_model_and_the_look_for_others(pair: Pair) -> None:
    hits = pair.store("*").search("red planet", size=4, options=SearchOptions(profile=True))
    assert hits.profile is not None
    assert (hits.profile.fusion, hits.profile.fusion_reason) == (hits.fusion, hits.fusion_reason)
    *found, others = hits.profile.searches
    assert {search.index for search in found} == {f"{pair.prefix}-small", f"{pair.prefix}-toy"}
    assert {search.legs for search in found} == {("sparse",)}
    again = [
        [(hit["_index"], hit["_id"]) for hit in pair.client.search(index=one.index, body=one.body)["hits"]["hits"]]
        for one in found
    ]
    assert [key for key, _ in fuse(again)[:4]] == [(hit.index, hit.id) for hit in hits]
    assert (others.purpose, others.index) == ("other indices", f"{pair.prefix}-*")
    assert pair.client.search(index=others.index, body=others.body)["hits"]["hits"] == []


def test_profile_shows_every_leg_of_every_model_for_each_query_alone(pair: Pair) -> None:
    store, aggregations = pair.store("*"), {"most": {"max": {"field": "n"}}}
    options = HybridOptions(profile=True, aggregations=aggregations)
    profile = store.hybrid_search("red planet", options=options).profile
    assert profile is not None
    assert [(one.purpose, one.legs) for one in profile.searches] == [
        *[("hits", ("bm25",)), ("hits", ("sparse",))] * 2,
        ("aggregations", ()),
        ("other indices", ()),
    ]
    wanted = SearchOptions(profile=True, aggregations=aggregations)
    many = store.search_many(["red", "", "planet"], options=wanted)
    words = [str([one.body for one in hits.profile.searches]) for hits in many if hits.profile is not None]
    assert [("red" in text, "planet" in text) for text in words] == [(True, False), (False, False), (False, True)]
    purposes = [[one.purpose for one in hits.profile.searches] for hits in many if hits.profile is not None]
    assert purposes[0] == purposes[2] == ["hits", "hits", "aggregations", "other indices"]
    assert purposes[1] == ["other indices"]


@pytest.mark.parametrize("kind", ["sparse", "hybrid", "many"])
def test_profile_shows_the_search_that_was_sent_again_after_the_alias_moved(pair: Pair, kind: str) -> None:
    def search() -> SearchHits:
        if kind == "hybrid":
            return store.hybrid_search("red planet", options=HybridOptions(profile=True, normalization="l2"))
        options = SearchOptions(profile=True)
        if kind == "many":
            return store.search_many(["red planet", "red"], options=options)[0]
        return store.search("red planet", options=options)

    pair.point("live", "small")
    store = pair.store("live")
    still = search().profile
    assert still is not None
    assert [request.used for request in still.requests] == [True]
    pair.point("live", "toy", away_from="small")
    hits = search()
    profile = hits.profile
    assert profile is not None
    assert [request.used for request in profile.requests] == [False, True]
    first, second = profile.requests
    assert profile.searches == second.searches
    assert first.searches[0].body != second.searches[0].body
    (sent,) = profile.searches
    response = pair.client.search(index=sent.index, params=dict(sent.params), body=sent.body)
    assert [(hit["_index"], hit["_id"]) for hit in response["hits"]["hits"]] == [(hit.index, hit.id) for hit in hits]
    assert sum(request.answer_ms or 0 for request in profile.requests) < profile.total_ms


def test_profile_shows_a_search_whose_index_is_gone_without_a_time(pair: Pair) -> None:
    store, options = pair.store("*"), SearchOptions(profile=True)
    store.search("red planet")
    pair.client.indices.delete(index=f"{pair.prefix}-toy")
    profile = store.search("red planet", options=options).profile
    assert profile is not None
    first, second = profile.requests
    assert (first.used, second.used) == (False, True)
    took = {search.index.rpartition("-")[2]: search.took_ms is None for search in first.searches}
    assert (took["small"], took["toy"]) == (False, True)
    assert profile.searches == second.searches


def test_profile_shows_a_refused_request_without_an_answer(pair: Pair) -> None:
    name = f"{pair.prefix}-chunked"
    files = resolve_files(registry.get_model(pair.toy))

    def make(schema: IndexSchema) -> NeuralSparseStore:
        store = NeuralSparseStore(name, client=pair.client, schema=schema, document_encoder=WordEncoder(files))
        store.create(settings=ONE_SHARD)
        store.write([{"id": "1", "text": "red planet"}])
        return store

    make(IndexSchema(chunking=ChunkOptions(tokens=4, overlap=0)))
    store = pair.store("chunked")
    assert len(store.search("red planet")) == 1
    pair.client.indices.delete(index=name)
    make(IndexSchema())
    profile = store.search("red planet", options=SearchOptions(profile=True)).profile
    assert profile is not None
    first, second = profile.requests
    assert (first.used, first.took_ms, first.answer_ms, first.searches[0].took_ms) == (False, None, None, None)
    assert second.used
    assert second.answer_ms is not None
    assert "nested" in str(first.searches[0].body)
    assert "nested" not in str(second.searches[0].body)


def test_search_that_finds_nothing_looks_where_the_alias_leads_by_now(pair: Pair, requests: list[str]) -> None:
    pair.make("empty", SMALL_MODEL, documents=0)
    name = pair.point("live", "empty")
    store = pair.store("live")
    store.server()
    assert store.search("red planet") == []
    pair.point("live", "toy", away_from="empty")
    assert store.search("red planet") == NeuralSparseStore(name, client=pair.client).search("red planet") != []
    nowhere = {"term": {"n": -1}}
    assert store.search("red planet", filter=nowhere) == []
    pair.point("live", "small", away_from="toy")
    assert store.search("red planet", filter=nowhere) == []
    assert store.model_id == SMALL_MODEL.name
    requests.clear()
    assert store.search("red planet", filter=nowhere) == []
    assert requests == ["_search", name]
    requests.clear()
    assert store.search("red planet")
    assert requests == ["_search"]


def test_model_that_was_named_is_held_against_the_index_the_alias_moved_to(pair: Pair) -> None:
    pair.point("live", "small")
    store = pair.store("live", model=SMALL_MODEL)
    assert store.search("red planet")
    pair.point("live", "toy", away_from="small")
    with pytest.raises(ModelMismatchError):
        store.search("red planet")


def test_index_that_was_made_anew_for_another_model_is_noticed_by_its_documents(pair: Pair) -> None:
    store = pair.store("toy")
    assert store.search("red planet")
    pair.client.indices.delete(index=f"{pair.prefix}-toy")
    pair.make("toy", SMALL_MODEL)
    assert store.search("red planet")[0].index == f"{pair.prefix}-toy"
    assert store.model_id == SMALL_MODEL.name


@pytest.mark.parametrize("choices", [{"normalization": "min_max"}, {"fusion": "server"}, {}], ids=str)
def test_hybrid_hits_of_every_model_carry_the_ranks_of_their_legs(pair: Pair, choices: dict[str, Any]) -> None:
    options = HybridOptions(**choices)
    hits = pair.store("*").hybrid_search("red planet", options=options, explain=True)
    assert (hits.fusion or "").startswith(("server min_max" if options.normalization else options.fusion, "client rrf"))
    for name in ("small", "toy"):
        alone = pair.store(name)
        found = {"bm25": alone.match_search("red planet"), "sparse": alone.search("red planet")}
        for hit in (hit for hit in hits if hit.index.endswith(name)):
            assert {leg: (score.score, score.rank) for leg, score in (hit.legs or {}).items()} == {
                leg: (one.score, rank)
                for leg, ranking in found.items()
                for rank, one in enumerate(ranking, 1)
                if one.id == hit.id
            }


def test_documents_of_another_marker_cost_one_look_and_are_found(pair: Pair, requests: list[str]) -> None:
    source = {"id": "x", "sparse_vector": {"red": 9.0}, "sparse_vector_model": "someone@else"}
    pair.client.index(index=f"{pair.prefix}-toy", id="x", body=source, params={"refresh": "true"})
    store = pair.store("toy")
    assert store.search("red planet")[0].id == "x"
    requests.clear()
    assert store.search("red planet")[0].id == "x"
    assert requests == ["_search"]


def test_write_after_the_alias_moved_is_made_for_the_new_model(pair: Pair) -> None:
    pair.point("live", "small")
    small, toy = (WordEncoder(resolve_files(registry.get_model(path))) for path in (SMALL_MODEL, pair.toy))
    store = pair.store("live", document_encoder=small)
    store.write([{"id": "first", "text": "red"}])
    pair.point("live", "toy", away_from="small")
    with pytest.raises(ModelMismatchError):
        store.write([{"id": "second", "text": "red"}])
    with pytest.raises(ModelMismatchError):
        store.update_text({"0": "red"})
    for index in ("small", "toy"):
        assert not pair.client.exists(index=f"{pair.prefix}-{index}", id="second")
    follows = pair.store("live", document_encoder=toy)
    follows.write([{"id": "third", "text": "red"}])
    assert pair.client.exists(index=f"{pair.prefix}-toy", id="third")


def test_alias_that_moves_during_a_write_takes_none_of_it_along(pair: Pair) -> None:
    pair.point("live", "small")
    store = pair.store("live", document_encoder=WordEncoder(resolve_files(registry.get_model(SMALL_MODEL))))

    def documents() -> Iterator[dict[str, str]]:
        for number in range(500):
            if number == 300:
                wait_for_document(pair.client, f"{pair.prefix}-small", "w199")
                pair.point("live", "toy", away_from="small")
                time.sleep(CHECK_INTERVAL)
            yield {"id": f"w{number}", "text": "red"}

    with pytest.raises(BulkWriteError, match="is another index") as error:
        store.write(documents())
    assert error.value.report.written == 200
    pair.client.indices.refresh(index=f"{pair.prefix}-*")
    assert pair.store("toy").count({"prefix": {"id": "w"}}) == 0
    assert pair.store("small").count({"prefix": {"id": "w"}}) == 200


async def test_awaited_store_does_alike(pair: Pair, server: RunningServer) -> None:
    async with AsyncNeuralSparseStore(f"{pair.prefix}-*", url=server.url) as store:
        blocking = pair.store("*")
        assert await store.search("red planet") == blocking.search("red planet")
        assert await store.hybrid_search("red planet") == blocking.hybrid_search("red planet")
        assert await store.search_many(["red", ""]) == blocking.search_many(["red", ""])
        with pytest.raises(ModelMismatchError, match="different models"):
            await store.write(["text"])
    name = pair.point("live", "small")
    encoder = WordEncoder(resolve_files(registry.get_model(SMALL_MODEL)))
    async with (
        AsyncNeuralSparseStore(name, url=server.url) as reader,
        AsyncNeuralSparseStore(name, url=server.url, document_encoder=encoder) as writer,
    ):
        assert (await reader.search("red planet"))[0].index == f"{pair.prefix}-small"
        await writer.write(["red"])
        pair.point("live", "toy", away_from="small")
        assert await reader.search("red planet") == pair.store("toy").search("red planet")
        assert reader.model_id == "toy-en"
        pair.point("live", "small", away_from="toy")
        assert await reader.search("red planet", filter={"term": {"n": -1}}) == []
        assert reader.model_id == SMALL_MODEL.name
        pair.point("live", "toy", away_from="small")
        with pytest.raises(ModelMismatchError):
            await writer.write(["red"])
