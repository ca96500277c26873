"""Documents that are written without vectors are warned about, once a write."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document
from haystack.document_stores.types import DuplicatePolicy

from opensearch_neural_sparse.errors import MissingVectorWarning
from tests.haystack_layer.conftest import MakeStore
from tests.store.bulk.test_missing_vectors import warned

pytestmark = pytest.mark.newest_server


async def test_documents_that_were_not_embedded_are_warned_about_once_a_write(make_store: MakeStore) -> None:
    store = make_store()
    documents = [Document(id=str(number), content="A heart.") for number in range(1200)]
    with warned() as found:
        assert store.write_documents(documents) == 1200
    (warning,) = found
    assert str(warning) == (
        f"Of 1200 documents written to index {store._index!r}, 1200 have no vector in 'sparse_vector' and are not "
        "found by it: '0', '1', '2', '3', '4' and 1195 more. Embed documents by NeuralSparseDocumentEmbedder before "
        "they are written; a content in which the model knows no token has no vector."
    )
    with warned() as found:
        await store.write_documents_async(documents, policy=DuplicatePolicy.OVERWRITE)
    assert [len(warning.missing["sparse_vector"]) for warning in found] == [1200]


async def test_a_content_without_a_token_is_warned_about(make_store: MakeStore, embedder: Any) -> None:
    rows = [Document(id="1", content="   "), Document(id="2", content=""), Document(id="3", content="A heart.")]
    documents = embedder.run(rows)["documents"]
    with warned() as found:
        make_store().write_documents(documents)
    assert [warning.missing for warning in found] == [{"sparse_vector": ("1", "2")}]
    with warned() as found:
        await make_store().write_documents_async(documents, policy=DuplicatePolicy.OVERWRITE)
    assert [warning.missing for warning in found] == [{"sparse_vector": ("1", "2")}]


async def test_embedded_documents_warn_of_nothing(make_store: MakeStore, embedder: Any) -> None:
    documents = embedder.run([Document(id="1", content="A heart."), Document(id="2", content="A stone.")])["documents"]
    with warned() as found:
        make_store().write_documents(documents)
        await make_store().write_documents_async(documents, policy=DuplicatePolicy.OVERWRITE)
    assert found == []


def test_documents_that_are_skipped_are_not_warned_about(make_store: MakeStore) -> None:
    store = make_store()
    with pytest.warns(MissingVectorWarning):
        store.write_documents([Document(id="1", content="A heart.")])
    with warned() as found:
        assert store.write_documents([Document(id="1", content="A stone.")], policy=DuplicatePolicy.SKIP) == 0
    assert found == []


def test_a_missing_dense_embedding_is_warned_about(make_store: MakeStore, embedder: Any) -> None:
    (document,) = embedder.run([Document(id="1", content="A heart.")])["documents"]
    store = make_store(embedding_dim=2)
    with warned() as found:
        store.write_documents([document])
    assert [warning.missing for warning in found] == [{"embedding": ("1",)}]
    assert "leave embedding_dim out" in str(found[0])
