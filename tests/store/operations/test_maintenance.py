"""Templates, rollovers, memory and segments on real servers, by both stores."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    FieldType,
    IndexNotBoundError,
    IndexSchema,
    IndexSchemaError,
    NeuralSparseStore,
    SeismicParameters,
    ServerRequestError,
    UnsupportedServerError,
)
from opensearch_neural_sparse.index.mapping import index_template_body
from opensearch_neural_sparse.server_info import parse_version
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

ONE_SHARD = {"number_of_shards": 1}
SCHEMA = IndexSchema(metadata_fields={"year": {"type": "integer"}})


@pytest.fixture
def family(client: Any) -> Iterator[str]:
    """A name of which indices, an alias and a template may be made."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    client.indices.delete(index=f"{name}*", ignore_unavailable=True)
    client.indices.delete_index_template(name=name, ignore=[404])


def bound_models(client: Any, family: str) -> dict[str, str]:
    found = client.indices.get(index=f"{family}*")
    stamps = {name: body["mappings"]["_meta"]["opensearch_neural_sparse"]["fields"] for name, body in found.items()}
    return {name: stamp["sparse_vector"]["weights_sha256"] for name, stamp in stamps.items()}


def test_index_that_a_rollover_makes_carries_the_model(
    client: Any, family: str, encoder: WordEncoder, make_store: MakeStore
) -> None:
    make = make_store(schema=SCHEMA)
    make.create_template(family, [f"{family}-*"], settings=ONE_SHARD)
    client.indices.create(index=f"{family}-000001", body={"aliases": {family: {"is_write_index": True}}})
    store = NeuralSparseStore(family, client=client, query_encoder=encoder, document_encoder=encoder, schema=SCHEMA)
    store.write([{"id": "1", "text": "red planet", "metadata": {"year": 1}}])
    client.indices.rollover(alias=family)
    store.write([{"id": "2", "text": "red sea", "metadata": {"year": 2}}])

    models = bound_models(client, family)
    assert list(models) == [f"{family}-000001", f"{family}-000002"]
    assert len(set(models.values())) == 1
    assert [client.count(index=name)["count"] for name in models] == [1, 1]
    assert {hit.id for hit in store.search("red")} == {"1", "2"}
    assert {hit.id for hit in store.hybrid_search("red sea")} == {"1", "2"}
    fresh = NeuralSparseStore(family, client=client, query_encoder=encoder)
    assert [hit.id for hit in fresh.search("red", filter={"range": {"year": {"gte": 2}}})] == ["2"]
    assert fresh.open().binding is not None


def test_write_that_a_rollover_overtakes_loses_nothing(
    client: Any, family: str, encoder: WordEncoder, make_store: MakeStore
) -> None:
    make_store(schema=SCHEMA).create_template(family, [f"{family}-*"], settings=ONE_SHARD)
    client.indices.create(index=f"{family}-000001", body={"aliases": {family: {"is_write_index": True}}})
    store = NeuralSparseStore(family, client=client, query_encoder=encoder, document_encoder=encoder, schema=SCHEMA)

    def documents() -> Iterator[dict[str, str]]:
        for number in range(500):
            if number == 300:
                client.indices.rollover(alias=family)
            yield {"id": f"{number}", "text": "red planet"}

    assert store.write(documents()).written == 500
    assert store.count() == 500
    assert len(bound_models(client, family)) == 2


def test_template_needs_a_model_and_patterns(client: Any, family: str, store: NeuralSparseStore) -> None:
    with pytest.raises(IndexNotBoundError):
        NeuralSparseStore(family, client=client).create_template(family, [f"{family}-*"])
    with pytest.raises(TypeError, match="one string"):
        store.create_template(family, f"{family}-*")
    with pytest.raises(ValueError, match="at least one pattern"):
        store.create_template(family, [])
    assert not client.indices.exists_index_template(name=family)


def test_template_of_the_same_priority_for_the_same_names_is_refused(family: str, store: NeuralSparseStore) -> None:
    store.create_template(family, [f"{family}-*"])
    store.create_template(family, [f"{family}-*", f"{family}_*"])
    with pytest.raises(ServerRequestError, match="matching patterns from existing templates"):
        store.create_template(f"{family}-other", [f"{family}-a*"])
    assert store.count() == 0


def test_template_body_keeps_what_it_is_given() -> None:
    body: dict[str, Any] = {"settings": {"index.number_of_shards": 1}, "mappings": {}}
    wanted = {"index_patterns": ["a-*", "b"], "priority": 7, "template": body}
    assert index_template_body(iter(["a-*", "b"]), body, priority=7) == wanted


async def test_asynchronous_store_makes_templates_and_merges(
    client: Any, family: str, server: RunningServer, encoder: WordEncoder
) -> None:
    async with AsyncNeuralSparseStore(
        f"{family}-1", url=server.url, query_encoder=encoder, document_encoder=encoder
    ) as store:
        await store.create_template(family, [f"{family}-*"])
        client.indices.create(index=f"{family}-1")
        for text in ("red", "blue"):
            await store.write([text])
        await store.force_merge()
        assert segments(client, f"{family}-1") == 1
        with pytest.raises((UnsupportedServerError, IndexSchemaError)):
            await store.warm_up()
    assert len(bound_models(client, family)) == 1


def segments(client: Any, index: str) -> int:
    client.indices.refresh(index=index)
    return sum(row["searchable"] == "true" for row in client.cat.segments(index=index, format="json"))


def test_segments_are_merged(store: NeuralSparseStore, client: Any) -> None:
    for text in ("red", "blue", "green"):
        store.write([text])
    store.force_merge(max_segments=2)
    assert segments(client, store.index) <= 2
    store.force_merge()
    assert segments(client, store.index) == 1
    with pytest.raises(ValueError, match="max_segments"):
        store.force_merge(max_segments=0)


def has_sparse_vector(server: RunningServer) -> bool:
    return parse_version(server.version) >= (3, 3, 0)


UPKEEP: list[Callable[[NeuralSparseStore], None]] = [NeuralSparseStore.warm_up, NeuralSparseStore.clear_cache]


@pytest.mark.parametrize("tend", UPKEEP)
def test_approximate_index_is_loaded_and_let_go_and_found_as_before(
    make_store: MakeStore, server: RunningServer, tend: Callable[[NeuralSparseStore], None]
) -> None:
    if not has_sparse_vector(server):
        pytest.skip("sparse_vector came with OpenSearch 3.3")
    schema = IndexSchema(field_type=FieldType.SPARSE_VECTOR, seismic=SeismicParameters(approximate_threshold=1))
    store = make_store(schema=schema)
    store.create(settings=ONE_SHARD)
    store.write([{"id": "1", "vector": {"red": 1.5}}, {"id": "2", "vector": {"planet": 1.5}}])
    before = store.search({"red": 1.0})
    tend(store)
    assert store.search({"red": 1.0}) == before
    assert [hit.id for hit in before] == ["1"]


@pytest.mark.parametrize("tend", UPKEEP)
def test_index_that_is_searched_exactly_has_nothing_to_load(
    store: NeuralSparseStore, server: RunningServer, tend: Callable[[NeuralSparseStore], None]
) -> None:
    expected = (IndexSchemaError, "searched exactly") if has_sparse_vector(server) else (UnsupportedServerError, "3.3")
    with pytest.raises(expected[0], match=expected[1]):
        tend(store)
