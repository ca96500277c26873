from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from time import monotonic, sleep
from typing import Any

import pytest
from opensearchpy import OpenSearch

from opensearch_neural_sparse import ModelFiles, NeuralSparseStore, get_model, resolve_files
from tests.conftest import RunningServer
from tests.encode.remote.fixtures import local, stub, without_weights  # noqa: F401  fixtures
from tests.encoders import WordEncoder
from tests.toy import write_doc_only

MakeStore = Callable[..., NeuralSparseStore]
MakeIndex = Callable[..., str]


def wait_for_document(client: Any, index: str, document_id: str) -> None:
    """Wait until the server has a document."""
    ends = monotonic() + 30
    while not client.exists(index=index, id=document_id):
        assert monotonic() < ends, f"Document {document_id!r} did not arrive in index {index!r}."
        sleep(0.01)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    return resolve_files(get_model(write_doc_only(tmp_path_factory.mktemp("toy") / "toy-model")))


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


@pytest.fixture(scope="module")
def make_index(server: RunningServer, files: ModelFiles) -> Iterator[MakeIndex]:
    """Fill indices that the tests of a module only search: `make_index(documents, shards=1, schema=...)`."""
    encoder, names = WordEncoder(files), ["none"]
    with OpenSearch(server.url, timeout=60) as client:

        def make(documents: Iterable[Any], *, shards: int = 1, **arguments: Any) -> str:
            names.append(f"test-{uuid.uuid4().hex}")
            encoders = {"query_encoder": encoder, "document_encoder": encoder}
            store = NeuralSparseStore(names[-1], client=client, **encoders, **arguments)
            store.create(settings={"number_of_shards": shards})
            store.write(documents)
            return names[-1]

        yield make
        client.indices.delete(index=",".join(names), ignore_unavailable=True)


@pytest.fixture
def store(make_store: MakeStore) -> NeuralSparseStore:
    store = make_store()
    store.create(settings={"number_of_shards": 1})
    return store


@pytest.fixture
def other_index(client: Any) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex}"
    yield name
    client.indices.delete(index=f"{name},{name}-journal", ignore_unavailable=True)
