"""Arrays as embeddings, and what is asked wrongly in Haystack's words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from haystack import Document

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import IndexNotFoundError
from tests.haystack_layer.conftest import MakeStore

pytestmark = pytest.mark.newest_server

VECTOR = [0.25, 0.5, 1.0]


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_arrays_are_embeddings_of_documents_and_queries(make_store: MakeStore, kind: str) -> None:
    array: Any = np.array(VECTOR, dtype=np.float32) if kind == "numpy" else pytest.importorskip("torch").tensor(VECTOR)
    store = make_store(embedding_dim=3)
    assert store.write_documents([Document(id="1", content="red mars", embedding=array)]) == 1
    (found,) = make_store(return_embedding=True).filter_documents()
    assert found.embedding == VECTOR
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store)
    assert [row.id for row in retriever.run("mars", query_embedding=array)["documents"]] == ["1"]


async def test_arrays_are_embeddings_where_they_are_awaited(make_store: MakeStore) -> None:
    store = make_store(embedding_dim=3)
    document = Document(id="1", content="red mars", embedding=np.array(VECTOR))  # type: ignore[arg-type]
    assert await store.write_documents_async([document]) == 1
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store)
    found = await retriever.run_async("mars", query_embedding=np.array(VECTOR))  # type: ignore[arg-type]
    assert [row.id for row in found["documents"]] == ["1"]
    await store.close_async()


@pytest.mark.parametrize("kind", [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever])
def test_top_k_out_of_range_is_named(make_store: MakeStore, kind: Any) -> None:
    for top_k in (0, -1, "10", 10_001):
        with pytest.raises(ValueError, match=f"top_k lies between 1 and 10000, got {top_k!r}"):
            kind(document_store=make_store(), top_k=top_k)
        with pytest.raises(ValueError, match=f"top_k lies between 1 and 10000, got {top_k!r}"):
            kind(document_store=make_store()).run(query="mars", top_k=top_k)


def test_query_and_custom_query_of_another_type_are_named(make_store: MakeStore) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=make_store())
    with pytest.raises(TypeError, match="custom_query is the body of a search, a mapping, got str"):
        retriever.run("mars", custom_query="match_all")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="query is a text, got list"):
        retriever.run(["mars"])  # type: ignore[arg-type]


def test_missing_index_is_told_in_words_of_every_layer(make_store: MakeStore) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=make_store(create_index=False))
    with pytest.raises(IndexNotFoundError, match=r"Check its name, or create it first\.$"):
        retriever.run("mars")


def test_own_field_with_a_dot_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'my\.sparse' has a dot or blanks"):
        OpenSearchNeuralSparseDocumentStore(sparse_field="my.sparse")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"cache_dir": {}}, "cache_dir is a path"),
        ({"model": 7}, "model is a path"),
        ({"ingest_pipeline": 7}, "ingest_pipeline is a text"),
        ({"api_key": "os_SECRET"}, "api_key is a Secret or None, got str"),
        ({"server_encoding": {"batch_size": 8}}, "server_encoding lacks 'model_id'"),
    ],
)
def test_wrong_types_are_refused_by_the_name_of_the_parameter(given: dict[str, Any], said: str) -> None:
    with pytest.raises(TypeError, match=said) as refused:
        OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:1", **given)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("kind", [NeuralSparseTextEmbedder, NeuralSparseDocumentEmbedder])
def test_switch_for_dense_vectors_is_true_or_false(kind: Any) -> None:
    with pytest.raises(TypeError, match="with_dense is a bool or None, got int"):
        kind("bge-m3", with_dense=1)
