"""Stores whose documents are encoded by an encoder behind HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    ChunkOptions,
    DocumentEncoder,
    IndexSchema,
    Load,
    ModelMismatchError,
    NeuralSparseStore,
    Prune,
    RemoteEncoderError,
    WriteOptions,
)
from tests.encode.remote.stub import EncoderStub, Fault, OwnStub
from tests.encode.remote.test_loading import ToyEncoder, own_info
from tests.encode.remote.test_remote_encoder import QUICK, WEIGHTS
from tests.paths import SMALL_MODEL
from tests.toy import write_bi_encoder

ROWS = [{"id": str(n), "text": f"The river number {n} runs to the sea."} for n in range(60)]
STATED = QUICK | {"weights_sha256": WEIGHTS, "max_retries": 2}
OpenStore = Callable[..., NeuralSparseStore]


@pytest.fixture
def open_store(client: Any, index_name: str, stub: EncoderStub, without_weights: Path) -> OpenStore:
    """Open stores of one index on a machine without the model's weights."""

    def open_it(*, remote: dict[str, Any] | None = None, model: Path | None = without_weights, **options: Any) -> Any:
        encoder = {"url": stub.url, "remote_options": STATED | (remote or {})}
        store = NeuralSparseStore(index_name, client=client, model=model, encoder_options=encoder, **options)
        if model is not None and not client.indices.exists(index=index_name):
            store.create(settings={"number_of_replicas": 0})
        return store

    return open_it


def weights(store: NeuralSparseStore) -> dict[str, dict[str, float]]:
    return {document.id: dict(document.vector) for document in store.scan()}


def test_index_written_by_an_encoder_elsewhere_equals_one_written_here(
    open_store: OpenStore, client: Any, index_name: str, stub: EncoderStub
) -> None:
    schema = IndexSchema(chunking=None)
    with open_store(schema=schema, prune=Prune.parse("max_ratio:0.1")) as store:
        store.write(ROWS)
        asked = len(stub.requests)
        found = store.search("a river", size=5)
        assert len(stub.requests) == asked, "queries of a doc-only model are looked up here"
        elsewhere = weights(store)
    with NeuralSparseStore(index_name, client=client, model=SMALL_MODEL) as here:
        assert [hit.id for hit in here.search("a river", size=5)] == [hit.id for hit in found]
        here.write(ROWS)
        for name, vector in weights(here).items():
            assert elsewhere[name] == pytest.approx(vector, rel=1e-2)
    stub.stop()
    with open_store() as store:
        assert [hit.id for hit in store.search("a river", size=5)] == [hit.id for hit in found], "nothing is asked"


def test_model_is_left_to_the_stamp(open_store: OpenStore, client: Any, index_name: str) -> None:
    from opensearch_neural_sparse import register_model

    with NeuralSparseStore(index_name, client=client, model=SMALL_MODEL) as store:
        store.create()
    register_model(SMALL_MODEL, name="small-en")
    with open_store(model=None) as store:
        assert store.write(ROWS).written == len(ROWS)
        assert all(weights(store).values())


def test_chunks_are_encoded_elsewhere(open_store: OpenStore, without_weights: Path) -> None:
    text = " ".join(f"The river number {n} runs to the sea." for n in range(40))
    with open_store(schema=IndexSchema(chunking=ChunkOptions(tokens=64, overlap=8))) as store:
        store.write([{"id": "1", "text": text}])
        (document,) = store.scan()
        assert len(document.chunks) > 3
        assert store.search("river number 39")[0].chunk is not None


def test_another_model_at_the_address_is_refused(
    open_store: OpenStore, stub: EncoderStub, tmp_path: Path, local: DocumentEncoder
) -> None:
    with open_store() as store:
        store.write(ROWS[:1])
    other = "f" * 64
    if isinstance(stub, OwnStub):
        stub.changes = {"weights_sha256": other}
    with open_store(remote={"weights_sha256": other}) as store:
        with pytest.raises(ModelMismatchError, match=r"weights \w{12} and f{12} differ"):
            store.write(ROWS[1:])
        assert store.count() == 1


def test_model_that_changes_in_the_middle_of_a_load_ends_it(open_store: OpenStore, stub: EncoderStub) -> None:
    def change() -> None:
        if len(stub.requests) > 2:
            if isinstance(stub, OwnStub):
                stub.changes = {"weights_sha256": "f" * 64}
            else:
                stub.model = "/models/other"  # type: ignore[attr-defined]

    stub.before = change
    with open_store(remote={"in_flight": 1}) as store:
        with pytest.raises(RemoteEncoderError, match="encodes with another model"):
            store.ingest(Load(iter(ROWS)), options=WriteOptions(batch_size=10))
        store.refresh()
        assert store.count() < len(ROWS)


