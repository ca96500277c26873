"""Texts without a token are written and warned about, once a write."""

from __future__ import annotations

import pytest
from langchain_core.documents import Document

from opensearch_neural_sparse import ModelFiles
from tests.encoders import WordEncoder
from tests.langchain_layer.conftest import MakeStore
from tests.store.bulk.test_missing_vectors import warned

pytestmark = pytest.mark.newest_server


async def test_texts_without_a_token_are_warned_about_once_a_write(
    make_store: MakeStore, small_files: ModelFiles
) -> None:
    words = WordEncoder(small_files)
    vectorstore = make_store(query_encoder=words, document_encoder=words)
    with warned() as found:
        vectorstore.add_texts(["", "A heart.", " "], ids=["1", "2", "3"], batch_size=1)
    assert [warning.missing for warning in found] == [{"sparse_vector": ("1", "3")}]
    documents = [Document(id="4", page_content=""), Document(id="5", page_content="A stone.")]
    with warned() as found:
        await vectorstore.aadd_documents(documents, batch_size=1)
    assert [warning.missing for warning in found] == [{"sparse_vector": ("4",)}]


async def test_texts_warn_of_nothing(make_store: MakeStore) -> None:
    with warned() as found:
        make_store().add_texts(["A heart.", "A stone."], batch_size=1)
        await make_store().aadd_documents([Document(page_content="A river.")])
    assert found == []
