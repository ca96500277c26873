"""Models of one weight for each token in LangChain's vector store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import (
    BgeM3Embeddings,
    NeuralSparseEmbeddings,
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from opensearch_neural_sparse import IndexSchema, load_document_encoder, load_query_encoder
from opensearch_neural_sparse.index.documents.feature_weights import stored_weight
from tests.conftest import RunningServer

Snapshot = Callable[..., Path]
TEXTS = [
    "Filters of metadata are compiled to clauses, and none is dropped.",
    "Hybrid search joins the scores of sparse and dense legs, search by search.",
    "Extraordinarily long words fall into pieces of a vocabulary.",
]
MOSTLY_DENSE = (0.01, 0.99)
"""Weights of legs with which a text finds itself first: no other dense vector is nearer."""
QUERY = "Which search filters and words of metadata?"


@pytest.mark.parametrize("family", ["bge-m3", "unicoil", "deepimpact"])
def test_documents_are_found_and_scored_exactly(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot, family: str
) -> None:
    folder = scalar_snapshot(family)
    options = {"model": folder, "url": server.url, "settings": {"number_of_shards": 1}}
    with OpenSearchNeuralSparseVectorStore(index_name, **options) as vectorstore:
        vectorstore.add_texts(TEXTS)
        found = vectorstore.similarity_search_with_score(QUERY)
        awaited = asyncio.run(vectorstore.asimilarity_search_with_score(QUERY))
    query = load_query_encoder(folder).encode_query(QUERY)
    with load_document_encoder(folder) as encoder:
        vectors = encoder.encode_documents(TEXTS)
    scores = [query.dot({token: stored_weight(weight) for token, weight in each.items()}) for each in vectors]
    assert [score for _, score in found] == pytest.approx(sorted(filter(None, scores), reverse=True), rel=1e-5)
    assert awaited == found


def test_both_vectors_of_bge_m3_come_from_one_pass(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot
) -> None:
    embeddings = BgeM3Embeddings(scalar_snapshot("bge-m3"))
    with OpenSearchNeuralSparseVectorStore(
        index_name,
        embedding=embeddings,
        document_encoder=embeddings.document_encoder,
        schema=IndexSchema(embedding_dimension=32),
        url=server.url,
    ) as vectorstore:
        vectorstore.add_documents([Document(page_content=text) for text in TEXTS])
        assert embeddings.document_encoder.passes == len(TEXTS)
        retriever = OpenSearchNeuralSparseHybridRetriever(
            vectorstore=vectorstore, legs=("sparse", "dense"), weights=MOSTLY_DENSE, k=2
        )
        assert retriever.invoke(TEXTS[1])[0].page_content == TEXTS[1]
        assert embeddings.document_encoder.passes == len(TEXTS)
        assert len(retriever.invoke(QUERY)) == 2
        assert embeddings.document_encoder.passes == len(TEXTS) + 1
    embeddings.close()


def test_embeddings_of_words_are_by_word(scalar_snapshot: Snapshot) -> None:
    embeddings = NeuralSparseEmbeddings(scalar_snapshot("deepimpact"))
    assert embeddings.embed_query("Extraordinarily long words, long") == {
        "extraordinarily": 1.0,
        "long": 1.0,
        "words": 1.0,
    }
