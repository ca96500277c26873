"""Documents that are there, changed and deleted on real servers, by both stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    FilterSyntaxError,
    IndexSchemaError,
    ModelMismatchError,
    NeuralSparseStore,
    ServerRequestError,
    SparseDocument,
    WriteOptions,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

METADATA: Mapping[str, Any] = {"year": 2020, "draft": True, "content": "collides", "deep": {"a": 1, "b": 2}, "n": None}


@pytest.fixture
def filled(store: NeuralSparseStore) -> NeuralSparseStore:
    store.write(
        [
            {"id": "1", "text": "red planet", "metadata": METADATA},
            {"id": "2", "text": "blue sea", "metadata": {"year": 1}},
        ]
    )
    return store


def failures(error: pytest.ExceptionInfo[BulkWriteError]) -> list[tuple[str, str]]:
    return [(failure.id, failure.error_type) for failure in error.value.report.failed]


def test_metadata_changes_and_the_rest_stays(filled: NeuralSparseStore) -> None:
    (before,) = filled.get(["1"])
    report = filled.update_metadata({"1": {"year": 2021, "draft": None, "deep": {"c": 3}, "content": "anew", "x.y": 1}})
    assert report.written == 1
    (after,) = filled.get(["1"])
    assert after.metadata == {"year": 2021, "deep": {"c": 3}, "content": "anew", "n": None, "x.y": 1}
    assert (after.text, after.vector, after.model) == (before.text, before.vector, before.model)
    assert [hit.id for hit in filled.search("red", filter={"term": {"year": 2021}})] == ["1"]


def test_keys_that_collide_with_fields_are_removed_where_they_lie(filled: NeuralSparseStore) -> None:
    filled.update_metadata({"1": {"content": None}, "2": {"content": None, "sparse_vector": None, "id": None}})
    first, second = filled.get(["1", "2"])
    assert (first.text, second.text) == ("red planet", "blue sea")
    assert first.metadata == {name: value for name, value in METADATA.items() if name != "content"}
    assert second.metadata == {"year": 1}
    assert set(second.vector or {}) == {"blue", "sea"}
    assert filled.client().get(index=filled.index, id="1")["_source"].keys().isdisjoint({"meta"})


def test_metadata_is_replaced_whole(filled: NeuralSparseStore) -> None:
    (before,) = filled.get(["1"])
    filled.update_metadata({"1": {"embedding": "collides", "lang": "en"}, "2": {}}, replace=True)
    first, second = filled.get(["1", "2"])
    assert first.metadata == {"embedding": "collides", "lang": "en"}
    assert second.metadata == {}
    assert (first.text, first.vector, first.model) == (before.text, before.vector, before.model)


def test_document_that_is_not_there_is_reported_and_not_made(filled: NeuralSparseStore) -> None:
    for change in (
        lambda: filled.update_metadata({"1": {"year": 3}, "nowhere": {"year": 3}}),
        lambda: filled.update_text({"1": "new", "nowhere": "new"}),
    ):
        with pytest.raises(BulkWriteError) as error:
            change()
        assert error.value.report.written == 1
        assert failures(error) == [("nowhere", "document_missing_exception")]
    assert filled.count() == 2


def test_metadata_that_cannot_be_stored_fails_alone(filled: NeuralSparseStore) -> None:
    with pytest.raises(BulkWriteError) as error:
        filled.update_metadata({"1": {"year": "SECRET"}, "2": {"year": 4}})
    assert failures(error) == [("1", "IndexSchemaError")]
    with pytest.raises(BulkWriteError) as error:
        filled.update_metadata({"1": {"": 1}, "2": {"year": float("nan")}})
    assert failures(error) == [("1", "IndexSchemaError"), ("2", "IndexSchemaError")]
    assert "SECRET" not in str(error.value)
    assert [document.metadata["year"] for document in filled.get(["1", "2"])] == [2020, 4]


def test_new_text_is_encoded_and_no_token_of_the_old_one_stays(filled: NeuralSparseStore, encoder: WordEncoder) -> None:
    encoder.calls.clear()
    assert filled.update_text({"1": "red sea", "2": ""}).written == 2
    assert encoder.calls == [["red sea", ""]]
    first, second = filled.get(["1", "2"])
    assert (first.text, set(first.vector or {})) == ("red sea", {"red", "sea"})
    assert (second.text, second.vector) == ("", None)
    assert first.metadata == METADATA
    assert filled.search("planet") == filled.search("blue") == []
    assert [hit.id for hit in filled.match_search("sea")] == ["1"]


def test_dense_vector_survives_a_new_text(store: NeuralSparseStore) -> None:
    store.write([SparseDocument(id="1", text="red", embedding=[0.5, 1.5])])
    store.update_text({"1": "blue"})
    assert store.get(["1"])[0].embedding == [0.5, 1.5]


def test_weights_of_a_new_text_are_stored_as_the_options_say(store: NeuralSparseStore) -> None:
    store.write(["x", {"id": "1", "text": "red"}])
    for exact in (True, False):
        store.update_text({"1": "planet"}, options=WriteOptions(exact_weights=exact))
        (weight,) = (store.get(["1"])[0].vector or {}).values()
        assert weight == pytest.approx(store.encode_query("planet")["planet"], rel=1e-9 if exact else 0.004)


def test_change_that_meets_another_one_loses_nothing(filled: NeuralSparseStore) -> None:
    options = WriteOptions(batch_size=1, in_flight=4, refresh=False)
    for number in range(5):
        filled.write([{"id": "many", "text": "start"}], options=options)
        filled.update_text({"many": f"word {number}"}, options=options)
        filled.update_metadata({"many": {"number": number}}, options=options)
        (document,) = filled.get(["many"])
        assert (document.text, document.metadata) == (f"word {number}", {"number": number})


def test_text_of_another_encoder_is_refused(
    filled: NeuralSparseStore, make_store: MakeStore, encoder: WordEncoder
) -> None:
    shorter = make_store(document_encoder=WordEncoder(encoder.files, max_length=64))
    with pytest.raises(ModelMismatchError, match="max_length"):
        shorter.update_text({"1": "new"})
    assert filled.get(["1"])[0].text == "red planet"


@pytest.mark.parametrize("wrong", [{"1": None}, {"1": 5}, {"": "text"}])
def test_text_that_is_none_changes_nothing(filled: NeuralSparseStore, wrong: Any) -> None:
    with pytest.raises(IndexSchemaError):
        filled.update_text({"2": "new"} | wrong)
    assert filled.get(["2"])[0].text == "blue sea"


@pytest.mark.parametrize("wrong", [["1"], "1", [("1", {"a": 1})]])
def test_only_a_mapping_is_taken(filled: NeuralSparseStore, wrong: Any) -> None:
    for change in (filled.update_text, filled.update_metadata):
        with pytest.raises(TypeError, match="mapping of id"):
            change(wrong)
    with pytest.raises(TypeError, match="mapping of id"):
        filled.update_metadata({"1": 5})  # type: ignore[dict-item]


def test_matching_documents_are_deleted_and_counted(filled: NeuralSparseStore) -> None:
    filled.write([{"id": f"n{n}", "metadata": {"year": 100 + n}} for n in range(10)])
    assert filled.delete_matching({"range": {"year": {"gte": 105}}}) == 6
    assert filled.delete_matching([{"range": {"year": {"gte": 100}}}, {"term": {"year": 101}}]) == 1
    assert filled.delete_matching({"term": {"year": 7}}) == 0
    assert filled.count() == 5
    assert filled.delete_matching({"match_all": {}}) == 5


@pytest.mark.parametrize("wrong", [None, [], {}])
def test_no_filter_deletes_nothing(filled: NeuralSparseStore, wrong: Any) -> None:
    with pytest.raises(FilterSyntaxError):
        filled.delete_matching(wrong)
    assert filled.count() == 2


def test_documents_that_changed_since_the_last_refresh_are_looked_at_again(filled: NeuralSparseStore) -> None:
    filled.client().indices.put_settings(index=filled.index, body={"refresh_interval": "-1"})
    unseen = WriteOptions(refresh=False)
    filled.update_metadata({"1": {"year": 2021}, "2": {"year": 2020}}, options=unseen)
    assert filled.delete_matching({"term": {"year": 2020}}) == 1
    assert [document.id for document in filled.scan()] == ["1"]


def test_documents_that_go_on_changing_are_reported(filled: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    delete, rounds = filled.client().delete_by_query, iter(range(100))

    def late(**arguments: Any) -> Any:
        filled.client().index(index=filled.index, id="1", body={"year": 2020, "n": next(rounds)})
        return delete(**arguments)

    filled.client().indices.put_settings(index=filled.index, body={"refresh_interval": "-1"})
    monkeypatch.setattr(filled.client(), "delete_by_query", late)
    with pytest.raises(BulkWriteError, match="1 documents were changed by others each time") as error:
        filled.delete_matching({"range": {"year": {"gte": 1}}})
    assert error.value.report.written == 1


def test_documents_that_may_not_be_deleted_are_reported(filled: NeuralSparseStore) -> None:
    filled.client().indices.put_settings(index=filled.index, body={"index.blocks.write": True})
    with pytest.raises(ServerRequestError, match=r"status 403, cluster_block_exception: .*blocked"):
        filled.delete_matching({"match_all": {}})
    filled.client().indices.put_settings(index=filled.index, body={"index.blocks.write": False})
    assert filled.count() == 2


def test_routing_leads_to_the_documents(make_store: MakeStore) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 5})
    names = [f"{n}" for n in range(20)]
    options = WriteOptions(routing="tenant")
    store.write([{"id": name, "text": "word", "metadata": {"n": int(name)}} for name in names], options=options)
    assert len(store.get(names, routing="tenant")) == store.count(routing="tenant") == 20
    assert len(store.get(names)) < 20
    assert store.update_metadata({"3": {"n": 30}}, options=options).written == 1
    assert store.update_text({"4": "new"}, options=options).written == 1
    assert [document.text for document in store.get(["3", "4"], routing="tenant")] == ["word", "new"]
    assert store.delete(["5"], routing="tenant") == 1
    assert store.delete_matching({"term": {"n": 30}}, routing="tenant") == 1
    assert store.count() == 18


async def test_asynchronous_store_does_the_same(
    filled: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> None:
    async with AsyncNeuralSparseStore(
        filled.index, url=server.url, query_encoder=encoder, document_encoder=encoder
    ) as store:
        await store.update_metadata({"1": {"year": 2021, "draft": None}})
        await store.update_text({"1": "green field"})
        with pytest.raises(BulkWriteError) as error:
            await store.update_text({"nowhere": "text"})
        assert failures(error) == [("nowhere", "document_missing_exception")]
        (document,) = await store.get(["1"])
        assert document.metadata == {k: v for k, v in (METADATA | {"year": 2021}).items() if k != "draft"}
        assert set(document.vector or {}) == {"green", "field"}
        await store.write([{"id": "3", "text": "x"}], options=WriteOptions(routing="r"))
        assert [found.id for found in await store.get(["3"], routing="r")] == ["3"]
        assert await store.delete(["3"], routing="r") == 1
        assert await store.delete_matching({"term": {"year": 2021}}) == 1
        assert await store.count() == 1
