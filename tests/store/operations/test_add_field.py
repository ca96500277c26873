"""Two sparse fields of two models in one index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    BulkWriteError,
    ChunkOptions,
    DenseLeg,
    FieldVector,
    Fusion,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    ModelFilesError,
    ModelMismatchError,
    NeuralSparseStore,
    ServerRequestError,
    SparseDocument,
    SparseLeg,
    SparseVector,
    WriteOptions,
    load_document_encoder,
    register_model,
)
from opensearch_neural_sparse.errors import Remedy
from opensearch_neural_sparse.index.documents.feature_weights import shorten
from opensearch_neural_sparse.store.encoders import Encoders
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL
from tests.store.kills import Killed, end_at

TEXTS = {
    "heart": "A heart attack happens when blood cannot reach the muscle.",
    "paris": "Paris has been the capital of France for centuries.",
    "volcano": "Lava flows from a volcano when it erupts.",
}
OTHER = "sparse_other"
SECOND = IndexSchema(sparse_field=OTHER, model_field=f"{OTHER}_model")
NEXT_WEIGHT = 8e-3
"""How far stored weights are apart that encoding in other batches makes neighbours of."""
Make = Callable[..., NeuralSparseStore]


@pytest.fixture
def other_model(snapshot: Callable[..., Path]) -> str:
    register_model(SMALL_MODEL, name=SMALL_MODEL.name)
    return register_model(snapshot(mode="bi-encoder", seed=7), name="other-model").name


ON_EVERY_NUMBER_OF_SHARDS = pytest.mark.parametrize("shards", [1, 3], ids=["1-shard", "3-shards"], indirect=True)


@pytest.fixture
def shards(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"number_of_shards": getattr(request, "param", 1)}


@pytest.fixture
def make(client: Any, index_name: str, other_model: str) -> Iterator[Make]:
    stores: list[NeuralSparseStore] = []

    def make(**arguments: Any) -> NeuralSparseStore:
        stores.append(NeuralSparseStore(index_name, client=client, **arguments))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def store(make: Make, shards: dict[str, Any]) -> NeuralSparseStore:
    store = make(model=SMALL_MODEL, schema=IndexSchema(embedding_dimension=2))
    store.create(settings=shards)
    store.write({"id": name, "text": text} for name, text in TEXTS.items())
    store.write([{"id": "bare", "metadata": {"year": 2026}, "embedding": [1.0, 0.0]}])
    return store


def other_vector(model: str, text: str) -> dict[str, float]:
    encoder = load_document_encoder(model)
    (vector,) = encoder.encode_documents([text])
    return shorten(vector)


@ON_EVERY_NUMBER_OF_SHARDS
def test_documents_that_are_there_get_a_vector_by_the_other_model(store: NeuralSparseStore, other_model: str) -> None:
    before = {document.id: document for document in store.scan()}
    assert store.add_field(OTHER, model=other_model, options=WriteOptions(batch_size=2)) == len(TEXTS)
    assert store.add_field(OTHER, model=other_model) == 0
    after = {document.id: document for document in store.scan()}
    assert after["bare"] == before["bare"]
    for name, text in TEXTS.items():
        held = after[name].more_vectors[OTHER]
        assert dict(held.vector) == pytest.approx(other_vector(other_model, text), rel=NEXT_WEIGHT)
        assert (held.model or "").startswith("other-model@")
        assert (after[name].vector, after[name].metadata) == (before[name].vector, {})


@ON_EVERY_NUMBER_OF_SHARDS
def test_every_store_writes_and_searches_both_vectors(store: NeuralSparseStore, make: Make, other_model: str) -> None:
    store.add_field(OTHER, model=other_model)
    for writer in (store, make(), make(schema=SECOND)):
        writer.write([{"id": "heart", "text": "Cardiac arrest stops the heart."}, {"id": "new", "text": "a river"}])
        (heart,) = make().get(["heart"])
        expected = other_vector(other_model, "Cardiac arrest stops the heart.")
        assert dict(heart.more_vectors[OTHER].vector) == pytest.approx(expected, rel=5e-3)
        assert dict(heart.vector or {}) == dict(make(model=SMALL_MODEL).get(["heart"])[0].vector or {})
        assert heart.model is not None
    (own,) = make(schema=SECOND).search("river volcano", size=1, explain=True)
    (query,) = load_document_encoder(other_model).encode_documents(["river volcano"])
    assert {match.token for match in own.matches or ()} <= set(query)
    assert own.score == pytest.approx(sum(match.score for match in own.matches or ()), rel=1e-6)


@ON_EVERY_NUMBER_OF_SHARDS
def test_each_leg_is_encoded_by_the_model_of_its_field(store: NeuralSparseStore, make: Make, other_model: str) -> None:
    store.add_field(OTHER, model=other_model)
    legs = (Bm25Leg(), SparseLeg(), SparseLeg(name="other", field=OTHER), DenseLeg(vector=[1.0, 0.0]))
    hits = make().hybrid_search("lava of a volcano", options=HybridOptions(legs=legs), explain=True)
    first = make().search("lava of a volcano")[0]
    second = make(schema=SECOND).search("lava of a volcano")[0]
    scores = {hit.id: {name: leg.score for name, leg in (hit.legs or {}).items()} for hit in hits}
    assert scores[first.id]["sparse"] == pytest.approx(first.score, rel=1e-6)
    assert scores[second.id]["other"] == pytest.approx(second.score, rel=1e-6)
    assert "bare" in scores
    assert all(set(hit.metadata) <= {"year"} for hit in hits)


@ON_EVERY_NUMBER_OF_SHARDS
@pytest.mark.parametrize("fusion", [Fusion.AUTO, Fusion.CLIENT])
def test_each_sparse_leg_tells_the_tokens_it_found_a_document_by(
    store: NeuralSparseStore, make: Make, other_model: str, fusion: Fusion
) -> None:
    store.add_field(OTHER, model=other_model)
    again = SparseLeg(name="again", vector={"lava": 3.0, "heart": 2.0})
    options = HybridOptions(legs=(SparseLeg(), again, SparseLeg(name="other", field=OTHER)), fusion=fusion)
    hits = make().hybrid_search("lava of a volcano", options=options, explain=True)
    for hit in hits:
        legs = hit.legs or {}
        told = {"sparse": hit.matches, "again": legs["again"].matches if "again" in legs else None}
        told["other"] = legs["other"].matches if "other" in legs else None
        for name, leg in legs.items():
            assert leg.score == pytest.approx(sum(match.score for match in told[name] or ()), rel=1e-6)
        assert ("\nother\n" in hit.explain()) == ("other" in legs)
    assert {"sparse", "again", "other"} == {name for hit in hits for name in hit.legs or {}}
    assert all(not hit.legs for hit in make().hybrid_search("lava of a volcano", options=options))


def test_documents_move_with_both_vectors(store: NeuralSparseStore, make: Make, other_model: str) -> None:
    store.add_field(OTHER, model=other_model)
    held = list(store.scan())
    store.write(held)
    assert list(store.scan()) == held


def test_another_text_has_two_other_vectors(store: NeuralSparseStore, other_model: str) -> None:
    store.add_field(OTHER, model=other_model)
    store.update_text({"heart": "a river"})
    (document,) = store.get(["heart"])
    expected = other_vector(other_model, "a river")
    assert dict(document.more_vectors[OTHER].vector) == pytest.approx(expected, rel=5e-3)


def test_a_document_that_others_write_meanwhile_stays_as_they_wrote_it(
    store: NeuralSparseStore, client: Any, other_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = Encoders.encode_documents

    def meanwhile(self: Encoders, texts: Sequence[str]) -> list[SparseVector]:
        client.index(index=store.index, id="paris", body={"id": "paris", "content": "Rome."})
        return encode(self, texts)

    with monkeypatch.context() as patched:
        patched.setattr(Encoders, "encode_documents", meanwhile)
        with pytest.raises(BulkWriteError, match="version_conflict") as raised:
            store.add_field(OTHER, model=other_model)
    assert [failure.id for failure in raised.value.report.failed] == ["paris"]
    assert store.get(["paris"])[0].text == "Rome."
    assert store.add_field(OTHER, model=other_model) == 1
    assert OTHER in store.get(["paris"])[0].more_vectors


def test_vectors_of_no_field_or_of_another_model_are_refused(store: NeuralSparseStore, other_model: str) -> None:
    given = {OTHER: FieldVector(vector={"x": 1.0}, model="elsewhere@0")}
    with pytest.raises(BulkWriteError, match=OTHER):
        store.write([SparseDocument(id="1", more_vectors=given)])
    store.add_field(OTHER, model=other_model)
    with pytest.raises(BulkWriteError, match="elsewhere@0"):
        store.write([SparseDocument(id="1", more_vectors=given)])
    with pytest.raises(ModelMismatchError):
        store.add_field(OTHER, model=SMALL_MODEL)


@pytest.mark.parametrize("name", ["content", "embedding", "sparse_vector", "a.b", "id"])
def test_names_that_are_taken_are_refused(store: NeuralSparseStore, name: str) -> None:
    with pytest.raises(IndexSchemaError, match="cannot be called"):
        store.add_field(name, model=SMALL_MODEL)


def test_an_index_of_chunks_has_one_field(make: Make) -> None:
    store = make(model=SMALL_MODEL, schema=IndexSchema(chunking=ChunkOptions()))
    store.create()
    with pytest.raises(IndexSchemaError, match="without chunks"):
        store.add_field(OTHER, model=SMALL_MODEL)


def test_an_asynchronous_store_does_the_same(
    store: NeuralSparseStore, server: RunningServer, index_name: str, other_model: str
) -> None:
    async def work() -> list[str]:
        async with AsyncNeuralSparseStore(index_name, url=server.url) as twin:
            assert await twin.add_field(OTHER, model=other_model) == len(TEXTS)
            await twin.write([{"id": "new", "text": "a river"}])
            legs = (SparseLeg(), SparseLeg(name="other", field=OTHER))
            return [hit.id for hit in await twin.hybrid_search("river", options=HybridOptions(legs=legs), explain=True)]

    assert asyncio.run(work())[0] == "new"


def test_a_new_text_replaces_the_vectors_of_both_fields(store: NeuralSparseStore, other_model: str) -> None:
    store.add_field(OTHER, model=other_model)
    store.update_text({"paris": TEXTS["heart"], "heart": ""})
    paris, heart = store.get(["paris", "heart"])
    store.write([{"id": "same", "text": TEXTS["heart"]}])
    (same,) = store.get(["same"])
    assert (paris.vector, paris.more_vectors, paris.model) == (same.vector, same.more_vectors, same.model)
    assert heart.vector is None
    assert not heart.more_vectors[OTHER].vector


def test_a_creation_that_fails_loses_neither_field(store: NeuralSparseStore, other_model: str) -> None:
    store.add_field(OTHER, model=other_model)
    store.open()
    with pytest.raises(ServerRequestError, match="already_exists"):
        store.create()
    store.write([{"id": "new", "text": "a river"}])
    assert OTHER in store.get(["new"])[0].more_vectors


def test_a_model_that_was_refused_encodes_nothing_afterwards(store: NeuralSparseStore, other_model: str) -> None:
    store.add_field(OTHER, model=other_model)
    legs = (SparseLeg(name="other", field=OTHER), SparseLeg())
    before = store.hybrid_search("a volcano", options=HybridOptions(legs=legs), explain=True)
    with pytest.raises(ModelMismatchError):
        store.add_field(OTHER, model=SMALL_MODEL)
    after = store.hybrid_search("a volcano", options=HybridOptions(legs=legs), explain=True)
    assert [hit.legs for hit in after] == [hit.legs for hit in before]
    store.write([{"id": "new", "text": "a river"}])
    assert OTHER in store.get(["new"])[0].more_vectors


def test_documents_of_several_shards_without_an_id_field_all_get_a_vector(
    make: Make, client: Any, other_model: str
) -> None:
    store = make(model=SMALL_MODEL)
    store.create(settings={"number_of_shards": 3})
    lines = [line for n in range(30) for line in ({"index": {"_id": f"{n}"}}, {"content": f"text {n}"})]
    client.bulk(body=lines, index=store.index, params={"refresh": "true"})
    assert store.add_field(OTHER, model=other_model, options=WriteOptions(batch_size=4)) == 30
    assert store.count({"exists": {"field": f"{OTHER}_model"}}) == 30


def test_a_page_may_take_longer_to_encode_than_a_point_in_time_lasts(
    store: NeuralSparseStore, client: Any, other_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, open_point, points = Encoders.encode_documents, client.create_pit, []

    def remembered(**arguments: Any) -> Any:
        points.append(open_point(**arguments))
        return points[-1]

    def outlasting(self: Encoders, texts: Sequence[str]) -> list[SparseVector]:
        for point in points:
            client.delete_pit(body={"pit_id": [point["pit_id"]]})
        return encode(self, texts)

    monkeypatch.setattr(client, "create_pit", remembered)
    monkeypatch.setattr(Encoders, "encode_documents", outlasting)
    one = WriteOptions(batch_size=1)
    assert store.add_field(OTHER, model=other_model, options=one) == len(TEXTS)
    target = f"{store.index}-copy"
    try:
        keep = store.reindex_with_model(target, model=other_model, on_missing_text="keep", options=one)
        assert keep.documents == len(TEXTS) + 1
    finally:
        client.indices.delete(index=target, ignore_unavailable=True)


@pytest.fixture
def three_shards(make: Make) -> NeuralSparseStore:
    store = make(model=SMALL_MODEL)
    store.create(settings={"number_of_shards": 3, "number_of_replicas": 0})
    store.write({"id": str(n), "text": f"Text number {n}."} for n in range(20))
    return store


def with_vector(client: Any, index: str) -> int:
    client.indices.refresh(index=index)
    return int(client.count(index=index, body={"query": {"exists": {"field": f"{OTHER}_model"}}})["count"])


def test_field_is_filled_by_parts(three_shards: NeuralSparseStore, client: Any, other_model: str) -> None:
    store, pages = three_shards, WriteOptions(batch_size=2)
    assert store.add_field(OTHER, model=other_model, shards=[]) == 0
    assert OTHER in client.indices.get_mapping(index=store.index)[store.index]["mappings"]["properties"]
    filled = 0
    for shard in range(3):
        more = store.add_field(OTHER, model=other_model, shards=[shard], options=pages)
        assert 0 < more < 20
        filled += more
        assert with_vector(client, store.index) == filled
    assert filled == 20
    client.index(index=store.index, id="late", body={"id": "late", "content": "A late text."})
    assert store.add_field(OTHER, model=other_model) == 1
    assert all(document.more_vectors[OTHER].vector for document in store.scan())
    with pytest.raises(ValueError, match="has no shard 3; its 3 shards count from 0 to 2"):
        store.add_field("sparse_third", model=other_model, shards=[3])
    assert "sparse_third" not in client.indices.get_mapping(index=store.index)[store.index]["mappings"]["properties"]


async def test_awaited_store_fills_by_parts_alike(
    server: RunningServer, three_shards: NeuralSparseStore, client: Any, other_model: str
) -> None:
    async with AsyncNeuralSparseStore(three_shards.index, url=server.url) as store:
        filled = [await store.add_field(OTHER, model=other_model, shards=shards) for shards in ([], [0], [1, 2], None)]
        assert filled[0] == filled[3] == 0
        assert sum(filled) == with_vector(client, store.index) == 20
        with pytest.raises(ValueError, match="has no shard -1"):
            await store.add_field(OTHER, model=other_model, shards=[-1])


def test_field_is_filled_by_several_processes(three_shards: NeuralSparseStore, client: Any, other_model: str) -> None:
    assert three_shards.add_field(OTHER, model=other_model, encoder_options={"workers": 2, "threads": 1}) == 20
    assert with_vector(client, three_shards.index) == 20


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_field_whose_filling_is_killed_at_any_request_is_filled_by_the_same_call(
    make: Make, client: Any, index_name: str, other_model: str, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    pages = WriteOptions(batch_size=4)
    for number in count(1):
        store = make(model=SMALL_MODEL)
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        store.write({"id": str(n), "text": f"Text number {n}."} for n in range(10))
        with monkeypatch.context() as patch:
            end_at(client, patch, number, after=after)
            try:
                make(model=SMALL_MODEL).add_field(OTHER, model=other_model, options=pages)
                break
            except Killed:
                pass
        client.indices.refresh(index=index_name)
        there = client.count(index=index_name, body={"query": {"exists": {"field": f"{OTHER}_model"}}})["count"]
        filled = make(model=SMALL_MODEL).add_field(OTHER, model=other_model, options=pages)
        assert filled == 10 - there
        documents = list(make(model=SMALL_MODEL).scan())
        assert len(documents) == 10
        assert all(document.vector and document.more_vectors[OTHER].vector for document in documents)
        store.delete_index()
    assert number > 8


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_model_of_a_folder_is_made_known_to_another_program_as_its_error_says(
    awaited: bool, server: RunningServer, index_name: str, snapshot: Callable[..., Path]
) -> None:
    folder, rows = snapshot(mode="bi-encoder", seed=7), [{"id": "new", "text": "a river"}]
    legs = (SparseLeg(), SparseLeg(name="other", field=OTHER))

    def in_another_program() -> tuple[int, list[str]]:
        if awaited:
            return asyncio.run(in_another_awaited_program())
        with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
            written = store.write(rows).written
            return written, [hit.id for hit in store.hybrid_search("a river", options=HybridOptions(legs=legs))]

    async def in_another_awaited_program() -> tuple[int, list[str]]:
        async with AsyncNeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
            written = (await store.write(rows)).written
            return written, [hit.id for hit in await store.hybrid_search("a river", options=HybridOptions(legs=legs))]

    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        store.create()
        store.write({"id": name, "text": text} for name, text in TEXTS.items())
        assert store.add_field(OTHER, model=folder) == len(TEXTS)
    with pytest.raises(ModelFilesError, match=f"{folder.name}.*known") as error:
        in_another_program()
    assert Remedy.REGISTER_FOLDER in str(error.value)
    assert "model='...'" not in str(error.value)
    register_model(folder, name="anything")
    written, found = in_another_program()
    assert written == 1
    assert found[0] == "new"
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        (new,) = store.get(["new"])
        expected = other_vector("anything", "a river")
        assert dict(new.more_vectors[OTHER].vector) == pytest.approx(expected, rel=NEXT_WEIGHT)


def test_store_that_lacks_the_model_of_a_field_writes_once_it_is_made_known(
    server: RunningServer, index_name: str, snapshot: Callable[..., Path]
) -> None:
    folder = snapshot(mode="bi-encoder", seed=7)
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        store.create()
        store.add_field(OTHER, model=folder)
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        with pytest.raises(ModelFilesError):
            store.write([{"id": "1", "text": "a river"}])
        register_model(folder)
        assert store.write([{"id": "1", "text": "a river"}]).written == 1
