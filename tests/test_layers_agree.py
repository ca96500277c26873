"""One index, written by one layer and read by the other: ids, texts, metadata and scores are equal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")
pytest.importorskip("langchain_core", reason="the langchain extra is not installed")

from haystack import Document as HaystackDocument
from langchain_core.documents import Document

import haystack_integrations.components.retrievers.opensearch_neural_sparse as haystack_layer
import langchain_opensearch_neural_sparse as langchain_layer
from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import NeuralSparseStore
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

DOCUMENTS = {
    "heart": ("The heart pumps blood through the body.", {"topic": "medicine", "year": 2021, "id": 1, "meta": "mine"}),
    "river": ("Rivers carry water to the sea.", {"topic": "geography", "year": 2023, "nested": {"deep": [1, 2]}}),
    "bank": ("A bank lends money; the bank of a river is another.", {"topic": "money", "score": 0.5, "none": None}),
    "blank": ("", {"topic": "nothing"}),
}
QUERIES = ["cardiac function", "where do rivers end?", "the bank of a river", ""]
GEOGRAPHY = {"field": "meta.topic", "operator": "==", "value": "geography"}


@pytest.fixture
def haystack_store(server: Any, index_name: str) -> Iterator[OpenSearchNeuralSparseDocumentStore]:
    store = OpenSearchNeuralSparseDocumentStore(hosts=server.url, index=index_name, model=str(SMALL_MODEL), timeout=60)
    yield store
    store.close()


@pytest.fixture
def vectorstore(server: Any, index_name: str) -> Iterator[OpenSearchNeuralSparseVectorStore]:
    with OpenSearchNeuralSparseVectorStore(index_name, url=server.url, model=SMALL_MODEL) as vectorstore:
        yield vectorstore


def _write_haystack(store: OpenSearchNeuralSparseDocumentStore) -> None:
    documents = [HaystackDocument(id=key, content=text, meta=meta) for key, (text, meta) in DOCUMENTS.items()]
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False)
    store.write_documents(embedder.run(documents)["documents"])
    embedder.close()


def _write_langchain(vectorstore: OpenSearchNeuralSparseVectorStore) -> None:
    vectorstore.add_documents(
        [Document(id=key, page_content=text, metadata=meta) for key, (text, meta) in DOCUMENTS.items()]
    )


def _as_rows(documents: list[Any]) -> list[tuple[Any, ...]]:
    """Return id, text, metadata and score, however a layer calls them."""
    rows = []
    for one in documents:
        if isinstance(one, HaystackDocument):
            rows.append((one.id, one.content, one.meta, one.score))
        else:
            metadata = dict(one.metadata)
            score = metadata.pop("_score", None)
            rows.append((one.id, one.page_content, metadata, score))
    return rows


@pytest.mark.parametrize("writer", ["haystack", "langchain"])
def test_either_layer_reads_and_finds_what_the_other_wrote(haystack_store, vectorstore, writer: str) -> None:
    if writer == "haystack":
        _write_haystack(haystack_store)
    else:
        _write_langchain(vectorstore)
    read = sorted(_as_rows(haystack_store.filter_documents()), key=lambda row: row[0])
    assert [row[:3] for row in read] == sorted(row[:3] for row in _as_rows(vectorstore.get_by_ids(list(DOCUMENTS))))
    assert [row[:3] for row in read] == sorted((key, text, meta) for key, (text, meta) in DOCUMENTS.items())
    answers = 0
    for kind in ("OpenSearchNeuralSparseRetriever", "OpenSearchNeuralSparseHybridRetriever"):
        theirs = getattr(haystack_layer, kind)(document_store=haystack_store, top_k=3)
        ours = getattr(langchain_layer, kind)(vectorstore=vectorstore, k=3, include_scores=True)
        for query in QUERIES:
            found = _as_rows(ours.invoke(query))
            assert _as_rows(theirs.run(query=query)["documents"]) == found
            answers += len(found)
        narrowed = _as_rows(ours.invoke("river", filter={"topic": "geography"}))
        assert _as_rows(theirs.run(query="river", filters=GEOGRAPHY)["documents"]) == narrowed
        assert [row[0] for row in narrowed] == ["river"]
    assert answers > len(QUERIES)


def test_both_layers_write_the_same_bytes(haystack_store, vectorstore, server, client, index_name: str) -> None:
    _write_langchain(vectorstore)
    core = NeuralSparseStore(index_name, client=client)
    ours = {one.id: one for one in core.scan()}
    vectorstore.delete(list(DOCUMENTS))
    _write_haystack(haystack_store)
    assert {one.id: one for one in core.scan()} == ours


def test_an_update_by_one_layer_is_seen_by_the_other(haystack_store, vectorstore) -> None:
    _write_haystack(haystack_store)
    vectorstore.add_texts(["Glaciers feed rivers."], [{"topic": "ice"}], ids=["river"])
    [found] = haystack_store.filter_documents({"field": "meta.topic", "operator": "==", "value": "ice"})
    assert (found.id, found.content, found.meta) == ("river", "Glaciers feed rivers.", {"topic": "ice"})
    haystack_store.delete_documents(["river"], refresh=True)
    assert vectorstore.get_by_ids(["river"]) == []
