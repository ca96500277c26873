"""Models of one weight for each token in Haystack's components."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline, default_from_dict

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import load_document_encoder, load_query_encoder
from opensearch_neural_sparse.index.documents.feature_weights import stored_weight
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

Snapshot = Callable[..., Path]
FAMILIES = ["bge-m3", "unicoil", "deepimpact"]
DOCUMENTS = [
    Document(id="filters", content="Filters of metadata are compiled to clauses, and none is dropped: 東京 too."),
    Document(id="hybrid", content="Hybrid search joins the scores of sparse and dense legs, search by search."),
    Document(id="words", content="Extraordinarily long words fall into pieces of a vocabulary."),
]
QUERY = "Which search filters and words of metadata?"


@pytest.mark.parametrize("family", FAMILIES)
def test_documents_are_found_and_scored_exactly(make_store: MakeStore, scalar_snapshot: Snapshot, family: str) -> None:
    folder = scalar_snapshot(family)
    store = make_store(model=str(folder), return_embedding=True, settings={"number_of_shards": 1})
    embedder = NeuralSparseDocumentEmbedder(folder, progress_bar=False)
    assert store.write_documents(embedder.run(DOCUMENTS)["documents"]) == len(DOCUMENTS)
    search = Pipeline()
    search.add_component("embedder", NeuralSparseTextEmbedder(folder))
    search.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store))
    search.connect("embedder.sparse_embedding", "retriever.query_sparse_embedding")
    found = search.run({"embedder": {"text": QUERY}})["retriever"]["documents"]
    query = load_query_encoder(folder).encode_query(QUERY)
    with load_document_encoder(folder) as encoder:
        vectors = encoder.encode_documents([document.content or "" for document in DOCUMENTS])
    scores = [query.dot({token: stored_weight(weight) for token, weight in vector.items()}) for vector in vectors]
    assert [document.score for document in found] == pytest.approx(sorted(filter(None, scores), reverse=True), rel=1e-5)
    stored = store.filter_documents()
    for document, vector in zip(sorted(stored, key=lambda one: one.id), vectors, strict=True):
        assert document.sparse_embedding is not None
        assert sorted(map(stored_weight, document.sparse_embedding.values)) == sorted(
            map(stored_weight, vector.values())
        )


@pytest.mark.parametrize("family", FAMILIES)
def test_embeddings_that_were_saved_are_written_again(
    make_store: MakeStore, scalar_snapshot: Snapshot, family: str
) -> None:
    folder = scalar_snapshot(family)
    embedded = NeuralSparseDocumentEmbedder(folder, progress_bar=False).run(DOCUMENTS)["documents"]
    saved = [Document.from_dict(document.to_dict()) for document in embedded]
    store = make_store(model=str(folder), return_embedding=True)
    store.write_documents(saved)
    found = {document.id: document.sparse_embedding for document in store.filter_documents()}
    for document in embedded:
        assert document.sparse_embedding is not None
        assert {*found[document.id].indices} == {*document.sparse_embedding.indices}


def test_both_vectors_of_bge_m3_come_from_one_pass(make_store: MakeStore, scalar_snapshot: Snapshot) -> None:
    folder = scalar_snapshot("bge-m3")
    store: OpenSearchNeuralSparseDocumentStore = make_store(model=str(folder), embedding_dim=32)
    documents = NeuralSparseDocumentEmbedder(folder, progress_bar=False, with_dense=True).run(DOCUMENTS)["documents"]
    with load_document_encoder(folder) as encoder:
        both = encoder.encode_documents_with_dense([document.content or "" for document in DOCUMENTS])
    assert [document.embedding for document in documents] == [vectors.dense for vectors in both]
    store.write_documents(documents)
    search = Pipeline()
    search.add_component("embedder", NeuralSparseTextEmbedder(folder, with_dense=True))
    # Weights with which a text finds itself first: no other dense vector is nearer.
    options = {"legs": ["sparse", "dense"], "weights": [0.01, 0.99]}
    search.add_component("retriever", OpenSearchNeuralSparseHybridRetriever(document_store=store, **options))
    search.connect("embedder.sparse_embedding", "retriever.query_sparse_embedding")
    search.connect("embedder.embedding", "retriever.query_embedding")
    found = search.run({"embedder": {"text": DOCUMENTS[1].content}, "retriever": {"query": DOCUMENTS[1].content}})
    assert found["retriever"]["documents"][0].id == "hybrid"


@pytest.mark.parametrize("kind", [NeuralSparseDocumentEmbedder, NeuralSparseTextEmbedder])
def test_the_dense_vector_is_saved_where_it_is_asked_for(kind: Any) -> None:
    assert "with_dense" not in kind("model").to_dict()["init_parameters"]
    saved = kind("model", with_dense=True).to_dict()
    assert saved["init_parameters"]["with_dense"] is True
    assert default_from_dict(kind, saved).to_dict() == saved


def test_models_without_dense_vectors_are_refused() -> None:
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False, with_dense=True)
    with pytest.raises(TypeError, match="gives no dense vectors"):
        embedder.run(DOCUMENTS)
    with pytest.raises(TypeError, match="gives no dense vectors"):
        NeuralSparseTextEmbedder(SMALL_MODEL, with_dense=True).run(QUERY)
