"""Pruning against real servers: a property of the index on writing, a choice of each search."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Fusion,
    HybridOptions,
    IndexSchemaError,
    ModelMismatchError,
    Prune,
    PruneType,
    SearchOptions,
    SparseDocument,
    SparseVector,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.store.conftest import MakeStore

TEXT = "red planet mars and the wide blue sea"
TOP_3 = Prune(type=PruneType.TOP_K, ratio=3)
NOTHING = Prune(type=PruneType.ALPHA_MASS, ratio=0.01)
EVERYTHING = Prune(type=PruneType.NONE)


def heaviest(vector: SparseVector, count: int) -> set[str]:
    return set(sorted(vector, key=lambda token: (-vector[token], token))[:count])


def test_vectors_made_by_the_store_are_pruned_and_vectors_handed_in_are_not(make_store: MakeStore) -> None:
    store = make_store(prune=TOP_3)
    store.create()
    whole = SparseDocument(id="2", vector={"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0})
    store.write([{"id": "1", "text": TEXT}, whole])
    made, given = store.get(["1", "2"])
    assert set(made.vector or {}) == heaviest(word_vector(TEXT), 3)
    assert given.vector == whole.vector


def test_rule_is_stamped_and_kept_by_stores_that_do_not_say(make_store: MakeStore) -> None:
    make_store(prune=TOP_3).create()
    later = make_store()
    assert later.open().binding.prune == {"type": "top_k", "ratio": 3}  # type: ignore[union-attr]
    later.write([{"id": "1", "text": TEXT}])
    assert set(later.get(["1"])[0].vector or {}) == heaviest(word_vector(TEXT), 3)
    make_store(prune=Prune(type=PruneType.TOP_K, ratio=3.0)).write([{"id": "2", "text": TEXT}])
    assert later.count() == 2


@pytest.mark.parametrize(
    ("created", "given"),
    [(TOP_3, replace(TOP_3, ratio=4)), (TOP_3, EVERYTHING), (None, TOP_3), (EVERYTHING, TOP_3)],
)
def test_another_rule_than_that_of_the_index_is_refused_on_writing(
    make_store: MakeStore, created: Prune | None, given: Prune
) -> None:
    make_store(prune=created).create()
    other = make_store(prune=given)
    with pytest.raises(ModelMismatchError, match="prune is"):
        other.write([{"id": "1", "text": TEXT}])
    other.write([{"id": "2", "vector": {"a": 1.0}}])
    assert [hit.id for hit in other.search({"a": 1.0})] == ["2"]


def test_no_rule_and_the_rule_that_keeps_everything_are_one(make_store: MakeStore) -> None:
    make_store(prune=EVERYTHING).create()
    store = make_store()
    assert store.open().binding.prune is None  # type: ignore[union-attr]
    store.write([{"id": "1", "text": TEXT}])
    make_store(prune=EVERYTHING).write([{"id": "2", "text": TEXT}])
    assert {len(document.vector or ()) for document in store.get(["1", "2"])} == {len(word_vector(TEXT))}


def test_document_pruned_to_nothing_is_found_by_its_words_alone(make_store: MakeStore) -> None:
    store = make_store(prune=NOTHING)
    store.create()
    store.write([{"id": "1", "text": TEXT}])
    assert not store.get(["1"])[0].vector
    assert not store.search("mars")
    assert [hit.id for hit in store.match_search("mars")] == ["1"]


def test_stamp_with_a_rule_of_a_later_version_is_refused_on_writing(make_store: MakeStore, client: Any) -> None:
    store = make_store(prune=TOP_3)
    store.create()
    meta = client.indices.get_mapping(index=store.index)[store.index]["mappings"]["_meta"]
    meta["opensearch_neural_sparse"]["fields"]["sparse_vector"]["prune"] = {"type": "later"}
    client.indices.put_mapping(index=store.index, body={"_meta": meta})
    with pytest.raises(IndexSchemaError, match="later"):
        make_store().write([{"id": "1", "text": TEXT}])


@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
def test_pruned_query_finds_by_the_tokens_that_are_left(make_store: MakeStore, fusion: Fusion) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    store.write([{"id": "light", "vector": {"a": 1.0}}, {"id": "heavy", "vector": {"b": 1.0}, "text": "words"}])
    query, rule = {"a": 1.0, "b": 2.0}, Prune(type=PruneType.MAX_RATIO, ratio=0.9)
    assert [hit.id for hit in store.search(query)] == ["heavy", "light"]
    (hit,) = store.search(query, options=SearchOptions(prune=rule), explain=True)
    assert (hit.id, hit.score, [match.token for match in hit.matches or ()]) == ("heavy", 2.0, ["b"])
    found = store.search_many([query, {"a": 1.0}], options=SearchOptions(prune=rule))
    assert [[hit.id for hit in hits] for hits in found] == [
        ["heavy"],
        ["light"],
    ]
    hits = store.hybrid_search("words", vector=query, options=HybridOptions(prune=rule, fusion=fusion))
    assert [hit.id for hit in hits] == ["heavy"]


@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
def test_query_pruned_to_nothing_finds_nothing(make_store: MakeStore, fusion: Fusion) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    store.write([{"id": "1", "text": TEXT}, {"id": "2", "text": "mars"}])
    assert store.search("mars")
    assert store.search("mars", options=SearchOptions(prune=NOTHING)) == []
    assert store.search_many(["mars", TEXT], options=SearchOptions(prune=NOTHING)) == [[], []]
    options = HybridOptions(prune=NOTHING, fusion=fusion)
    assert store.hybrid_search("venus", options=options) == []
    fused = store.hybrid_search("mars", options=options)
    assert [hit.id for hit in fused] == [hit.id for hit in store.match_search("mars")]


async def test_asynchronous_store_prunes_alike(
    server: RunningServer, index_name: str, encoder: WordEncoder, make_store: MakeStore
) -> None:
    encoders: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder}
    async with AsyncNeuralSparseStore(index_name, url=server.url, prune=TOP_3, **encoders) as store:
        await store.create()
        await store.write([{"id": "1", "text": TEXT}])
        assert make_store().get(["1"]) == await store.get(["1"])
        assert len((await store.get(["1"]))[0].vector or ()) == 3
        assert await store.search("mars", options=SearchOptions(prune=NOTHING)) == []
        assert await store.hybrid_search("venus", options=HybridOptions(prune=NOTHING)) == []
