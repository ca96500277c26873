"""Indices of models of one weight for each token: exact scores, one model, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    Bm25Leg,
    CachedDocumentEncoder,
    DenseLeg,
    Family,
    FieldType,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    ModelFilesError,
    ModelMismatchError,
    NeuralSparseStore,
    OnePassEncoder,
    Prune,
    SparseLeg,
    UnsupportedServerError,
    load_document_encoder,
    load_query_encoder,
)
from opensearch_neural_sparse.index.documents.feature_weights import stored_weight
from tests.conftest import RunningServer

Snapshot = Callable[..., Path]
FAMILIES = ["bge-m3", "unicoil", "deepimpact"]
TEXTS = {
    "filters": "A filter of metadata is compiled to a clause; filters are never dropped. See version 3.5 of the docs.",
    "hybrid": "Hybrid search joins the scores of sparse, dense and BM25 legs by normalisation, search by search.",
    "models": "The model of an index is written into its mapping, so that queries of another model are refused.",
    "words": "Extraordinarily long words, such as internationalisation, fall into pieces of a vocabulary.",
}
QUERY = "Which search filters does the index of version 3.5 have, and which words of a query? Search!"


@pytest.mark.parametrize("family", FAMILIES)
def test_ranking_is_that_of_exact_scores(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot, family: str
) -> None:
    folder = scalar_snapshot(family)
    with NeuralSparseStore(index_name, url=server.url, model=folder) as store:
        store.create(settings={"number_of_shards": 1})
        report = store.write({"id": name, "text": text} for name, text in TEXTS.items())
        assert report.written == len(TEXTS)
        hits = store.search(QUERY, explain=True)
        (stored,) = store.get(["filters"])
    with load_document_encoder(folder) as documents:
        vectors = dict(zip(TEXTS, documents.encode_documents(list(TEXTS.values())), strict=True))
    query = load_query_encoder(folder).encode_query(QUERY)
    exact = {name: query.dot(_at_server_precision(vector)) for name, vector in vectors.items()}
    found = {name: score for name, score in exact.items() if score}
    assert [hit.id for hit in hits] == sorted(found, key=lambda name: -found[name])
    assert [hit.score for hit in hits] == pytest.approx(sorted(found.values(), reverse=True), rel=1e-5)
    assert stored.vector is not None
    assert _at_server_precision(stored.vector) == _at_server_precision(vectors["filters"])
    for hit in hits:
        assert {match.token for match in hit.matches or ()} == query.keys() & vectors[hit.id].keys()


@pytest.mark.parametrize("family", FAMILIES)
def test_an_index_refuses_another_model_of_the_family(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot, family: str
) -> None:
    with NeuralSparseStore(index_name, url=server.url, model=scalar_snapshot(family)) as store:
        store.create()
    other = scalar_snapshot(family, seed=1)
    with (
        NeuralSparseStore(index_name, url=server.url, model=other) as store,
        pytest.raises(ModelMismatchError, match=r"another tokenizer or other weights|differ"),
    ):
        store.write([{"id": "1", "text": "search"}])


@pytest.mark.parametrize("family", FAMILIES)
def test_pruned_documents_keep_their_heaviest_tokens(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot, family: str
) -> None:
    folder = scalar_snapshot(family)
    with NeuralSparseStore(index_name, url=server.url, model=folder, prune=Prune.parse("top_k:3")) as store:
        store.create()
        store.write({"id": name, "text": text} for name, text in TEXTS.items())
        (stored,) = store.get(["words"])
    with load_document_encoder(folder) as documents:
        (vector,) = documents.encode_documents([TEXTS["words"]])
    assert {*(stored.vector or {})} == {token for token, _ in vector.top(3)}


def test_tokens_with_dots_are_keys(server: RunningServer, index_name: str, scalar_snapshot: Snapshot) -> None:
    dotted = {"▁docs.": 1.0, "3.5": 2.0, ".": 0.5}
    with NeuralSparseStore(index_name, url=server.url, model=scalar_snapshot("bge-m3")) as store:
        store.create()
        store.write([{"id": "1", "text": "docs", "vector": dotted}])
        assert store.get(["1"])[0].vector == dotted
        assert store.search({"3.5": 1.0})[0].score == 2.0


def test_words_are_refused_as_keys_of_sparse_vector_fields(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot
) -> None:
    schema = IndexSchema(field_type=FieldType.SPARSE_VECTOR)
    with (
        NeuralSparseStore(index_name, url=server.url, model=scalar_snapshot("deepimpact"), schema=schema) as store,
        pytest.raises((IndexSchemaError, UnsupportedServerError), match=r"whole words|sparse_vector needs"),
    ):
        store.create()


def test_both_vectors_of_bge_m3_are_written_and_searched_from_one_pass(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot
) -> None:
    schema = IndexSchema(embedding_dimension=32)
    with OnePassEncoder(load_document_encoder(scalar_snapshot("bge-m3"), engine="torch")) as encoder:
        dense = encoder.encode_dense(list(TEXTS.values()))
        rows = [
            {"id": name, "text": text, "embedding": vector}
            for (name, text), vector in zip(TEXTS.items(), dense, strict=True)
        ]
        with NeuralSparseStore(index_name, url=server.url, document_encoder=encoder, schema=schema) as store:
            store.create()
            store.write(rows)
            assert encoder.passes == len(TEXTS)
            legs = (SparseLeg(), DenseLeg(embedder=lambda text: encoder.encode_dense([text])[0]), Bm25Leg())
            # Weights with which a text finds itself first: no other dense vector is nearer.
            options = HybridOptions(legs=legs, weights=(0.01, 0.98, 0.01))
            hits = store.hybrid_search(TEXTS["hybrid"], options=options)
            assert hits[0].id == "hybrid"
            store.hybrid_search(QUERY, options=options)
            assert encoder.passes == len(TEXTS) + 1


@pytest.mark.parametrize("family", FAMILIES)
def test_cached_vectors_are_those_of_the_model(
    server: RunningServer, index_name: str, scalar_snapshot: Snapshot, tmp_path: Path, family: str
) -> None:
    encoder = CachedDocumentEncoder(load_document_encoder(scalar_snapshot(family)), tmp_path / "vectors.sqlite")
    with encoder, NeuralSparseStore(index_name, url=server.url, document_encoder=encoder) as store:
        store.create()
        for _ in range(2):
            store.write({"id": name, "text": text} for name, text in TEXTS.items())
        assert (encoder.misses, encoder.hits) == (len(TEXTS), len(TEXTS))
        first, again = (encoder.encode_documents(list(TEXTS.values())) for _ in range(2))
        assert first == again
        assert store.search(QUERY)


@pytest.mark.parametrize("family", ["unicoil", "deepimpact"])
def test_models_that_no_service_encodes_refuse_a_url(scalar_snapshot: Snapshot, family: str) -> None:
    with pytest.raises(ModelFilesError, match=f"{Family(family)} model"):
        load_document_encoder(scalar_snapshot(family), url="http://127.0.0.1:9")


def _at_server_precision(vector: Mapping[str, float]) -> dict[str, Any]:
    return {token: stored_weight(weight) for token, weight in vector.items()}
