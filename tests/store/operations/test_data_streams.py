"""A data stream, whose indices the server makes by itself: written to by its name, searched whole."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import AsyncNeuralSparseStore, BulkWriteError, NeuralSparseStore, WriteOptions
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore

CREATE = WriteOptions(operation="create")  # type: ignore[arg-type]


def row(name: str, text: str) -> dict[str, Any]:
    return {"id": name, "text": text, "metadata": {"@timestamp": "2026-01-01T00:00:00Z"}}


@pytest.fixture
def stream(client: Any, make_store: MakeStore) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex}"
    make_store().create_template(name, [f"{name}*"], settings={"number_of_shards": 1})
    (made,) = client.indices.get_index_template(name=name)["index_templates"]
    client.indices.put_index_template(name=name, body={**made["index_template"], "data_stream": {}})
    client.indices.create_data_stream(name=name)
    yield name
    client.indices.delete_data_stream(name=name)
    client.indices.delete_index_template(name=name)


async def test_data_stream_is_written_to_by_its_name_and_searched_whole(
    stream: str, client: Any, server: RunningServer, encoder: WordEncoder
) -> None:
    parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder}
    store = NeuralSparseStore(stream, client=client, **parts)
    store.write([row("1", "red planet")], options=CREATE)
    client.indices.rollover(alias=stream)
    store.write([row("2", "red sea")], options=CREATE)
    hits = store.search("red")
    assert {hit.id for hit in hits} == {"1", "2"}
    assert len({hit.index for hit in hits}) == 2
    assert {hit.id for hit in store.hybrid_search("red sea")} == {"1", "2"}
    assert [document.id for document in store.scan()] == ["1", "2"]
    assert store.open().binding is not None
    async with AsyncNeuralSparseStore(f"{stream[:-2]}*", url=server.url, **parts) as pattern:
        assert {hit.id for hit in await pattern.search("red")} == {"1", "2"}


def test_keys_are_declared_for_the_index_that_a_data_stream_writes_to(
    stream: str, client: Any, encoder: WordEncoder
) -> None:
    parts: dict[str, Any] = {"client": client, "query_encoder": encoder, "document_encoder": encoder}
    store = NeuralSparseStore(stream, **parts)
    document = row("1", "red planet")
    store.write([{**document, "metadata": document["metadata"] | {"k": "4"}}], options=CREATE)
    client.indices.rollover(alias=stream)
    other = NeuralSparseStore(stream, **parts)
    other.open()
    store.write([{**document, "id": "2", "metadata": document["metadata"] | {"n": "4"}}], options=CREATE)
    for key in ("k", "n"):
        with pytest.raises(BulkWriteError, match=f"'{key}' is a number, but the field holds values of the kind text"):
            other.write([{**document, "id": "3", "metadata": document["metadata"] | {key: 4}}], options=CREATE)
    mapped = sorted(client.indices.get_mapping(index=stream).items())
    assert ["n" in body["mappings"]["properties"] for _, body in mapped] == [False, True]
