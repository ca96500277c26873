"""A byte-level BPE model, and one with a transformer for queries of its own, in a pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest
from haystack import Document

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from tests.haystack_layer.conftest import MakeStore
from tests.sparse_encoders import SENTENCES, save_bi_encoder, save_router
from tests.store.test_transformer_models import QUERY, exact_scores

pytest.importorskip("sentence_transformers")
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["byte-bpe", "router"])
def test_embedded_documents_are_ranked_by_exact_scores(make_store: MakeStore, tmp_path: Path, kind: str) -> None:
    folder = save_router(tmp_path / "model") if kind == "router" else save_bi_encoder(tmp_path / "model", "roberta")
    documents = [Document(id=str(place), content=text) for place, text in enumerate(SENTENCES)]
    embedder = NeuralSparseDocumentEmbedder(folder, engine="torch", progress_bar=False)
    store = make_store(model=str(folder))
    store.write_documents(embedder.run(documents)["documents"])
    query = NeuralSparseTextEmbedder(folder, engine="torch").run(QUERY)["sparse_embedding"]
    retriever = OpenSearchNeuralSparseRetriever(document_store=store, top_k=len(SENTENCES))
    expected = exact_scores(folder)
    for found in (retriever.run(query_sparse_embedding=query), retriever.run(query=QUERY)):
        assert [document.id for document in found["documents"]] == [*expected]
        assert [document.score for document in found["documents"]] == pytest.approx([*expected.values()], rel=1e-5)
