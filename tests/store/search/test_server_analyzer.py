"""Queries that the server encodes by its own analyzer `bert-uncased`, beside ours from the same table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from opensearchpy import OpenSearch

from opensearch_neural_sparse import IdfQueryEncoder, NeuralSparseStore, SparseTokenizer
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.models.files.idf import read_idf
from tests.encoders import WordEncoder
from tests.paths import MODELS
from tests.store.scifact import QUERIES, needed, sample

FOLDER = MODELS / "bert-uncased"
HITS = 10
pytestmark = [
    pytest.mark.slow,
    needed,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the query side bert-uncased is not at hand"),
]


@pytest.fixture
def store(ml_server: DevServer, encoder: WordEncoder) -> Iterator[NeuralSparseStore]:
    tokenizer = SparseTokenizer.from_file(FOLDER / "tokenizer.json", max_length=512)
    weights = read_idf(FOLDER / "idf.json", tokenizer.vocabulary, ignored=tokenizer.special_ids)
    parts: dict[str, Any] = {"query_encoder": IdfQueryEncoder(tokenizer, weights), "document_encoder": encoder}
    with (
        OpenSearch(ml_server.url, timeout=60) as client,
        NeuralSparseStore(f"test-{uuid.uuid4().hex}", client=client, **parts) as store,
    ):
        store.create(settings={"number_of_shards": 1})
        store.write(sample().documents)
        yield store
        store.delete_index()


def test_analyzer_of_the_server_finds_and_scores_as_our_encoding(store: NeuralSparseStore) -> None:
    ours = store.search_many(sample().queries, size=HITS)
    lines: list[dict[str, Any]] = []
    for text in sample().queries:
        query = {"neural_sparse": {"sparse_vector": {"query_text": text, "analyzer": "bert-uncased"}}}
        lines += [{}, {"size": HITS, "query": query, "_source": False}]
    rows = store.client().msearch(body=lines, index=store.index)["responses"]
    assert len(rows) == len(ours) == QUERIES
    for row, hits in zip(rows, ours, strict=True):
        theirs = row["hits"]["hits"]
        assert [hit["_score"] for hit in theirs] == pytest.approx([hit.score for hit in hits], rel=1e-6)
        assert [hit["_id"] for hit in theirs] == [hit.id for hit in hits]
    assert sum(map(len, ours)) > 0.95 * QUERIES * HITS
