from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from opensearch_neural_sparse import ModelFiles, NeuralSparseStore, get_model, resolve_files
from tests.encoders import WordEncoder
from tests.toy import write_doc_only

MakeStore = Callable[..., NeuralSparseStore]


def wait_for_document(client: Any, index: str, document_id: str) -> None:
    """Wait until the server has a document."""
    ends = monotonic() + 30
    while not client.exists(index=index, id=document_id):
        assert monotonic() < ends, f"Document {document_id!r} did not arrive in index {index!r}."
        sleep(0.01)


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    return resolve_files(get_model(write_doc_only(tmp_path / "toy-model")))


@pytest.fixture
def encoder(files: ModelFiles) -> WordEncoder:
    return WordEncoder(files)


@pytest.fixture
def make_store(client: Any, index_name: str, encoder: WordEncoder) -> MakeStore:
    """Make stores of one index, with encoders that need no model."""

    def make(index: str = index_name, **arguments: Any) -> NeuralSparseStore:
        defaults: dict[str, Any] = {"client": client, "query_encoder": encoder, "document_encoder": encoder}
        return NeuralSparseStore(index, **(defaults | arguments))

    return make


@pytest.fixture
def store(make_store: MakeStore) -> NeuralSparseStore:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    return store


@pytest.fixture
def other_index(client: Any) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex}"
    yield name
    client.indices.delete(index=name, ignore_unavailable=True)
