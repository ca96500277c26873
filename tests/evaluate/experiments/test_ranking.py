"""A server's ranking of a real collection, beside exact scoring of the same vectors."""

from __future__ import annotations

import pytest

from opensearch_neural_sparse import (
    NeuralSparseStore,
    SparseDocument,
    WriteOptions,
    load_document_encoder,
    load_query_encoder,
)
from opensearch_neural_sparse.evaluate.datasets.beir import Collection, read_collection
from opensearch_neural_sparse.evaluate.experiments.exact_search import ExactRanker
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10, mean_metrics
from tests.paths import DATA, SMALL_MODEL

pytestmark = pytest.mark.slow
JUDGED_DOCUMENTS, QUERIES = 400, 300


@pytest.fixture(scope="session")
def collection() -> Collection:
    """The judged documents of SciFact, cut to their first sentences so that encoding takes seconds."""
    folder = DATA / "scifact"
    if not folder.is_dir():
        pytest.skip(f"needs the SciFact collection in {folder}")
    whole = read_collection(folder)
    judged = dict.fromkeys(document for row in whole.judgements.values() for document in row)
    documents = {document: whole.documents[document][:300] for document in list(judged)[:JUDGED_DOCUMENTS]}
    return Collection(name=whole.name, documents=documents, queries=whole.queries, judgements=whole.judgements)


@pytest.fixture(scope="session")
def vectors(collection: Collection):
    encoder = load_document_encoder(SMALL_MODEL, engine="onnx")
    return dict(zip(collection.documents, encoder.encode_documents(list(collection.documents.values())), strict=True))


def test_server_ranks_as_exact_scoring_does(client, index_name, collection, vectors) -> None:
    exact, encoder = ExactRanker(vectors), load_query_encoder(SMALL_MODEL)
    with NeuralSparseStore(index_name, client=client, model=SMALL_MODEL) as store:
        store.create()
        rows = (SparseDocument(id=name, text=text, vector=vectors[name]) for name, text in collection.documents.items())
        assert store.write(rows, options=WriteOptions(refresh=True)).written == len(collection.documents)
        found = {query: {hit.id: hit.score for hit in store.search(text)} for query, text in collection.queries.items()}
    expected = {query: exact.rank(encoder.encode_query(text), 10) for query, text in collection.queries.items()}
    server = mean_metrics(collection.judgements, found)[NDCG_AT_10]
    reference = mean_metrics(collection.judgements, expected)[NDCG_AT_10]
    assert reference > 0.5
    assert server == pytest.approx(reference, abs=0.002)