def test_text_that_is_refused_fails_its_own_document(open_store: OpenStore, stub: EncoderStub) -> None:
    stub.refused = "poison"
    rows = [*ROWS[:10], {"id": "bad", "text": "This is poison."}, *ROWS[10:20]]
    with open_store() as store:
        report = store.ingest(Load(iter(rows)))
        assert (report.written, report.refused) == (20, 1)
        assert report.letters[0].id == "bad"
        assert "status 422" in report.letters[0].reason
        assert "poison" not in report.letters[0].reason
        assert all(weights(store).values())


def test_temporary_failures_lose_nothing(open_store: OpenStore, stub: EncoderStub) -> None:
    stub.faults += [Fault.RESET, Fault.UNAVAILABLE, Fault.CUT, Fault.PAGE]
    with open_store(remote={"max_retries": 5}) as store:
        assert store.ingest(Load(iter(ROWS))).written == len(ROWS)
        assert all(weights(store).values())


@pytest.mark.parametrize("way", ["stopped", "busy"])
def test_encoder_that_ends_in_the_middle_of_a_load_loses_nothing(
    way: str, open_store: OpenStore, stub: EncoderStub, tmp_path: Path
) -> None:
    def end() -> None:
        if len(stub.requests) == 4:
            stub.before = lambda: None
            if way == "stopped":
                stub.stop()
            stub.faults += [Fault.UNAVAILABLE if way == "busy" else Fault.RESET] * 50

    stub.before = end
    options = WriteOptions(batch_size=10)
    with open_store(remote={"in_flight": 1}) as store:
        with pytest.raises(RemoteEncoderError, match=r"did not answer|status 503"):
            store.ingest(Load(iter(ROWS), journal=tmp_path / "journal", source="rows"), options=options)
        store.refresh()
        stored = weights(store)
        assert 0 < len(stored) < len(ROWS)
        assert all(stored.values()), "nothing is stored without its vector"
    stub.faults.clear()
    with type(stub)(stub.encoder, port=stub.port if way == "stopped" else 0) as again:
        encoder = {"url": again.url, "remote_options": STATED}
        store = open_store()
        with NeuralSparseStore(store.index, client=store.client(), model=SMALL_MODEL, encoder_options=encoder) as store:
            report = store.ingest(Load(iter(ROWS), journal=tmp_path / "journal", source="rows"), options=options)
            assert report.complete
            assert report.written + report.unchanged == len(ROWS)
            assert weights(store).keys() == {row["id"] for row in ROWS}
            assert all(weights(store).values())


def test_write_to_an_encoder_that_is_away_stores_nothing(open_store: OpenStore, stub: EncoderStub) -> None:
    with open_store() as store:
        stub.faults += [Fault.UNAVAILABLE] * 50
        with pytest.raises(RemoteEncoderError, match="status 503"):
            store.write(ROWS)
        store.refresh()
        assert store.count() == 0


def test_index_is_reindexed_and_given_a_field_by_an_encoder_elsewhere(
    open_store: OpenStore, client: Any, index_name: str, stub: EncoderStub, without_weights: Path
) -> None:
    encoder = {"url": stub.url, "remote_options": STATED}
    with open_store() as store:
        store.write(ROWS[:10])
        assert store.add_field("second", model=without_weights, encoder_options=encoder) == 10
        try:
            report = store.reindex_with_model(f"{index_name}-copy", model=without_weights, encoder_options=encoder)
            assert report.documents == 10
        finally:
            client.indices.delete(index=f"{index_name}-copy", ignore_unavailable=True)


async def test_asynchronous_store_encodes_elsewhere(
    server: Any, index_name: str, client: Any, stub: EncoderStub, without_weights: Path
) -> None:
    from opensearch_neural_sparse import AsyncNeuralSparseStore

    encoder = {"url": stub.url, "remote_options": STATED}
    async with AsyncNeuralSparseStore(
        index_name, url=server.url, model=without_weights, encoder_options=encoder
    ) as store:
        await store.create()
        assert (await store.write(ROWS)).written == len(ROWS)
        assert len(await store.search("a river")) == 10


def test_documents_and_queries_of_a_bi_encoder_are_encoded_elsewhere(
    client: Any, index_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_bi_encoder(tmp_path / "bi-encoder")
    encoder = ToyEncoder(root)
    weights_sha256 = encoder.files.weights_sha256
    with OwnStub(encoder) as stub:  # type: ignore[arg-type]
        monkeypatch.setattr(stub, "info", lambda: own_info(encoder, weights_sha256))
        (root / "model.safetensors").unlink()
        options = {"encoder_options": {"url": stub.url, "remote_options": QUICK}}
        with NeuralSparseStore(index_name, client=client, model=root, **options) as store:
            store.create()
            store.write([{"id": "1", "text": "red planet"}, {"id": "2", "text": "rare mars"}])
            assert [hit.id for hit in store.search("mars")] == ["2"]
            assert store.open().binding.weights_sha256 == weights_sha256
    assert stub.requests == [2, 1]
