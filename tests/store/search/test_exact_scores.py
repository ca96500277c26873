"""Sparse scores of the server beside arithmetic of our own, on real text and vectors of a real model."""

from __future__ import annotations

import pytest

from opensearch_neural_sparse import SparseVector, load_query_encoder
from opensearch_neural_sparse.index.documents.feature_weights import stored_weight
from tests.paths import SMALL_MODEL
from tests.store.conftest import MakeStore
from tests.store.scifact import QUERIES, needed, sample

HITS = 10


@needed
@pytest.mark.slow
@pytest.mark.parametrize("shards", [1, 3])
def test_scores_are_dot_products_of_what_the_index_keeps(make_store: MakeStore, shards: int) -> None:
    store = make_store()
    store.create(settings={"number_of_shards": shards})
    store.write(sample().documents)
    kept = {
        document.id: SparseVector({token: stored_weight(weight) for token, weight in (document.vector or {}).items()})
        for document in sample().documents
    }
    vectors = load_query_encoder(SMALL_MODEL).encode_queries(sample().queries)
    answers = store.search_many(vectors, size=HITS)
    assert len(answers) == QUERIES
    compared = 0
    for vector, hits in zip(vectors, answers, strict=True):
        scores = {key: vector.dot(document) for key, document in kept.items()}
        expected = sorted((score for score in scores.values() if score > 0), reverse=True)[:HITS]
        assert [hit.score for hit in hits] == pytest.approx(expected, rel=1e-6)
        assert [hit.score for hit in hits] == pytest.approx([scores[hit.id] for hit in hits], rel=1e-6)
        compared += len(hits)
    assert compared > 0.95 * QUERIES * HITS
