"""Approximate search by several models, each of which has token ids of its own, on real servers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    FieldType,
    IndexSchema,
    IndexSchemaError,
    NeuralSparseStore,
    SeismicParameters,
    register_model,
    resolve_files,
)
from opensearch_neural_sparse.models import registry
from opensearch_neural_sparse.server_info import parse_version
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.toy import IDF, TOKENS, write_doc_only, write_json, write_safetensors

SCHEMA = IndexSchema(field_type=FieldType.SPARSE_VECTOR, seismic=SeismicParameters(approximate_threshold=1))
TEXTS = {"r": "red", "m": "mars", "p": "planet"}
A = {token: number for number, token in enumerate(TOKENS)}
B = A | {"red": A["mars"], "mars": A["planet"], "planet": A["red"]}
LARGE = A | {"beyond": 32_768}


def write_model(root: Path, vocabulary: dict[str, int]) -> Path:
    """Write a model whose tokens have these ids."""
    write_doc_only(root)
    for path in root.rglob("tokenizer.json"):
        content = json.loads(path.read_text())
        content["model"]["vocab"] = vocabulary
        write_json(path, content)
    table = dict.fromkeys(range(max(vocabulary.values()) + 1), 0.0)
    table |= {number: IDF.get(token, 0.0) for token, number in vocabulary.items()}
    write_safetensors(root / "query_0_SparseStaticEmbedding" / "model.safetensors", {"weight": [*table.values()]})
    config = root / "document_0_MLMTransformer" / "config.json"
    write_json(config, json.loads(config.read_text()) | {"vocab_size": len(table)})
    return root


def encoder_of(model: Path) -> WordEncoder:
    return WordEncoder(resolve_files(registry.get_model(model)))


@dataclass
class Indices:
    """Indices `<prefix>-a` and `<prefix>-b` of models that give tokens other ids, and names that lead there."""

    client: Any
    prefix: str
    a: Path
    b: Path

    def name(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def store(self, name: str, schema: IndexSchema = SCHEMA, **arguments: Any) -> NeuralSparseStore:
        return NeuralSparseStore(self.name(name), client=self.client, schema=schema, **arguments)

    def make(self, name: str, model: Path, schema: IndexSchema = SCHEMA) -> NeuralSparseStore:
        store = self.store(name, schema, document_encoder=encoder_of(model))
        store.create(settings={"number_of_shards": 1})
        store.write([{"id": f"{name}-{key}", "text": text} for key, text in TEXTS.items()])
        return store

    def point(self, alias: str, to: str, away_from: str | None = None) -> str:
        actions = [{"add": {"index": self.name(to), "alias": self.name(alias)}}]
        if away_from is not None:
            actions.append({"remove": {"index": self.name(away_from), "alias": self.name(alias)}})
        self.client.indices.update_aliases(body={"actions": actions})
        return self.name(alias)


@pytest.fixture
def indices(client: Any, server: RunningServer, tmp_path: Path) -> Iterator[Indices]:
    if parse_version(server.version) < (3, 3, 0):
        pytest.skip("sparse_vector came with OpenSearch 3.3")
    prefix = f"test-{uuid.uuid4().hex}"
    indices = Indices(client, prefix, write_model(tmp_path / "toy-a", A), write_model(tmp_path / "toy-b", B))
    for model in (indices.a, indices.b):
        register_model(model, name=model.name)
    indices.make("a", indices.a)
    indices.make("b", indices.b)
    yield indices
    client.indices.delete(index=f"{prefix}-*", ignore_unavailable=True)


def test_models_write_a_token_under_other_ids(indices: Indices) -> None:
    keys = [
        list(indices.client.get(index=indices.name(name), id=f"{name}-m")["_source"]["sparse_vector"])
        for name in ("a", "b")
    ]
    assert keys == [[str(A["mars"])], [str(B["mars"])]]


def test_store_takes_the_vocabulary_of_the_model_that_its_alias_moved_to(indices: Indices) -> None:
    indices.point("live", "a")
    store = indices.store("live")
    assert [hit.id for hit in store.search("mars")] == ["a-m"]
    indices.point("live", "b", away_from="a")
    for key, text in TEXTS.items():
        assert [hit.id for hit in store.search(text)] == [f"b-{key}"]
    assert list(store.get(["b-m"])[0].vector or ()) == ["mars"]
    store.write([{"id": "new", "vector": {"mars": 1.5}}])
    assert indices.client.get(index=indices.name("b"), id="new")["_source"]["sparse_vector"] == {str(B["mars"]): 1.5}


def test_store_takes_the_vocabulary_of_the_model_that_its_index_was_encoded_anew_by(indices: Indices) -> None:
    indices.point("live", "a")
    store = indices.store("live")
    assert [hit.id for hit in store.search("mars")] == ["a-m"]
    store.reindex_with_model(indices.name("v2"), document_encoder=encoder_of(indices.b), alias=indices.name("live"))
    (hit,) = store.search("mars", explain=True)
    assert (hit.id, hit.index, [match.token for match in hit.matches or ()]) == ("a-m", indices.name("v2"), ["mars"])
    assert {document.id: list(document.vector or ()) for document in store.scan()} == {
        f"a-{key}": [text] for key, text in TEXTS.items()
    }


def test_every_model_s_indices_are_searched_and_read_by_its_own_vocabulary(indices: Indices) -> None:
    store = indices.store("*")
    for key, text in TEXTS.items():
        hits = store.search(text, explain=True)
        assert {hit.id for hit in hits} == {f"a-{key}", f"b-{key}"}
        assert [[match.token for match in hit.matches or ()] for hit in hits] == [[text], [text]]
        fused = store.hybrid_search(text, explain=True)
        assert {hit.id: set(hit.legs or ()) for hit in fused} == {
            f"{name}-{key}": {"bm25", "sparse"} for name in ("a", "b")
        }
    assert [len(hits) for hits in store.search_many(["red", "", "planet"])] == [2, 0, 2]
    assert [list(document.vector or ()) for document in store.scan()] == [[document.text] for document in store.scan()]
    assert {hit.id for hit in store.match_search("mars")} == {"a-m", "b-m"}


@pytest.mark.parametrize("schema", [SCHEMA, IndexSchema()], ids=["approximate", "exact"])
async def test_indices_of_both_types_of_field_are_searched_by_one_name(
    indices: Indices, server: RunningServer, schema: IndexSchema
) -> None:
    indices.make("exact", indices.a, IndexSchema())
    for name in ("a", "exact"):
        indices.point("both", name)
    store = indices.store("both", schema)
    for key, text in TEXTS.items():
        hits = store.search(text, explain=True)
        assert {hit.id for hit in hits} == {f"a-{key}", f"exact-{key}"}
        assert [[match.token for match in hit.matches or ()] for hit in hits] == [[text], [text]]
        assert (hits.approximate, hits.fusion) == (True, "client rrf of 2 layouts")
        assert {hit.id for hit in store.hybrid_search(text)} == {f"a-{key}", f"exact-{key}"}
    assert {hit.id for hit in store.match_search("mars")} == {"a-m", "exact-m"}
    assert [list(document.vector or ()) for document in store.scan()] == [[document.text] for document in store.scan()]
    with pytest.raises(IndexSchemaError, match=r"\w+ without chunks in .*; \w+ without chunks in"):
        store.write(["mars"])
    async with AsyncNeuralSparseStore(indices.name("*"), url=server.url, schema=schema) as every:
        found = await every.search("mars")
        assert {hit.id for hit in found} == {"a-m", "b-m", "exact-m"}
        assert found.fusion == "client rrf of 3 models"


async def test_awaited_store_does_alike(indices: Indices, server: RunningServer) -> None:
    name = indices.point("live", "a")
    async with AsyncNeuralSparseStore(name, url=server.url, schema=SCHEMA) as store:
        assert [hit.id for hit in await store.search("mars")] == ["a-m"]
        indices.point("live", "b", away_from="a")
        assert [hit.id for hit in await store.search("mars")] == ["b-m"]
        assert [list(document.vector or ()) async for document in store.scan()] == [["mars"], ["planet"], ["red"]]
    async with AsyncNeuralSparseStore(indices.name("*"), url=server.url, schema=SCHEMA) as store:
        assert {hit.id for hit in await store.search("mars")} == {"a-m", "b-m"}


async def test_store_that_shares_encoders_translates_by_the_model_of_its_index(
    indices: Indices, server: RunningServer
) -> None:
    blocking = indices.store("live")
    async with AsyncNeuralSparseStore(indices.point("live", "a"), url=server.url, schema=SCHEMA) as awaited:
        awaited.share_encoders(blocking)
        assert [hit.id for hit in await awaited.search("mars")] == ["a-m"]
        assert list((await awaited.get(["a-m"]))[0].vector or ()) == ["mars"]
        await awaited.write([{"id": "new", "vector": {"mars": 1.5}}])
        assert {hit.id for hit in blocking.search("mars")} == {"a-m", "new"}
        indices.point("live", "b", away_from="a")
        assert [hit.id for hit in blocking.search("mars")] == ["b-m"]
        assert [hit.id for hit in await awaited.search("red")] == ["b-r"]


def test_index_is_not_encoded_anew_by_a_model_with_ids_that_the_server_would_fold(
    indices: Indices, tmp_path: Path
) -> None:
    source, target, large = indices.store("a"), indices.name("v2"), encoder_of(write_model(tmp_path / "large", LARGE))
    with pytest.raises(IndexSchemaError, match=r"32767.*32768"):
        source.reindex_with_model(target, document_encoder=large)
    assert not indices.client.indices.exists(index=target)
    assert "blocks" not in indices.client.indices.get_settings(index=source.index)[source.index]["settings"]["index"]
    assert large.calls == []
