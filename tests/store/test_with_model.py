"""End to end with the bundled model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from opensearch_neural_sparse import (
    ModelFilesError,
    NeuralSparseStore,
    get_model,
    load_document_encoder,
    load_query_encoder,
)
from opensearch_neural_sparse.index.documents.feature_weights import stored_weight
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

TEXTS = {
    "heart": "A heart attack happens when blood cannot reach the muscle.",
    "paris": "Paris has been the capital of France for centuries.",
    "volcano": "Lava flows from a volcano when it erupts.",
}


def test_texts_are_found_by_meaning_and_scored_exactly(server: RunningServer, index_name: str) -> None:
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        store.create(settings={"number_of_shards": 1})
        store.write({"id": name, "text": text} for name, text in TEXTS.items())
        hits = store.search("cardiac arrest", explain=True)
        assert hits[0].id == "heart"
        assert store.hybrid_search("eruption of a volcano")[0].id == "volcano"
        query = load_query_encoder(SMALL_MODEL).encode_query("cardiac arrest")
        (vector,) = load_document_encoder(SMALL_MODEL).encode_documents([TEXTS["heart"]])
    shared = {token: stored_weight(weight) for token, weight in vector.items() if token in query}
    assert hits[0].score == pytest.approx(query.dot(shared), rel=1e-6)
    assert {match.token for match in hits[0].matches or ()} == set(shared)


def test_limits_of_the_index_are_those_of_later_writes(server: RunningServer, index_name: str) -> None:
    options = {"max_active_dims": 16}
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL, encoder_options=options) as store:
        store.create()
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as later:
        later.write([{"id": "1", "text": TEXTS["heart"]}])
        assert len(later.get(["1"])[0].vector or ()) == 16


def test_recommended_limit_is_stamped_and_an_index_without_one_keeps_all(
    server: RunningServer, index_name: str
) -> None:
    spec = get_model(SMALL_MODEL)
    rated = replace(spec, max_active_dims=16)
    with NeuralSparseStore(index_name, url=server.url, model=rated) as store:
        store.create()
        binding = store.open().binding
        assert binding is not None
        assert binding.max_active_dims == 16
        store.delete_index()
    with NeuralSparseStore(index_name, url=server.url, model=spec) as store:
        store.create()
    with NeuralSparseStore(index_name, url=server.url, model=rated) as later:
        later.write([{"id": "1", "text": TEXTS["heart"]}])
        assert len(later.get(["1"])[0].vector or ()) > 16


@pytest.mark.newest_server
def test_other_model_that_is_out_of_reach_is_named_beside_the_models_index(
    server: RunningServer, index_name: str, tmp_path: Path
) -> None:
    offline = {"cache_dir": tmp_path, "local_files_only": True}
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        store.create()
    with NeuralSparseStore(index_name, url=server.url, model="doc-v3-distill", encoder_options=offline) as other:
        bound = (
            rf"^Index '{index_name}' is bound to model 'small-en', and '\S+doc-v3-distill' cannot be compared with it"
        )
        with pytest.raises(ModelFilesError, match=bound):
            other.write([{"id": "1", "text": "x"}])
        with pytest.raises(ModelFilesError, match=bound):
            other.search("x")
