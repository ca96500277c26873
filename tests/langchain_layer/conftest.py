"""Stores of the layer on real servers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from langchain_core.documents import Document
from opensearchpy import OpenSearch

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import ModelFiles, get_model, load_document_encoder, load_query_encoder, resolve_files
from opensearch_neural_sparse.encode import document_encoder, query_encoder
from tests.conftest import RunningServer
from tests.encode.remote.fixtures import local, stub, without_weights  # noqa: F401  fixtures
from tests.langchain_layer.fakes import SharedVocabularyEncoder
from tests.paths import SMALL_MODEL

MakeStore = Callable[..., OpenSearchNeuralSparseVectorStore]
MakeIndex = Callable[..., str]
CountLoads = Callable[[], list[str]]


@pytest.fixture(scope="session")
def small_files() -> ModelFiles:
    return resolve_files(get_model(SMALL_MODEL))


@pytest.fixture
def encoder(small_files: ModelFiles) -> SharedVocabularyEncoder:
    return SharedVocabularyEncoder(small_files)


@pytest.fixture
def make_store(server: Any, client: Any, index_name: str, encoder: SharedVocabularyEncoder) -> Iterator[MakeStore]:
    """Make vector stores on an index that is deleted afterwards; texts are encoded without a model."""
    with ExitStack() as stack:

        def make(*, index: str = index_name, **options: Any) -> OpenSearchNeuralSparseVectorStore:
            defaults = {"url": server.url, "client": client, "query_encoder": encoder, "document_encoder": encoder}
            return stack.enter_context(OpenSearchNeuralSparseVectorStore(index, **(defaults | options)))

        yield make


@pytest.fixture(scope="module")
def make_index(server: RunningServer, small_files: ModelFiles) -> Iterator[MakeIndex]:
    """Fill indices that the tests of a module only search: `make_index(documents, embedding=...)`."""
    encoder, names = SharedVocabularyEncoder(small_files), ["none"]
    with OpenSearch(server.url, timeout=60) as client:

        def make(documents: list[Document], **options: Any) -> str:
            names.append(f"test-{uuid.uuid4().hex}")
            defaults = {"client": client, "query_encoder": encoder, "document_encoder": encoder}
            with OpenSearchNeuralSparseVectorStore(names[-1], **(defaults | options)) as vectorstore:
                vectorstore.add_documents(documents)
            return names[-1]

        yield make
        client.indices.delete(index=",".join(names), ignore_unavailable=True)


@pytest.fixture
def vectorstore(make_store: MakeStore) -> OpenSearchNeuralSparseVectorStore:
    return make_store()


@pytest.fixture
def encoders(encoder: SharedVocabularyEncoder) -> dict[str, Any]:
    return {"query_encoder": encoder, "document_encoder": encoder}


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> CountLoads:
    """Return the sides of models that were loaded, by name and in order."""
    loaded: list[str] = []

    def counted(side: str, load: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **options: Any) -> Any:
            loaded.append(side)
            return load(*args, **options)

        return counting

    monkeypatch.setattr(query_encoder, "load_query_encoder", counted("query", load_query_encoder))
    monkeypatch.setattr(document_encoder, "load_document_encoder", counted("document", load_document_encoder))
    return lambda: sorted(loaded)
