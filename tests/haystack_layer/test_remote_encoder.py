"""Components whose model runs behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from haystack import Document, Pipeline
from haystack.utils import Secret

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from opensearch_neural_sparse import Load, RemoteOptions, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.remote.stub import EncoderStub
from tests.encode.remote.test_loading import ToyEncoder, own_info
from tests.encode.remote.test_remote_encoder import WEIGHTS
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL
from tests.toy import write_bi_encoder

DOCUMENTS = [Document(id=str(n), content=f"The river number {n} runs to the sea.") for n in range(20)]
REMOTE: dict[str, Any] = {"batch_size": 7, "weights_sha256": WEIGHTS, "initial_backoff": 0.01}


def test_documents_are_embedded_elsewhere_and_searched_by_queries_embedded_here(
    make_store: MakeStore, stub: EncoderStub, without_weights: Path, embedder: NeuralSparseDocumentEmbedder
) -> None:
    remote = NeuralSparseDocumentEmbedder(without_weights, url=stub.url, remote_options=REMOTE, progress_bar=False)
    documents = remote.run(DOCUMENTS)["documents"]
    assert sorted(stub.requests) == [6, 7, 7]
    for document, twin in zip(documents, embedder.run(DOCUMENTS)["documents"], strict=True):
        ones, others = document.sparse_embedding, twin.sparse_embedding
        assert dict(zip(ones.indices, ones.values, strict=True)) == pytest.approx(
            dict(zip(others.indices, others.values, strict=True)), abs=1e-6
        )
    store = make_store()
    store.write_documents(documents)
    found = OpenSearchNeuralSparseRetriever(document_store=store).run(query="river number 7")["documents"]
    assert found[0].id == "7"
    remote.close()


def test_store_encodes_a_load_elsewhere(
    make_store: MakeStore, stub: EncoderStub, without_weights: Path, tmp_path: Path
) -> None:
    options = {"encoder_url": stub.url, "remote_options": REMOTE, "model": str(without_weights)}
    store = make_store(return_embedding=True, **options)
    for written in (20, 0):
        assert store.ingest(Load(DOCUMENTS, journal=tmp_path / "j")).written == written
    assert all(document.sparse_embedding for document in store.filter_documents())
    assert sum(stub.requests) == 20


def test_address_and_key_are_saved_where_they_are_given(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, stub: EncoderStub
) -> None:
    monkeypatch.setenv("ENCODER_KEY", "s3cret")
    key, url = Secret.from_env_var("ENCODER_KEY"), stub.url
    stub.key = "s3cret"
    names = {"url", "api_key", "remote_options"}
    pipeline = Pipeline()
    for name, component in (("document", NeuralSparseDocumentEmbedder), ("text", NeuralSparseTextEmbedder)):
        assert not names & component(SMALL_MODEL).to_dict()["init_parameters"].keys()
        pipeline.add_component(
            name, component(SMALL_MODEL, url=url, api_key=key, remote_options=RemoteOptions(batch_size=3))
        )
    assert not any("remote" in name or "encoder" in name for name in make_store().to_dict()["init_parameters"])
    store = make_store(encoder_url=url, encoder_api_key=key, remote_options=RemoteOptions(batch_size=3))
    pipeline.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store))
    saved = pipeline.dumps()
    assert "s3cret" not in saved
    loaded = Pipeline.loads(saved)
    assert loaded.dumps() == saved
    embedder = loaded.get_component("document")
    assert embedder.remote_options["batch_size"] == 3
    assert len(embedder.run(DOCUMENTS)["documents"]) == 20
    loaded.get_component("retriever").document_store.ingest(Load(DOCUMENTS))
    assert set(stub.requests) == {3, 2}
    assert set(stub.auth) == {"Bearer s3cret"}


def test_options_of_an_engine_are_refused_beside_a_url() -> None:
    with pytest.raises(ValueError, match="workers and url exclude each other"):
        NeuralSparseDocumentEmbedder(SMALL_MODEL, url="http://127.0.0.1:1", workers=2).warm_up()


def test_queries_of_a_bi_encoder_are_embedded_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.encode.remote.stub import OwnStub

    root = write_bi_encoder(tmp_path / "bi-encoder")
    encoder, weights = ToyEncoder(root), resolve_files(get_model(root)).weights_sha256
    with OwnStub(encoder) as stub:  # type: ignore[arg-type]
        monkeypatch.setattr(stub, "info", lambda: own_info(encoder, weights))
        (root / "model.safetensors").unlink()
        embedder = NeuralSparseTextEmbedder(root, url=stub.url)
        embedding = embedder.run("red planet")["sparse_embedding"]
        assert sorted(embedding.values) == [3.0, 6.0]
        embedder.close()
