"""Vector stores and embeddings whose model runs behind HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import DocumentEncoder, Load, ModelMismatchError
from tests.encode.remote.stub import EncoderStub, OwnStub
from tests.encode.remote.test_remote_encoder import WEIGHTS

DOCUMENTS = [Document(id=str(n), page_content=f"The river number {n} runs to the sea.") for n in range(20)]


@pytest.fixture
def options(stub: EncoderStub) -> dict[str, Any]:
    return {"url": stub.url, "remote_options": {"batch_size": 7, "weights_sha256": WEIGHTS, "initial_backoff": 0.01}}


def test_documents_are_encoded_elsewhere_and_searched_by_queries_encoded_here(
    client: Any, index_name: str, options: dict[str, Any], stub: EncoderStub, without_weights: Path
) -> None:
    with OpenSearchNeuralSparseVectorStore(
        index_name, client=client, model=without_weights, encoder_options=options
    ) as vectorstore:
        vectorstore.add_documents(DOCUMENTS[:10])
        assert vectorstore.ingest(Load(DOCUMENTS[10:])).written == 10
        asked = len(stub.requests)
        assert vectorstore.similarity_search("river number 7", k=1)[0].id == "7"
        assert vectorstore.similarity_search("river number 17", k=1)[0].id == "17"
        assert (len(stub.requests), sum(stub.requests)) == (asked, 20)


def test_embeddings_equal_those_of_this_process(
    options: dict[str, Any], without_weights: Path, local: DocumentEncoder
) -> None:
    embeddings = NeuralSparseEmbeddings(without_weights, **options)
    texts = [document.page_content for document in DOCUMENTS]
    for one, other in zip(embeddings.embed_documents(texts), local.encode_documents(texts), strict=True):
        assert one == pytest.approx(dict(other), abs=1e-6)
    assert embeddings.embed_query("a river")
    embeddings.close()


def test_another_model_at_the_address_is_refused_at_the_next_opening(
    client: Any, index_name: str, options: dict[str, Any], stub: EncoderStub, without_weights: Path
) -> None:
    arguments: dict[str, Any] = {"client": client, "model": without_weights}
    with OpenSearchNeuralSparseVectorStore(index_name, encoder_options=options, **arguments) as vectorstore:
        vectorstore.add_documents(DOCUMENTS[:1])
    other = "f" * 64
    if isinstance(stub, OwnStub):
        stub.changes = {"weights_sha256": other}
    changed = {**options, "remote_options": {**options["remote_options"], "weights_sha256": other}}
    with OpenSearchNeuralSparseVectorStore(index_name, encoder_options=changed, **arguments) as vectorstore:
        with pytest.raises(ModelMismatchError, match=r"weights \w{12} and f{12} differ"):
            vectorstore.add_documents(DOCUMENTS[1:])
        vectorstore.store.refresh()
        assert vectorstore.store.count() == 1
