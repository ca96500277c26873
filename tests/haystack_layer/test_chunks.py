"""Indices that the core's store made and Haystack reads: of chunks, and with further sparse fields."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import (
    ChunkOptions,
    IndexSchema,
    IndexSchemaError,
    ModelBinding,
    NeuralSparseStore,
    resolve_files,
)
from opensearch_neural_sparse.errors import MissingVectorWarning
from opensearch_neural_sparse.index.binding.model_binding import write_bindings
from opensearch_neural_sparse.index.mapping import add_field_body
from opensearch_neural_sparse.models.registry import get_model
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

LONG = "Split a string into a list of words. Return a copy of it in upper case. Close the file that was opened."


@pytest.fixture
def chunked(make_store: MakeStore, client: Any, index_name: str) -> OpenSearchNeuralSparseDocumentStore:
    schema = IndexSchema(chunking=ChunkOptions(tokens=10, overlap=0))
    with NeuralSparseStore(index_name, client=client, model=SMALL_MODEL, schema=schema) as core:
        core.create()
        core.write([{"id": "long", "text": LONG, "metadata": {"part": 1}}, {"id": "short", "text": "Join two paths."}])
    return make_store()


@pytest.mark.parametrize("kind", [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever])
async def test_document_comes_with_the_chunk_that_it_was_found_by(
    chunked: OpenSearchNeuralSparseDocumentStore, kind: Any
) -> None:
    retriever = kind(document_store=chunked)
    (found,) = retriever.run("upper case", top_k=1)["documents"]
    chunk = found.meta["_chunk"]
    assert (found.id, found.content, found.meta["part"]) == ("long", LONG, 1)
    assert chunk["number"] > 0
    assert "upper case" in chunk["text"]
    assert LONG[chunk["start"] : chunk["end"]] == chunk["text"]
    (awaited,) = (await retriever.run_async("upper case", top_k=1))["documents"]
    assert awaited == found


def test_documents_that_were_not_searched_for_have_no_chunk(chunked: OpenSearchNeuralSparseDocumentStore) -> None:
    read = {document.id: document for document in chunked.filter_documents()}
    assert (read["long"].meta, read["short"].meta) == ({"part": 1}, {})


async def test_index_of_chunks_is_not_written_to(chunked: OpenSearchNeuralSparseDocumentStore) -> None:
    before = chunked.filter_documents()
    for document in (Document(id="long", content="other"), before[0]):
        with pytest.raises(IndexSchemaError, match=r"a vector for each chunk.*NeuralSparseStore"):
            chunked.write_documents([document])
        with pytest.raises(IndexSchemaError, match=r"a vector for each chunk.*NeuralSparseStore"):
            await chunked.write_documents_async([document])
    assert chunked.filter_documents() == before


def test_chunk_of_a_document_that_was_found_is_not_stored(make_store: MakeStore) -> None:
    store = make_store()
    store.write_documents([Document(id="1", content="x", meta={"_chunk": {"number": 0}, "kept": True})])
    assert [document.meta for document in store.filter_documents()] == [{"kept": True}]


def test_further_sparse_field_that_stays_empty_is_warned_of(
    make_store: MakeStore, client: Any, index_name: str, toy_model: Path
) -> None:
    with NeuralSparseStore(index_name, client=client, model=SMALL_MODEL) as core:
        core.create()
    other = ModelBinding.of(resolve_files(get_model(toy_model)), text_field="content")
    meta = client.indices.get_mapping(index=index_name)[index_name]["mappings"]["_meta"]
    body = {"properties": add_field_body("other"), "_meta": write_bindings({"other": other}, meta)}
    client.indices.put_mapping(index=index_name, body=body)
    with pytest.warns(MissingVectorWarning, match=r"in 'other'.*add_field\(\) fills it") as warned:
        assert make_store().write_documents([Document(id="1", content="x")]) == 1
    assert [one.message.missing for one in warned] == [{"sparse_vector": ("1",), "other": ("1",)}]
