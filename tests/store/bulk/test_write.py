"""Writing to real servers: what is stored, what is refused, and that nothing is lost in silence."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkOperation,
    BulkWriteError,
    IndexNotFoundError,
    IndexSchemaError,
    Load,
    MissingVectorWarning,
    ModelMismatchError,
    NeuralSparseStore,
    SparseDocument,
    WriteOptions,
)
from opensearch_neural_sparse.store.bulk import index_guard
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.store.conftest import MakeStore, wait_for_document

CROWDED = {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "queue is full"}}
"""What the server answers of an item that it has no room for."""


def test_texts_mappings_and_documents_are_written_and_read_back(store: NeuralSparseStore, encoder: WordEncoder) -> None:
    metadata = {"year": 2026, "content": "collides", "deep": {"list": [1, 2], "x": None}, "ratio": 0.1, "yes": True}
    report = store.write(
        ["red planet", {"id": "2", "text": "blue sea", "metadata": metadata}, SparseDocument(id="3", vector={"a": 1.5})]
    )
    assert (report.written, report.complete) == (3, True)
    assert encoder.calls == [["red planet", "blue sea"]]
    second, third = store.get(["2", "nowhere", "3"])
    assert second.metadata == metadata
    assert second.text == "blue sea"
    assert set(second.vector or {}) == {"blue", "sea"}
    assert second.model == store.open().binding.marker  # type: ignore[union-attr]
    assert third == SparseDocument(id="3", vector={"a": 1.5})
    assert [hit.text for hit in store.search("planet")] == ["red planet"]


async def test_a_document_is_routed_by_itself_before_the_write_is(
    make_store: MakeStore, client: Any, server: Any, index_name: str, encoder: WordEncoder
) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": 5})
    documents = [
        SparseDocument(id="1", text="red planet", routing="own", extra_fields={"blob": {"data": [1, 2]}}),
        SparseDocument(id="2", text="blue sea"),
    ]
    store.write(documents, options=WriteOptions(routing="all"))
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    async with AsyncNeuralSparseStore(index_name, url=server.url, **encoders) as awaited:
        await awaited.write([SparseDocument(id="3", text="green leaf", routing="own")])
        assert [document.routing for document in await awaited.get(["1", "3"], routing="own")] == ["own", "own"]
    assert client.get(index=index_name, id="1", routing="own")["_source"]["blob"] == {"data": [1, 2]}
    assert client.get(index=index_name, id="2", routing="all")["_routing"] == "all"
    (first,) = store.get(["1"], routing="own")
    assert (first.routing, first.extra_fields) == ("own", documents[0].extra_fields)
    scanned = {document.id: document for document in store.scan()}
    assert {name: document.routing for name, document in scanned.items()} == {"1": "own", "2": "all", "3": "own"}
    store.write(scanned.values())
    assert {document.id: document for document in store.scan()} == scanned


async def test_documents_without_vectors_stay_so_where_nothing_is_encoded(
    store: NeuralSparseStore, server: Any, index_name: str, encoder: WordEncoder
) -> None:
    options = WriteOptions(encode=False)
    documents = [SparseDocument(id="1", text="red planet"), SparseDocument(id="2", text="sea", vector={"sea": 1.0})]
    with pytest.warns(MissingVectorWarning) as warned:
        store.write(documents, options=options)
    assert [one.message.missing for one in warned] == [{"sparse_vector": ("1",)}]  # type: ignore[union-attr]
    encoders = {"query_encoder": encoder, "document_encoder": encoder}
    async with AsyncNeuralSparseStore(index_name, url=server.url, **encoders) as awaited:
        with pytest.warns(MissingVectorWarning):
            await awaited.write([SparseDocument(id="3", text="green leaf")], options=options)
    assert [document.vector for document in store.get(["1", "2", "3"])] == [None, {"sea": 1.0}, None]
    assert encoder.calls == []


def test_exact_weights_are_stored_whole(store: NeuralSparseStore) -> None:
    vector = {"a": 0.123456789, "b": 2.0000001}
    store.write([SparseDocument(id="1", vector=vector)], options=WriteOptions(exact_weights=True))
    store.write([SparseDocument(id="2", vector=vector)])
    whole, short = store.get(["1", "2"])
    assert whole.vector == vector
    assert short.vector == {"a": 0.1234, "b": 2.0}


def test_hostile_documents_of_a_stream_fail_alone(store: NeuralSparseStore) -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"in": deep}
    loop: list[Any] = []
    loop.append(loop)
    hostile: dict[str, dict[str, Any]] = {
        "deep": {"metadata": {"blob": deep}},
        "loop": {"metadata": {"blob": loop}},
        "weight": {"vector": {"word": 10**5000}},
        "number": {"metadata": {"count": 10**5000}},
        "embedding": {"embedding": [10**400]},
    }
    documents = [{"id": "first", "text": "good"}, *({"id": name} | rest for name, rest in hostile.items())]
    with pytest.raises(BulkWriteError) as error:
        store.write(iter([*documents, {"id": "last", "text": "good", "metadata": {"exact": 2**70}}]))
    assert {failure.id for failure in error.value.report.failed} == set(hostile)
    assert {document.id for document in store.scan()} == {"first", "last"}


@pytest.mark.parametrize("reason", ["weight", "type"])
def test_one_bad_document_of_a_hundred_is_reported_and_the_others_are_there(
    store: NeuralSparseStore, reason: str
) -> None:
    documents: list[dict[str, Any]] = [
        {"id": f"{n}", "vector": {"word": 1.0}, "metadata": {"year": n}} for n in range(100)
    ]
    bad = {"vector": {"word": float("nan")}} if reason == "weight" else {"metadata": {"year": "SECRET"}}
    documents[42] |= bad
    with pytest.raises(BulkWriteError) as error:
        store.write(documents, options=WriteOptions(batch_size=30))
    report = error.value.report
    assert report.written == 99
    (failure,) = report.failed
    assert failure.id == "42"
    assert failure.error_type == ("InvalidVectorError" if reason == "weight" else "IndexSchemaError")
    assert "SECRET" not in str(error.value)
    assert store.count() == 99
    assert store.get(["42"]) == []


def test_impossible_metadata_of_a_list_is_an_error_before_anything_is_sent(store: NeuralSparseStore) -> None:
    with pytest.raises(IndexSchemaError, match=r"'2'.*'a\.'"):
        store.write([{"id": "1", "text": "good"}, {"id": "2", "metadata": {"a.": 1}}])
    assert store.count() == 0


def test_impossible_metadata_in_a_stream_fails_alone(store: NeuralSparseStore) -> None:
    documents: list[Any] = [
        {"id": "1", "text": "good"},
        {"id": "2", "metadata": {"": 1}},
        {"txt": "x"},
        {"text": "good"},
    ]
    with pytest.raises(BulkWriteError) as error:
        store.write(iter(documents))
    assert [failure.id for failure in error.value.report.failed] == ["2", "document number 2"]
    assert store.count() == 2


def test_stream_is_read_a_batch_at_a_time(store: NeuralSparseStore, encoder: WordEncoder) -> None:
    read_ahead: list[int] = []

    def stream() -> Iterator[str]:
        for number in range(25):
            read_ahead.append(number - sum(map(len, encoder.calls)))
            yield f"text {number}"

    assert store.write(stream(), options=WriteOptions(batch_size=10)).written == 25
    assert list(map(len, encoder.calls)) == [10, 10, 5]
    assert max(read_ahead) < 10


@pytest.mark.parametrize("single", ["a text", {"text": "a"}, SparseDocument(text="a")])
def test_single_document_is_not_taken_for_several(store: NeuralSparseStore, single: Any) -> None:
    with pytest.raises(TypeError, match="put it into a list"):
        store.write(single)


def test_no_documents_are_no_error(store: NeuralSparseStore) -> None:
    assert store.write([]).written == 0
    assert store.delete([]) == 0
    assert store.get([]) == []


def test_empty_text_is_stored_and_found_by_nothing(store: NeuralSparseStore) -> None:
    store.write([{"id": "1", "text": ""}, {"id": "2", "text": "word"}])
    (empty, _) = store.get(["1", "2"])
    assert (empty.text, empty.vector) == ("", None)
    assert [hit.id for hit in store.search("word")] == ["2"]


def test_document_of_the_same_id_is_replaced_whole(store: NeuralSparseStore) -> None:
    store.write([{"id": "1", "text": "old words", "metadata": {"a": 1}}])
    store.write([{"id": "1", "text": "new", "metadata": {"b": 2}}])
    (document,) = store.get(["1"])
    assert document.metadata == {"b": 2}
    assert set(document.vector or {}) == {"new"}


def test_creating_a_document_that_exists_fails_alone(store: NeuralSparseStore) -> None:
    store.write([{"id": "1", "text": "first"}])
    with pytest.raises(BulkWriteError) as error:
        store.write(["another", {"id": "1", "text": "second"}], options=WriteOptions(operation=BulkOperation.CREATE))
    assert [failure.error_type for failure in error.value.report.failed] == ["version_conflict_engine_exception"]
    assert store.get(["1"])[0].text == "first"
    assert store.count() == 2


def test_one_id_is_not_taken_for_several(store: NeuralSparseStore) -> None:
    for operation in (store.get, store.delete):
        with pytest.raises(TypeError, match="put it into a list"):
            operation("abc")


def test_delete_counts_what_was_there(store: NeuralSparseStore) -> None:
    store.write([{"id": name, "text": name} for name in "abc"])
    assert store.delete(iter(["a", "b", "nowhere"])) == 2
    assert store.count() == 1


@pytest.mark.parametrize(("refresh", "found"), [(True, 1), ("wait_for", 1), (False, 0)])
def test_refresh_decides_what_is_found_at_once(store: NeuralSparseStore, refresh: Any, found: int) -> None:
    store.client().indices.put_settings(index=store.index, body={"refresh_interval": "100ms" if found else "-1"})
    store.write(["word"], options=WriteOptions(refresh=refresh))
    assert len(store.search("word")) == found
    store.refresh()
    assert len(store.search("word")) == 1


def test_vector_of_another_model_fails_alone(store: NeuralSparseStore) -> None:
    documents = [
        SparseDocument(id="1", vector={"a": 1.0}, model="other@123"),
        SparseDocument(id="2", vector={"a": 1.0}),
    ]
    with pytest.raises(BulkWriteError) as error:
        store.write(documents)
    (failure,) = error.value.report.failed
    assert (failure.id, failure.error_type) == ("1", "ModelMismatchError")
    assert "other@123" in failure.reason
    assert store.count() == 1


def test_encoder_with_other_settings_is_refused_and_nothing_is_written(
    store: NeuralSparseStore, make_store: MakeStore, encoder: WordEncoder
) -> None:
    shorter = make_store(document_encoder=WordEncoder(encoder.files, max_length=64))
    with pytest.raises(ModelMismatchError, match="max_length is 512 in the index, 64 given"):
        shorter.write(["text"])
    assert store.count() == 0
    shorter.write([SparseDocument(vector=word_vector("given"))])
    assert store.count() == 1


def test_default_ingest_pipeline_is_bypassed(store: NeuralSparseStore) -> None:
    name = f"{store.index}-pipeline"
    processor = {"sparse_encoding": {"model_id": "none", "field_map": {"content": "sparse_vector"}}}
    store.client().ingest.put_pipeline(id=name, body={"processors": [processor]})
    try:
        store.client().indices.put_settings(index=store.index, body={"index.default_pipeline": name})
        store.write([{"id": "1", "text": "word"}])
        with pytest.raises(BulkWriteError):
            store.write([{"id": "2", "text": "word"}], options=WriteOptions(pipeline=None))
        assert store.count() == 1
        store.client().indices.put_settings(index=store.index, body={"index.default_pipeline": None})
    finally:
        store.client().ingest.delete_pipeline(id=name)


def test_write_to_an_index_that_is_gone_does_not_make_one(store: NeuralSparseStore) -> None:
    store.write(["first"])
    store.client().indices.delete(index=store.index)
    for operation in (lambda: store.write(["second"]), lambda: store.delete(["x"]), lambda: store.search("first")):
        with pytest.raises(IndexNotFoundError, match=store.index):
            operation()
        assert not store.client().indices.exists(index=store.index)


def test_index_that_vanishes_between_batches_is_not_made_again(store: NeuralSparseStore) -> None:
    def stream() -> Iterator[dict[str, str]]:
        yield from ({"id": name, "text": name} for name in ("one", "two"))
        wait_for_document(store.client(), store.index, "two")
        store.client().indices.delete(index=store.index)
        time.sleep(index_guard.CHECK_INTERVAL)
        yield from ({"id": name, "text": name} for name in ("three", "four"))

    with pytest.raises(IndexNotFoundError):
        store.write(stream(), options=WriteOptions(batch_size=1))
    assert not store.client().indices.exists(index=store.index)


def test_index_that_vanishes_moments_before_a_batch_is_noticed_at_the_end(
    store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_guard, "CHECK_INTERVAL", 60.0)

    def stream() -> Iterator[dict[str, str]]:
        yield from ({"id": name, "text": name} for name in ("one", "two"))
        wait_for_document(store.client(), store.index, "two")
        store.client().indices.delete(index=store.index)
        yield {"id": "three", "text": "three"}

    with pytest.raises(BulkWriteError, match="is another index") as error:
        store.write(stream(), options=WriteOptions(batch_size=1))
    assert error.value.report.stopped


def test_index_that_is_replaced_while_documents_wait_for_room_gets_none_of_them(
    store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk = store.client().bulk
    sent: list[bytes] = []

    def crowded_once(**arguments: Any) -> Any:
        sent.append(arguments["body"])
        response = bulk(**arguments)
        response["items"][-1] = {"index": CROWDED}
        store.client().indices.delete(index=store.index)
        store.client().indices.create(index=store.index)
        return response

    monkeypatch.setattr(store.client(), "bulk", crowded_once)
    with pytest.raises(BulkWriteError, match="is another index") as error:
        store.write([{"id": name, "text": name} for name in "ab"], options=WriteOptions(initial_backoff=1.0))
    assert len(sent) == 1
    assert [(failure.id, failure.error_type) for failure in error.value.report.failed] == [("b", "not_sent")]


def test_write_of_one_batch_notices_an_index_that_is_replaced_in_that_moment(
    store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport, replaced = store.client().transport, []
    perform = transport.perform_request

    def replacing(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        if url.endswith("/_bulk") and not replaced:
            replaced.append(url)
            perform("DELETE", f"/{store.index}")
            perform("PUT", f"/{store.index}")
        return perform(method, url, *arguments, **options)

    monkeypatch.setattr(transport, "perform_request", replacing)
    with pytest.raises(BulkWriteError, match="is another index"):
        store.write(["text"])
    assert len(replaced) == 1


async def test_awaited_write_of_one_batch_notices_an_index_that_is_replaced_in_that_moment(
    store: NeuralSparseStore, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncNeuralSparseStore(store.index, url=server.url) as awaited:
        transport, replaced = (await awaited.client()).transport, []
        perform = transport.perform_request

        async def replacing(method: str, url: str, *arguments: Any, **options: Any) -> Any:
            if url.endswith("/_bulk") and not replaced:
                replaced.append(url)
                await perform("DELETE", f"/{store.index}")
                await perform("PUT", f"/{store.index}")
            return await perform(method, url, *arguments, **options)

        monkeypatch.setattr(transport, "perform_request", replacing)
        with pytest.raises(BulkWriteError, match="is another index"):
            await awaited.write([SparseDocument(id="1", vector={"a": 1.0})])
        assert len(replaced) == 1


def test_index_that_is_replaced_after_it_was_opened_gets_no_document(store: NeuralSparseStore) -> None:
    info = store.open_to_write()
    assert store.write(["one"], info=info).written == 1
    store.delete_index()
    store.create()
    with pytest.raises(BulkWriteError, match="is another index") as error:
        store.write(["two"], info=info)
    assert (error.value.report.written, store.count()) == (0, 0)
    assert store.write(["three"], info=store.open_to_write()).written == 1


def test_long_write_looks_at_the_index_now_and_then(store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []
    get = store.client().indices.get

    def recorded(**arguments: Any) -> Any:
        looks.append(arguments["index"])
        return get(**arguments)

    store.open()
    monkeypatch.setattr(store.client().indices, "get", recorded)
    monkeypatch.setattr(index_guard, "CHECK_INTERVAL", 60.0)
    assert store.write(map(str, range(40)), options=WriteOptions(batch_size=1, in_flight=1)).written == 40
    assert len(looks) == 3  # to choose the model, before the first batch, after the last


def test_many_ids_are_read_in_order(store: NeuralSparseStore) -> None:
    store.write(
        [SparseDocument(id=f"{n}", metadata={"n": n}) for n in range(1200)], options=WriteOptions(batch_size=600)
    )
    wanted = [f"{n}" for n in reversed(range(1200))]
    assert [document.id for document in store.get(wanted)] == wanted


def test_report_of_a_big_failure_is_short_and_without_content(store: NeuralSparseStore) -> None:
    store.write([{"id": "0", "metadata": {"year": 1}}])
    bad = [{"id": f"{n}", "text": "SECRET", "metadata": {"year": {"SECRET": "SECRET"}}} for n in range(1, 300)]
    with pytest.raises(BulkWriteError) as error:
        store.write(bad)
    assert len(error.value.report.failed) == 299
    assert "SECRET" not in str(error.value) + repr(error.value.report)
    assert len(str(error.value)) < 2500
    assert json.dumps([failure.reason for failure in error.value.report.failed]).count("withheld") == 299


def test_batches_are_under_way_together_and_the_next_is_encoded_meanwhile(
    store: NeuralSparseStore, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_are_under_way, third_is_encoded = threading.Barrier(2), threading.Event()
    bulk, encode = store.client().bulk, encoder.encode_documents
    first_two = iter(range(2))

    def meet(**arguments: Any) -> Any:
        if next(first_two, None) is not None:
            both_are_under_way.wait(timeout=10)
            assert third_is_encoded.wait(timeout=10)
        return bulk(**arguments)

    def encoded(texts: Sequence[str]) -> Any:
        vectors = encode(texts)
        if len(encoder.calls) == 3:
            third_is_encoded.set()
        return vectors

    monkeypatch.setattr(store.client(), "bulk", meet)
    monkeypatch.setattr(encoder, "encode_documents", encoded)
    report = store.write((f"text {n}" for n in range(40)), options=WriteOptions(batch_size=10))
    assert report.written == store.count() == 40


@pytest.mark.parametrize("in_flight", [1, 2, 4])
def test_last_of_many_writes_of_one_id_stands(
    store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    bulk = store.client().bulk
    lock, turns = threading.Lock(), iter(range(1000))

    def early_ones_late(**arguments: Any) -> Any:
        with lock:
            decision = next(turns)
        time.sleep(0.02 if decision % 2 == 0 else 0.0)
        return bulk(**arguments)

    monkeypatch.setattr(store.client(), "bulk", early_ones_late)
    documents = [{"id": f"{n % 7}", "vector": {"a": 1.0}, "metadata": {"version": n}} for n in range(60)]
    assert store.write(documents, options=WriteOptions(batch_size=3, in_flight=in_flight)).written == 60
    assert [row.metadata["version"] for row in store.get(map(str, range(7)))] == [56, 57, 58, 59, 53, 54, 55]


def test_long_texts_are_encoded_in_smaller_batches(store: NeuralSparseStore, encoder: WordEncoder) -> None:
    texts = ["red " * 100, "blue " * 100, "green " * 400, *["stone"] * 5]
    assert store.write(texts, options=WriteOptions(batch_size=10, batch_bytes=1000)).written == len(texts)
    assert list(map(len, encoder.calls)) == [2, 1, 5]


def test_rows_of_a_load_are_encoded_in_batches_of_their_size(store: NeuralSparseStore, encoder: WordEncoder) -> None:
    rows: list[dict[str, Any]] = [
        {"id": str(n), "text": "red " * 200, "metadata": {"note": "n" * 300}} for n in range(5)
    ]
    report = store.ingest(Load(rows), options=WriteOptions(batch_size=10, batch_bytes=2500))
    assert report.written == 5
    assert list(map(len, encoder.calls)) == [2, 2, 1]


def test_error_in_the_stream_is_passed_on_after_what_was_read_before(store: NeuralSparseStore) -> None:
    def stream() -> Iterator[str]:
        yield from (f"text {n}" for n in range(65))
        raise OSError("unreadable")

    before = threading.active_count()
    with pytest.raises(OSError, match="unreadable"):
        store.write(stream(), options=WriteOptions(batch_size=10))
    assert threading.active_count() == before
    store.refresh()
    assert store.count() == 65


def test_items_the_server_has_no_room_for_are_sent_again_and_lost_ones_are_reported(
    store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk = store.client().bulk
    sent: list[int] = []

    def without_room_for_b(**arguments: Any) -> Any:
        sent.append(arguments["body"].count(b"\n") // 2)
        response = bulk(**arguments)
        names = [json.loads(line)["index"]["_id"] for line in arguments["body"].splitlines()[::2]]
        response["items"] = [
            {"index": CROWDED} if name == "b" else item for name, item in zip(names, response["items"], strict=True)
        ]
        return response

    monkeypatch.setattr(store.client(), "bulk", without_room_for_b)
    options = WriteOptions(max_retries=2, initial_backoff=0.01)
    with pytest.raises(BulkWriteError) as error:
        store.write([{"id": name, "text": name} for name in "abc"], options=options)
    assert sent == [3, 1, 1]
    assert error.value.report.written == 2
    assert [(failure.id, failure.status) for failure in error.value.report.failed] == [("b", 429)]
