"""An index made by others, in which a text is a list, a number or a boolean."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from tests.haystack_layer.conftest import MakeStore

pytestmark = pytest.mark.newest_server

CONTENTS: dict[str, Any] = {"list": ["a river", "a moon"], "number": 42.5, "boolean": True, "null": None}
TEXTS = {"list": "a river\na moon", "number": "42.5", "boolean": "true", "null": None}


@pytest.fixture
def store(make_store: MakeStore, client: Any, index_name: str) -> OpenSearchNeuralSparseDocumentStore:
    store = make_store()
    store.write_documents([Document(id="string", content="a lake", meta={"own": True})])
    for name, content in CONTENTS.items():
        body = {"id": name, "content": content, "sparse_vector": {"river": 1.0}}
        client.index(index=index_name, id=name, body=body, params={"refresh": "true"})
    return store


def texts(documents: list[Document]) -> dict[str, str | None]:
    return {document.id: document.content for document in documents}


async def test_texts_of_any_json_are_read_by_filters(store: OpenSearchNeuralSparseDocumentStore) -> None:
    assert texts(store.filter_documents()) == TEXTS | {"string": "a lake"}
    assert texts(await store.filter_documents_async()) == TEXTS | {"string": "a lake"}


@pytest.mark.parametrize("kind", [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever])
async def test_every_retriever_finds_texts_of_any_json(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    retriever = kind(document_store=store, top_k=10)
    assert texts(retriever.run(query="river")["documents"]) == TEXTS
    assert texts((await retriever.run_async(query="river"))["documents"]) == TEXTS
