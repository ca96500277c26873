"""A byte-level BPE model, and one with a transformer for queries of its own, in a vector store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import load_query_encoder
from tests.sparse_encoders import SENTENCES, save_bi_encoder, save_router
from tests.store.test_transformer_models import QUERY, exact_scores

pytest.importorskip("sentence_transformers")
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("kind", ["byte-bpe", "router"])
def test_added_documents_are_ranked_by_exact_scores(client: Any, index_name: str, tmp_path: Path, kind: str) -> None:
    folder = save_router(tmp_path / "model") if kind == "router" else save_bi_encoder(tmp_path / "model", "roberta")
    documents = [Document(id=str(place), page_content=text) for place, text in enumerate(SENTENCES)]
    options = {"engine": "torch"}
    with OpenSearchNeuralSparseVectorStore(index_name, client=client, model=folder, encoder_options=options) as store:
        store.add_documents(documents)
        found = store.similarity_search_with_score(QUERY, k=len(SENTENCES))
    expected = exact_scores(folder)
    assert [document.id for document, _ in found] == [*expected]
    assert [score for _, score in found] == pytest.approx([*expected.values()], rel=1e-5)
    embeddings = NeuralSparseEmbeddings(folder, **options)
    assert embeddings.embed_query(QUERY) == load_query_encoder(folder, engine="torch").encode_query(QUERY)
    embeddings.close()
