"""Documents that get no vector are written, reported and warned about, once a write."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    ChunkOptions,
    FieldVector,
    IndexSchema,
    NeuralSparseStore,
    SparseDocument,
    WriteOptions,
    register_model,
)
from opensearch_neural_sparse.errors import MissingVectorWarning
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.paths import SMALL_MODEL
from tests.store.conftest import MakeStore

pytestmark = pytest.mark.newest_server

WITHOUT = [{"id": "1"}, {"id": "2", "text": None}, {"id": "3", "text": ""}, {"id": "4", "text": " \n "}]
PAGES = WriteOptions(batch_size=1)


@contextmanager
def warned() -> Iterator[list[MissingVectorWarning]]:
    """Collect the warnings of documents without vectors; any other is an error."""
    found: list[MissingVectorWarning] = []
    with warnings.catch_warnings(record=True) as all_of_them:
        warnings.simplefilter("always")
        yield found
    found += [one.message for one in all_of_them if isinstance(one.message, MissingVectorWarning)]
    assert len(found) == len(all_of_them)


def test_documents_without_a_text_are_reported_and_warned_about_once_a_write(store: NeuralSparseStore) -> None:
    with warned() as found:
        report = store.write([*WITHOUT, "A text."], options=PAGES)
    assert report.complete
    assert report.without_vector == {"sparse_vector": ("1", "2", "3", "4")}
    assert str(report).endswith("Without a vector in 'sparse_vector': '1', '2', '3', '4'.")
    (warning,) = found
    assert warning.missing == report.without_vector
    assert str(warning) == (
        f"Of 5 documents written to index {store.index!r}, 4 have no vector in 'sparse_vector' and are not found by "
        "it: '1', '2', '3', '4'. A document needs a text with a token that the model knows, or a vector."
    )
    assert len(store.search("text")) == 1


async def test_the_awaited_store_says_the_same(
    store: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> None:
    options: dict[str, Any] = {"url": server.url, "query_encoder": encoder, "document_encoder": encoder}
    async with AsyncNeuralSparseStore(store.index, **options) as awaited:
        with warned() as found:
            report = await awaited.write([*WITHOUT, "A text."], options=PAGES)
        with warned() as none:
            assert not (await awaited.write(["Another text."])).without_vector
    assert report.without_vector == {"sparse_vector": ("1", "2", "3", "4")}
    assert [len(warning.missing["sparse_vector"]) for warning in found] == [4]
    assert none == []


def test_a_write_of_vectors_and_texts_warns_of_nothing(store: NeuralSparseStore) -> None:
    with warned() as found:
        report = store.write(["A text.", {"id": "1", "vector": {"text": 1.0}}], options=PAGES)
        store.update_text({"1": "Another text."})
        store.update_metadata({"1": {"year": 2026}})
        store.delete(["1"])
    assert (report.without_vector, found) == ({}, [])
    assert "Without" not in str(report)


def test_many_ids_are_counted_and_the_first_named(store: NeuralSparseStore) -> None:
    with warned() as found:
        store.write([{"id": str(number)} for number in range(12)])
    assert "12 have no vector" in str(found[0])
    assert "'0', '1', '2', '3', '4' and 7 more." in str(found[0])


def test_documents_that_were_not_written_are_none_of_them(store: NeuralSparseStore) -> None:
    store.write([{"id": "1", "text": "A text.", "metadata": {"year": 1}}])
    with warned() as found, pytest.raises(BulkWriteError) as refused:
        store.write([{"id": "2", "metadata": {"year": "long ago"}}, {"id": "3", "metadata": {"year": 3}}])
    assert refused.value.report.without_vector == {"sparse_vector": ("3",)}
    assert [warning.missing for warning in found] == [{"sparse_vector": ("3",)}]


def test_a_text_that_is_updated_to_nothing_is_warned_about(store: NeuralSparseStore) -> None:
    store.write([{"id": "1", "text": "A text."}, {"id": "2", "text": "A text."}])
    with warned() as found:
        report = store.update_text({"1": "", "2": "Another text."})
    assert report.without_vector == {"sparse_vector": ("1",)}
    assert len(found) == 1
    assert [hit.id for hit in store.search("text")] == ["2"]


def test_a_text_without_chunks_is_warned_about(make_store: MakeStore, files: Any) -> None:
    store = make_store(schema=IndexSchema(chunking=ChunkOptions(tokens=8, overlap=0)))
    store.create()
    with warned() as found:
        report = store.write([{"id": "1", "text": " "}, {"id": "2", "text": "A text."}])
    assert report.without_vector == {"chunks": ("1",)}
    assert len(found) == 1


def test_a_missing_dense_vector_is_warned_about_where_the_schema_has_a_dimension(make_store: MakeStore) -> None:
    store = make_store(schema=IndexSchema(embedding_dimension=2))
    store.create()
    with warned() as found:
        report = store.write(
            [{"id": "1", "text": "A text."}, {"id": "2", "embedding": [0.0, 1.0]}, {"id": "3", "text": "c"}]
        )
        store.update_text({"2": "Another text."})  # its dense vector stays
    assert report.without_vector == {"embedding": ("1", "3"), "sparse_vector": ("2",)}
    assert len(found) == 1
    assert "2 have no vector in 'embedding'" in str(found[0])
    assert "1 have no vector in 'sparse_vector'" in str(found[0])


@pytest.fixture
def other_model(snapshot: Callable[..., Path]) -> str:
    register_model(SMALL_MODEL, name=SMALL_MODEL.name)
    return register_model(snapshot(mode="bi-encoder", seed=7), name="other-model").name


def test_a_further_field_warns_of_documents_that_it_cannot_find(client: Any, index_name: str, other_model: str) -> None:
    with NeuralSparseStore(index_name, client=client, model=SMALL_MODEL) as store:
        store.create()
        held = SparseDocument(id="1", vector={"heart": 1.0})
        store.write([held, {"id": "2", "text": "A heart."}])
        with warned() as found:
            assert store.add_field("other", model=other_model, options=PAGES) == 1
        assert [warning.missing for warning in found] == [{"other": ("1",)}]
        with warned() as found:
            report = store.write([held], options=PAGES)
        assert report.without_vector == {"other": ("1",)}
        assert [warning.missing for warning in found] == [{"other": ("1",)}]
        whole = SparseDocument(id="1", vector={"heart": 1.0}, more_vectors={"other": FieldVector(vector={"heart": 1})})
        with warned() as found:
            store.write([whole])
        assert found == []


def test_a_copy_for_another_model_warns_of_texts_without_a_token(
    store: NeuralSparseStore, encoder: WordEncoder, other_index: str
) -> None:
    store.write([{"id": "1", "text": " "}, {"id": "2", "text": "A text."}, {"id": "3"}, {"id": "4", "text": "?"}])
    with warned() as found:
        report = store.reindex_with_model(other_index, document_encoder=encoder, on_missing_text="keep", options=PAGES)
    assert (report.without_text, report.without_vector) == (1, 3)
    assert [warning.missing for warning in found] == [{"sparse_vector": ("1", "4")}]


def test_awaited_work_of_many_requests_warns_once(
    store: NeuralSparseStore, server: RunningServer, encoder: WordEncoder, other_index: str
) -> None:
    store.write([{"id": "1", "text": " "}, {"id": "2", "text": "!"}])

    async def copy() -> Any:
        options: dict[str, Any] = {"url": server.url, "query_encoder": encoder, "document_encoder": encoder}
        async with AsyncNeuralSparseStore(store.index, **options) as awaited:
            return await awaited.reindex_with_model(other_index, document_encoder=encoder, options=PAGES)

    with warned() as found:
        report = asyncio.run(copy())
    assert (report.without_text, report.without_vector) == (0, 2)
    assert [warning.missing for warning in found] == [{"sparse_vector": ("1", "2")}]
