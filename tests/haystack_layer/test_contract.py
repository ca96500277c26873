"""Haystack's own suites for document stores, sync and async."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.testing.document_store import (
    CountDocumentsByFilterTest,
    CountUniqueMetadataByFilterTest,
    DocumentStoreBaseExtendedTests,
    GetMetadataFieldMinMaxTest,
    GetMetadataFieldsInfoTest,
    GetMetadataFieldUniqueValuesTest,
    create_filterable_docs,
)
from haystack.testing.document_store_async import (
    CountDocumentsAsyncTest,
    CountDocumentsByFilterAsyncTest,
    CountUniqueMetadataByFilterAsyncTest,
    DeleteAllAsyncTest,
    DeleteByFilterAsyncTest,
    DeleteDocumentsAsyncTest,
    FilterDocumentsAsyncTest,
    GetMetadataFieldMinMaxAsyncTest,
    GetMetadataFieldsInfoAsyncTest,
    GetMetadataFieldUniqueValuesAsyncTest,
    UpdateByFilterAsyncTest,
    WriteDocumentsAsyncTest,
)

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from tests.haystack_layer.conftest import MakeStore

ONE_TYPE_A_FIELD = "OpenSearch maps a field to one type; 1, '1' and True cannot share one"


@pytest.fixture
def new_store(make_store: MakeStore, toy_model: Path) -> OpenSearchNeuralSparseDocumentStore:
    return make_store(model=toy_model, embedding_dim=768, return_embedding=True, settings={"refresh_interval": "50ms"})


class SameDocuments:
    """Documents come back with a score and with embeddings as the server keeps them, dense and sparse."""

    @pytest.fixture
    def filterable_docs(self) -> list[Document]:
        sparse = SparseEmbedding(indices=[5, 7], values=[0.5, 2.25])
        return [
            replace(document, sparse_embedding=sparse) if place % 2 else document
            for place, document in enumerate(create_filterable_docs())
        ]

    def assert_documents_are_equal(self, received: list[Document], expected: list[Document]) -> None:
        assert len(received) == len(expected)
        wanted = {document.id: document for document in expected}
        for document in received:
            other = wanted[document.id]
            assert (document.embedding is None) == (other.embedding is None)
            assert document.embedding is None or document.embedding == pytest.approx(other.embedding)
            assert replace(document, score=None, embedding=None) == replace(other, score=None, embedding=None)


class TestContract(
    SameDocuments,
    DocumentStoreBaseExtendedTests,
    CountDocumentsByFilterTest,
    CountUniqueMetadataByFilterTest,
    GetMetadataFieldsInfoTest,
    GetMetadataFieldMinMaxTest,
    GetMetadataFieldUniqueValuesTest,
):
    @pytest.fixture
    def document_store(self, new_store: OpenSearchNeuralSparseDocumentStore) -> OpenSearchNeuralSparseDocumentStore:
        return new_store

    def test_write_documents(self, document_store: Any) -> None:
        document = Document(content="test doc")
        assert document_store.write_documents([document]) == 1
        with pytest.raises(DuplicateDocumentError, match="exist already"):
            document_store.write_documents([document])
        self.assert_documents_are_equal(document_store.filter_documents(), [document])

    @pytest.mark.xfail(strict=True, reason=ONE_TYPE_A_FIELD)
    def test_get_metadata_field_unique_values_distinct_types(self, document_store: Any) -> None:
        super().test_get_metadata_field_unique_values_distinct_types(document_store)


class TestAsyncContract(
    SameDocuments,
    CountDocumentsAsyncTest,
    CountDocumentsByFilterAsyncTest,
    CountUniqueMetadataByFilterAsyncTest,
    DeleteAllAsyncTest,
    DeleteByFilterAsyncTest,
    DeleteDocumentsAsyncTest,
    FilterDocumentsAsyncTest,
    GetMetadataFieldMinMaxAsyncTest,
    GetMetadataFieldsInfoAsyncTest,
    GetMetadataFieldUniqueValuesAsyncTest,
    UpdateByFilterAsyncTest,
    WriteDocumentsAsyncTest,
):
    @pytest_asyncio.fixture
    async def document_store(
        self, new_store: OpenSearchNeuralSparseDocumentStore
    ) -> AsyncIterator[OpenSearchNeuralSparseDocumentStore]:
        yield new_store
        await new_store.close_async()

    async def test_write_documents_async(self, document_store: Any) -> None:
        document = Document(content="test doc")
        assert await document_store.write_documents_async([document]) == 1
        with pytest.raises(DuplicateDocumentError, match="exist already"):
            await document_store.write_documents_async([document])
        self.assert_documents_are_equal(await document_store.filter_documents_async(), [document])

    @pytest.mark.xfail(strict=True, reason=ONE_TYPE_A_FIELD)
    async def test_get_metadata_field_unique_values_distinct_types_async(self, document_store: Any) -> None:
        await super().test_get_metadata_field_unique_values_distinct_types_async(document_store)
