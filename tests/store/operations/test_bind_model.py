"""Stamping an index that someone else made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    IndexNotBoundError,
    IndexNotFoundError,
    IndexSchemaError,
    ModelMismatchError,
    NeuralSparseStore,
)
from opensearch_neural_sparse.store.operations.model_changes import bind_model
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore
from tests.toy import IDF, write_doc_only, write_json

MAPPINGS = {
    "_meta": {"owner": "search team", "opensearch_neural_sparse": {"other": 1}},
    "properties": {"sparse_vector": {"type": "rank_features"}, "content": {"type": "text"}},
}
FITTING = [{"content": "red planet", "sparse_vector": {"red": 1.0, "planet": 2.0}}, {"content": "no vector"}]


def fill(client: Any, index: str, documents: list[dict[str, Any]], *, shards: int = 1, **mappings: Any) -> None:
    settings = {"number_of_shards": shards}
    client.indices.create(index=index, body={"mappings": MAPPINGS | mappings, "settings": settings})
    if documents:
        client.bulk(index=index, body=[line for document in documents for line in ({"index": {}}, document)])
    client.indices.refresh(index=index)


def meta(client: Any, index: str) -> dict[str, Any]:
    held: dict[str, Any] = client.indices.get_mapping(index=index)[index]["mappings"]["_meta"]
    return held


def test_index_whose_tokens_the_model_has_is_stamped_and_keeps_other_keys(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    fill(client, store.index, FITTING)
    assert store.open().binding is None
    binding = store.bind_model()
    assert store.open().binding == binding
    held = meta(client, store.index)
    assert (held["owner"], held["opensearch_neural_sparse"]["other"]) == ("search team", 1)
    assert make_store(query_encoder=None, document_encoder=None).open().binding == binding
    assert store.bind_model() == binding


def test_tokens_that_the_model_does_not_have_are_named_and_nothing_is_written(
    make_store: MakeStore, client: Any
) -> None:
    store = make_store()
    fill(client, store.index, [*FITTING, {"sparse_vector": {"venus": 1.0, "planet": 1.0}}])
    with pytest.raises(ModelMismatchError, match=r"carries no model, but 'toy-model' was given: .*'venus'") as error:
        store.bind_model()
    assert error.value.bound is None
    assert "fields" not in meta(client, store.index)["opensearch_neural_sparse"]


def test_weights_that_another_model_made_are_found_by_encoding_again(
    make_store: MakeStore, client: Any, encoder: WordEncoder
) -> None:
    store = make_store()
    (vector,) = encoder.encode_documents(["red planet mars"])
    fill(client, store.index, [{"content": "red planet mars", "sparse_vector": dict(vector)}])
    store.bind_model(verify=5)
    client.index(index=store.index, body={"content": "red planet", "sparse_vector": {"red": 5.0, "planet": 0.1}})
    client.indices.refresh(index=store.index)
    client.indices.put_mapping(index=store.index, body={"_meta": {}})
    with pytest.raises(ModelMismatchError, match=r"agrees with its stored weights by 0\.\d+, not 0\.99"):
        make_store().bind_model(verify=5)


def test_texts_are_needed_to_verify_weights(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    fill(client, store.index, [{"sparse_vector": {"red": 1.0}}])
    with pytest.raises(IndexSchemaError, match="cannot be verified"):
        store.bind_model(verify=1)


def test_another_model_s_stamp_stays_unless_it_is_to_be_replaced(
    store: NeuralSparseStore, make_store: MakeStore, tmp_path: Path
) -> None:
    root = write_doc_only(tmp_path / "other-model")
    (root / "query_0_SparseStaticEmbedding" / "model.safetensors").unlink()
    write_json(root / "idf.json", IDF | {"mars": 9.0})
    other = make_store(model=root, query_encoder=None, document_encoder=None)
    with pytest.raises(ModelMismatchError, match=r"differ in model, query_sha256.*replace=True"):
        other.bind_model()
    assert other.bind_model(replace=True).model == "other-model"
    with pytest.raises(ModelMismatchError):
        make_store().open()


def test_what_cannot_be_stamped_is_refused(make_store: MakeStore, client: Any, other_index: str) -> None:
    store = make_store()
    with pytest.raises(IndexNotFoundError):
        store.bind_model()
    with pytest.raises(IndexNotBoundError, match="Name the model"):
        make_store(query_encoder=None, document_encoder=None).bind_model()
    for index in (store.index, other_index):
        fill(client, index, [])
    both = NeuralSparseStore(
        f"{store.index},{other_index}", client=client, document_encoder=store._context.encoders.document()
    )
    with pytest.raises(IndexSchemaError, match="covers several indices"):
        both.bind_model()


def texts(count: int) -> list[dict[str, Any]]:
    return [{"content": f"text {n}"} for n in range(count)]


@pytest.mark.parametrize("shards", [1, 3])
def test_the_only_vector_among_thousands_of_documents_is_found(make_store: MakeStore, client: Any, shards: int) -> None:
    store = make_store()
    fill(client, store.index, [*texts(1500), {"sparse_vector": {"venus": 1.0}}, *texts(1500)], shards=shards)
    with pytest.raises(ModelMismatchError, match="venus"):
        store.bind_model(sample=10)
    assert "fields" not in meta(client, store.index)["opensearch_neural_sparse"]


def test_no_more_is_drawn_than_the_vectors_that_are_wanted(
    make_store: MakeStore, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    search = client.search
    monkeypatch.setattr(client, "search", lambda **parts: sizes.append(parts["body"]["size"]) or search(**parts))
    store = make_store()
    fill(client, store.index, FITTING[:1] * 30)
    store.bind_model(sample=10)
    assert sizes == [10]


def test_vectors_that_no_search_finds_yet_are_looked_at(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    fill(client, store.index, [])
    client.indices.put_settings(index=store.index, body={"index.refresh_interval": "-1"})
    client.index(index=store.index, body={"sparse_vector": {"venus": 1.0}})
    with pytest.raises(ModelMismatchError, match="venus"):
        store.bind_model()


def test_index_without_any_vector_is_stamped(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    fill(client, store.index, texts(1200), shards=2)
    assert store.bind_model(sample=5) == store.open().binding


def test_vectors_that_were_not_found_within_the_bound_are_not_vouched_for(
    make_store: MakeStore, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bind_model, "DRAWN_FOR_EACH", 20)
    store = make_store()
    fill(client, store.index, texts(60))
    with pytest.raises(IndexSchemaError, match=r"None of 40 documents .* has a vector in .*larger sample: up to 20"):
        store.bind_model(sample=2)
    with pytest.raises(IndexSchemaError, match="None of 60 documents"):
        store.bind_model(sample=3)
    assert store.open().binding is None
    assert store.bind_model(sample=4) == store.open().binding


@pytest.mark.parametrize("kept", [{"excludes": ["sparse_vector"]}, {"includes": ["content"]}])
def test_vectors_that_documents_do_not_show_are_not_vouched_for(
    make_store: MakeStore, client: Any, kept: dict[str, Any]
) -> None:
    store = make_store()
    fill(client, store.index, [{"sparse_vector": {"venus": 1.0}}], _source=kept)
    with pytest.raises(IndexSchemaError, match="leaves fields out of _source"):
        store.bind_model()
    client.indices.delete(index=store.index)
    fill(client, store.index, [], _source=kept)
    assert store.bind_model() == store.open().binding


async def test_awaited_store_binds_alike(
    server: RunningServer, client: Any, index_name: str, encoder: WordEncoder
) -> None:
    fill(client, index_name, FITTING)
    async with AsyncNeuralSparseStore(
        index_name, url=server.url, query_encoder=encoder, document_encoder=encoder
    ) as store:
        assert (await store.bind_model()).model == "toy-model"
        client.index(index=index_name, body={"sparse_vector": {"venus": 1.0}}, params={"refresh": "true"})
        with pytest.raises(ModelMismatchError, match="venus"):
            await AsyncNeuralSparseStore(
                index_name, url=server.url, document_encoder=WordEncoder(encoder.files, max_length=64)
            ).bind_model(replace=True)
