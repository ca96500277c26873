"""Sparse embeddings in the vector stores of others."""

from __future__ import annotations

import pytest

from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings
from langchain_opensearch_neural_sparse.other_stores import for_milvus, for_qdrant
from tests.paths import SMALL_MODEL

TEXTS = ["The heart pumps blood.", "Rivers carry water to the sea.", "A bank lends money."]
QUERY = "where do rivers end?"


@pytest.fixture
def embeddings():
    embeddings = NeuralSparseEmbeddings(SMALL_MODEL)
    yield embeddings
    embeddings.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_qdrant_finds_by_them(embeddings) -> None:
    from langchain_qdrant import QdrantVectorStore, RetrievalMode
    from langchain_qdrant.sparse_embeddings import SparseEmbeddings

    adapted = for_qdrant(embeddings)
    assert isinstance(adapted, SparseEmbeddings)
    store = QdrantVectorStore.from_texts(
        TEXTS, sparse_embedding=adapted, retrieval_mode=RetrievalMode.SPARSE, location=":memory:"
    )
    try:
        [(found, score)] = store.similarity_search_with_score(QUERY, k=1)
        assert found.page_content == TEXTS[1]
        assert score == pytest.approx(_score(embeddings, TEXTS[1]), rel=1e-5)
        assert [one.page_content for one in await store.asimilarity_search(QUERY, k=1)] == [TEXTS[1]]
    finally:
        store.client.close()


@pytest.mark.filterwarnings("ignore")
async def test_milvus_finds_by_them(embeddings, tmp_path) -> None:
    from langchain_milvus import Milvus
    from langchain_milvus.utils.sparse import BaseSparseEmbedding

    adapted = for_milvus(embeddings)
    assert isinstance(adapted, BaseSparseEmbedding)
    inner_product: dict = {"metric_type": "IP", "params": {}}
    store = Milvus.from_texts(
        TEXTS,
        adapted,
        connection_args={"uri": str(tmp_path / "milvus.db")},
        index_params={"index_type": "SPARSE_INVERTED_INDEX"} | inner_product,
        auto_id=True,
    )
    [(found, score)] = store.similarity_search_with_score(QUERY, k=1, param=inner_product)
    assert (found.page_content, score) == (TEXTS[1], pytest.approx(_score(embeddings, TEXTS[1]), rel=1e-5))
    store.client.close()
    assert await adapted.aembed_query(QUERY) == embeddings.to_ids(embeddings.embed_query(QUERY))
    assert adapted.embed_documents(TEXTS) == await adapted.aembed_documents(TEXTS)


def _score(embeddings: NeuralSparseEmbeddings, text: str) -> float:
    [document] = embeddings.embed_documents([text])
    return sum(weight * document.get(token, 0) for token, weight in embeddings.embed_query(QUERY).items())
