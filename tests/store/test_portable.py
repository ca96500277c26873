"""Stores and encoders are copied and pickled without what they opened."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import ssl
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    CachedDocumentEncoder,
    NeuralSparseStore,
    SearchHits,
    load_document_encoder,
    load_query_encoder,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.paths import SMALL_MODEL

COPIES = [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
NAMES = ["copy", "deepcopy", "pickle"]
NOWHERE = "http://localhost:9"


def found_by(store: NeuralSparseStore, query: str) -> list[str]:
    with store:
        return [hit.id for hit in store.search(query)]


@pytest.fixture
def open_store(server: RunningServer, index_name: str) -> Any:
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        store.create()
        store.write([{"id": "1", "text": "The heart pumps blood."}, {"id": "2", "text": "A stone in a river."}])
        store.search("heart")
        yield store


@pytest.mark.parametrize("copied", COPIES, ids=NAMES)
def test_a_copy_of_an_open_store_opens_its_own_client_and_model(open_store: NeuralSparseStore, copied: Any) -> None:
    twin = copied(open_store)
    assert twin.client() is not open_store.client()
    assert [hit.id for hit in twin.search("blood in the heart", size=1)] == ["1"]
    twin.write([{"id": "3", "text": "Money in a bank."}])
    twin.close()
    assert [hit.id for hit in open_store.search("money", size=1)] == ["3"]
    assert open_store.server() == twin.server()
    twin.close()


@pytest.mark.parametrize("copied", COPIES, ids=NAMES)
async def test_a_copy_of_an_awaited_store_opens_its_own_client(open_store: NeuralSparseStore, copied: Any) -> None:
    async with AsyncNeuralSparseStore(open_store.index, url=open_store._driver._url, model=SMALL_MODEL) as store:
        await store.search("heart")
        async with copied(store) as twin:
            assert await twin.client() is not await store.client()
            assert [hit.id for hit in await twin.search("blood in the heart", size=1)] == ["1"]
        assert len(await store.search("heart")) > 0


@pytest.mark.slow
def test_another_process_searches_by_a_pickled_store(open_store: NeuralSparseStore) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(found_by, (open_store, "a stone"))[0] == "2"


def test_a_client_that_was_handed_in_is_shared_by_copies_and_cannot_be_pickled(
    client: Any, index_name: str, encoder: WordEncoder
) -> None:
    store = NeuralSparseStore(index_name, client=client, query_encoder=encoder, document_encoder=encoder)
    store.create()
    store.write([{"id": "1", "text": "heart"}])
    for twin in (copy.copy(store), copy.deepcopy(store)):
        assert twin.client() is client
        assert [hit.id for hit in twin.search("heart")] == ["1"]
        twin.close()
    with pytest.raises(TypeError, match="a client cannot be pickled") as raised:
        pickle.dumps(store)
    assert "\n" not in str(raised.value)
    with pytest.raises(TypeError, match="a client cannot be pickled"):
        pickle.dumps(AsyncNeuralSparseStore(index_name, client=client, model=SMALL_MODEL))
    assert client.ping()


def test_copies_share_what_cannot_be_copied(encoder: WordEncoder) -> None:
    options = {"ssl_context": ssl.create_default_context()}
    store = NeuralSparseStore("a", url=NOWHERE, document_encoder=encoder, client_options=options)
    assert copy.deepcopy(store)._driver._client_options["ssl_context"] is options["ssl_context"]
    assert copy.deepcopy(store)._context.encoders.document() is encoder


def test_an_approximate_store_is_copied_with_the_token_ids_of_its_copys_model() -> None:
    from opensearch_neural_sparse import IndexSchema

    store = NeuralSparseStore("a", url=NOWHERE, model=SMALL_MODEL, schema=IndexSchema(field_type="sparse_vector"))
    twin = pickle.loads(pickle.dumps(store))
    assert twin.schema.token_ids.vocabulary == store.schema.token_ids.vocabulary
    assert twin.schema.token_ids is not store.schema.token_ids


def test_shared_encoders_are_shared_by_copies_taken_together() -> None:
    blocking = NeuralSparseStore("a", url=NOWHERE, model=SMALL_MODEL)
    awaited = AsyncNeuralSparseStore("a", url=NOWHERE, model=SMALL_MODEL)
    awaited.share_encoders(blocking)
    for one, other in (copy.deepcopy((blocking, awaited)), pickle.loads(pickle.dumps((blocking, awaited)))):
        assert one._context.encoders is other._context.encoders
        assert one._context.encoders is not blocking._context.encoders


def test_a_query_encoder_encodes_alike_after_pickling() -> None:
    encoder = load_query_encoder(SMALL_MODEL)
    for twin in (copied(encoder) for copied in COPIES):
        assert twin.encode_query("cardiac arrest") == encoder.encode_query("cardiac arrest")


def test_a_document_encoder_is_its_own_copy_and_says_why_it_is_not_pickled(tmp_path: Path) -> None:
    encoder = load_document_encoder(SMALL_MODEL, engine="onnx")
    assert copy.deepcopy(encoder) is copy.copy(encoder) is encoder
    cached = CachedDocumentEncoder(encoder, tmp_path / "vectors.sqlite", variant="mine")
    twin = copy.deepcopy(cached)
    assert (twin.path, twin.variant, twin.encoder) == (cached.path, "mine", encoder)
    assert twin.encode_documents(["heart"]) == cached.encode_documents(["heart"])
    for unpicklable in (encoder, cached):
        with pytest.raises(TypeError, match="holds a model in memory and cannot be pickled") as raised:
            pickle.dumps(unpicklable)
        assert "\n" not in str(raised.value)


def test_hits_are_pickled(open_store: NeuralSparseStore) -> None:
    hits = open_store.hybrid_search("heart", explain=True)
    thawed = pickle.loads(pickle.dumps(hits))
    assert isinstance(thawed, SearchHits)
    assert [hit.id for hit in thawed] == [hit.id for hit in hits]
    assert thawed[0].matches == hits[0].matches
