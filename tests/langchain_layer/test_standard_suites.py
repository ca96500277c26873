"""LangChain's own contract suites, whole, on both server lines."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import RetrieversIntegrationTests, VectorStoreIntegrationTests

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)


@pytest.mark.filterwarnings("ignore::opensearch_neural_sparse.errors.IndexNotFoundWarning")  # it reads before it writes
class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, make_store) -> OpenSearchNeuralSparseVectorStore:
        return make_store()


class RetrieverSuite(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _filled(self, make_store) -> None:
        self.filled = make_store()
        self.filled.add_texts([f"passage {number} about rivers" for number in range(4)])

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"vectorstore": self.filled}

    @property
    def retriever_query_example(self) -> str:
        return "rivers"


class TestSparseRetriever(RetrieverSuite):
    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return OpenSearchNeuralSparseRetriever


class TestHybridRetriever(RetrieverSuite):
    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return OpenSearchNeuralSparseHybridRetriever
