"""A pipeline that was saved must load for ever: its file is committed, and nothing here writes it."""

from pathlib import Path

import pytest
from haystack import Pipeline

SAVED = Path(__file__).parent / "saved" / "pipeline.yaml"
ROOT = "haystack_integrations"
COMPONENTS = f"{ROOT}.components"
CLASSES = {
    f"{COMPONENTS}.embedders.opensearch_neural_sparse.document_embedder.NeuralSparseDocumentEmbedder",
    f"{COMPONENTS}.embedders.opensearch_neural_sparse.text_embedder.NeuralSparseTextEmbedder",
    f"{COMPONENTS}.preprocessors.opensearch_neural_sparse.document_splitter.NeuralSparseDocumentSplitter",
    f"{COMPONENTS}.retrievers.opensearch_neural_sparse.bm25_retriever.OpenSearchNeuralSparseBM25Retriever",
    f"{COMPONENTS}.retrievers.opensearch_neural_sparse.hybrid_retriever.OpenSearchNeuralSparseHybridRetriever",
    f"{COMPONENTS}.retrievers.opensearch_neural_sparse.metadata_retriever.OpenSearchNeuralSparseMetadataRetriever",
    f"{COMPONENTS}.retrievers.opensearch_neural_sparse.retriever.OpenSearchNeuralSparseRetriever",
    f"{COMPONENTS}.super_components.opensearch_neural_sparse.hybrid_search.OpenSearchNeuralSparseHybridSearch",
    f"{COMPONENTS}.super_components.opensearch_neural_sparse.indexer.OpenSearchNeuralSparseIndexer",
    f"{ROOT}.document_stores.opensearch_neural_sparse.document_store.OpenSearchNeuralSparseDocumentStore",
}
"""Class paths that saved pipelines hold."""


@pytest.fixture(scope="module")
def saved() -> str:
    return SAVED.read_text(encoding="utf-8")


def test_the_saved_pipeline_holds_every_class(saved: str) -> None:
    assert {name for name in CLASSES if f"type: {name}\n" in saved} == CLASSES


def test_the_saved_pipeline_is_dumped_byte_for_byte_as_it_was_loaded(saved: str) -> None:
    assert Pipeline.loads(saved).dumps() == saved
