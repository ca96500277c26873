"""Document stores on the real servers, with the small model of the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from tests.encode.remote.fixtures import local, stub, without_weights  # noqa: F401  fixtures
from tests.paths import SMALL_MODEL
from tests.toy import write_doc_only

MakeStore = Callable[..., OpenSearchNeuralSparseDocumentStore]


@pytest.fixture
def make_store(server: Any, index_name: str) -> Iterator[MakeStore]:
    """Make stores on one index, closed afterwards."""
    made: list[OpenSearchNeuralSparseDocumentStore] = []

    def make(**options: Any) -> OpenSearchNeuralSparseDocumentStore:
        given = {"model": str(SMALL_MODEL), "hosts": server.url, "index": index_name, "timeout": 60} | options
        made.append(OpenSearchNeuralSparseDocumentStore(**given))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a dozen tokens, for tests that encode nothing."""
    return write_doc_only(tmp_path_factory.mktemp("toy") / "toy-model")


@pytest.fixture(scope="session")
def embedder() -> Iterator[NeuralSparseDocumentEmbedder]:
    """The document embedder of the small model."""
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False)
    embedder.warm_up()
    yield embedder
    embedder.close()
