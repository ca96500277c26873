"""Documents that others wrote, whose text is a list, a number or a boolean: found, read, verified and encoded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    HybridOptions,
    ModelMismatchError,
    NeuralSparseStore,
    SparseLeg,
    get_model,
    load_document_encoder,
    resolve_files,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.paths import SMALL_MODEL
from tests.store.conftest import MakeStore
from tests.toy import write_doc_only, write_safetensors

pytestmark = pytest.mark.newest_server

CONTENTS: dict[str, Any] = {
    "list": ["Red <planet>", ["far", 7]],
    "number": 42.5,
    "boolean": True,
    "null": None,
    "string": "plain red",
}
TEXTS = {
    "list": "Red <planet>\nfar\n7",
    "number": "42.5",
    "boolean": "true",
    "null": None,
    "string": "plain red",
}


def fill(client: Any, index: str) -> None:
    """Write documents as others do, with the vectors of their texts."""
    for name, content in CONTENTS.items():
        text = TEXTS[name]
        vector = {} if text is None else {"sparse_vector": word_vector(text).to_dict()}
        client.index(index=index, id=name, body={"id": name, "content": content, "metadata": 1, **vector})
    client.indices.refresh(index=index)


@pytest.fixture
def store(make_store: MakeStore, client: Any) -> NeuralSparseStore:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    fill(client, store.index)
    return store


@pytest.fixture
def other_encoder(tmp_path: Path) -> WordEncoder:
    root = write_doc_only(tmp_path / "other-model")
    write_safetensors(root / "document_0_MLMTransformer" / "model.safetensors", {"weights": [0.25] * 10})
    return WordEncoder(resolve_files(get_model(root)))


@pytest.fixture
def copy_name(client: Any, index_name: str) -> Iterator[str]:
    yield f"{index_name}-copy"
    client.indices.delete(index=f"{index_name}-copy", ignore_unavailable=True)


@pytest.mark.parametrize(("query", "name"), [("planet", "list"), ("42.5", "number"), ("true", "boolean")])
def test_every_search_finds_the_text_and_marks_what_matched(store: NeuralSparseStore, query: str, name: str) -> None:
    legs = HybridOptions(legs=(SparseLeg(), Bm25Leg()))
    found = [
        store.search(query, explain=True),
        store.hybrid_search(query, options=legs, explain=True),
        store.search_many([query], explain=True)[0],
    ]
    for hits in found:
        assert [(hit.id, hit.text) for hit in hits] == [(name, TEXTS[name])]
        assert "<mark" in hits[0].to_html()
    assert [(hit.id, hit.text) for hit in store.match_search(query)] == [(name, TEXTS[name])]


def test_html_escapes_all_of_the_values(store: NeuralSparseStore) -> None:
    (hit,) = store.search("planet", explain=True)
    html = hit.to_html()
    assert html.startswith('Red &lt;<mark title="planet: ')
    assert html.endswith("</mark>&gt;\nfar\n7")


def test_documents_are_read_with_their_texts(store: NeuralSparseStore) -> None:
    assert {document.id: document.text for document in store.scan()} == TEXTS
    assert {document.id: document.text for document in store.get([*CONTENTS])} == TEXTS


async def test_awaited_searches_read_the_same(
    store: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> None:
    given: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder}
    async with AsyncNeuralSparseStore(store.index, url=server.url, **given) as awaited:
        assert [hit.text for hit in await awaited.search("planet")] == [TEXTS["list"]]
        assert {one.id: one.text for one in await awaited.get([*CONTENTS])} == TEXTS
        assert {one.id: one.text async for one in awaited.scan()} == TEXTS


def test_another_model_encodes_what_the_server_analyses(
    store: NeuralSparseStore, client: Any, copy_name: str, other_encoder: WordEncoder
) -> None:
    given: dict[str, Any] = {"document_encoder": other_encoder, "on_missing_text": "keep"}
    report = store.reindex_with_model(copy_name, **given)
    assert (report.documents, report.without_text) == (5, 1)
    assert sorted(text for call in other_encoder.calls for text in call) == sorted(filter(None, TEXTS.values()))
    copied = client.search(index=copy_name, body={"size": 10})["hits"]["hits"]
    assert {hit["_id"]: hit["_source"]["content"] for hit in copied} == CONTENTS
    with NeuralSparseStore(copy_name, client=client, query_encoder=other_encoder) as copy:
        assert [hit.id for hit in copy.search("7")] == ["list"]


def test_a_further_field_is_filled_from_them(store: NeuralSparseStore) -> None:
    assert store.add_field("sparse_other", model=SMALL_MODEL) == 4
    filled = {one.id: one.more_vectors["sparse_other"].vector for one in store.scan() if one.more_vectors}
    texts = {name: text for name, text in TEXTS.items() if text is not None}
    encoded = load_document_encoder(SMALL_MODEL).encode_documents([*texts.values()])
    assert set(filled) == set(texts)
    for name, vector in zip(texts, encoded, strict=True):
        assert dict(filled[name]) == pytest.approx(dict(vector), rel=0.01)


def test_weights_are_verified_against_them(make_store: MakeStore, client: Any, index_name: str) -> None:
    properties = {"sparse_vector": {"type": "rank_features"}, "content": {"type": "text"}}
    client.indices.create(index=index_name, body={"mappings": {"properties": properties}})
    vector = dict(word_vector("red planet mars"))
    body = {"content": ["red planet", "mars"], "sparse_vector": vector}
    client.index(index=index_name, id="list", body=body, params={"refresh": "true"})
    assert make_store().bind_model(verify=1).model == "toy-model"
    client.index(index=index_name, id="list", body=body | {"content": ["red", 7]}, params={"refresh": "true"})
    client.indices.put_mapping(index=index_name, body={"_meta": {}})
    with pytest.raises(ModelMismatchError, match="agrees with its stored weights"):
        make_store().bind_model(verify=1)
