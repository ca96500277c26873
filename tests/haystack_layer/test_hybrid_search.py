from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline, component
from haystack.components.retrievers import MultiQueryTextRetriever

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.preprocessors.opensearch_neural_sparse import NeuralSparseDocumentSplitter
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
    OpenSearchNeuralSparseIndexer,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

QUERY = "Where does a river carry its water?"
RIVERS = Document(id="rivers", content="Rivers carry water to the sea. " * 8, meta={"topic": "geography"})
LAKES = Document(id="lakes", content="Lakes hold the water of a river. " * 8, meta={"topic": "geography"})
HEARTS = Document(id="hearts", content="The heart pumps blood through the body. " * 8, meta={"topic": "medicine"})
MEDICINE = {"field": "meta.topic", "operator": "==", "value": "medicine"}


@component
class WaterTextEmbedder:
    """A dense embedder: how much of water and of hearts a text holds."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.open = False

    def warm_up(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False

    @component.output_types(embedding=list[float])
    def run(self, text: str) -> dict[str, Any]:
        return {"embedding": [self.scale * text.count("water"), self.scale * text.count("heart"), 1.0]}


@component
class AwaitedWaterTextEmbedder(WaterTextEmbedder):
    """The same, which can be awaited."""

    @component.output_types(embedding=list[float])
    async def run_async(self, text: str) -> dict[str, Any]:
        return self.run(text)


@component
class WaterDocumentEmbedder:
    """The same of documents."""

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        embedder = WaterTextEmbedder()
        return {
            "documents": [replace(row, embedding=embedder.run(row.content or "")["embedding"]) for row in documents]
        }


@pytest.fixture
def store(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> OpenSearchNeuralSparseDocumentStore:
    store = make_store(embedding_dim=3, settings={"number_of_shards": 1, "index.knn": True})
    indexer = OpenSearchNeuralSparseIndexer(
        document_store=store,
        embedder=embedder,
        dense_embedder=WaterDocumentEmbedder(),
        splitter=NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=24, split_overlap=0),
    )
    indexer.run([RIVERS, LAKES, HEARTS])
    return store


def ranked(found: dict[str, Any]) -> list[tuple[str, float]]:
    return [(document.id, document.score) for document in found["documents"]]


def test_two_legs_are_those_of_the_retriever(store: OpenSearchNeuralSparseDocumentStore) -> None:
    options = {"document_store": store, "weights": [0.3, 0.7], "top_k": 4}
    search, retriever = OpenSearchNeuralSparseHybridSearch(**options), OpenSearchNeuralSparseHybridRetriever(**options)
    assert ranked(search.run(QUERY)) == ranked(retriever.run(QUERY))
    inputs: dict[str, Any] = {"top_k": 2, "filters": MEDICINE, "weights": [0.5, 0.5], "explain": True}
    assert search.run(QUERY, **inputs) == retriever.run(QUERY, **inputs)


def test_an_embedder_adds_the_dense_leg(store: OpenSearchNeuralSparseDocumentStore) -> None:
    search = OpenSearchNeuralSparseHybridSearch(
        document_store=store, text_embedder=WaterTextEmbedder(), weights=[0.2, 0.2, 0.6], explain=True
    )
    retriever = OpenSearchNeuralSparseHybridRetriever(
        document_store=store, legs=["bm25", "sparse", "dense"], weights=[0.2, 0.2, 0.6], explain=True
    )
    found = search.run(QUERY)
    embedding = WaterTextEmbedder().run(QUERY)["embedding"]
    assert found == retriever.run(QUERY, query_embedding=embedding)
    assert set(found["documents"][0].meta["_explanation"]["legs"]) == {"bm25", "sparse", "dense"}


def test_documents_are_found_once_by_their_best_passage(store: OpenSearchNeuralSparseDocumentStore) -> None:
    passages = OpenSearchNeuralSparseHybridSearch(document_store=store, top_k=6).run(QUERY)["documents"]
    assert len({passage.meta["source_id"] for passage in passages}) < len(passages)
    search = OpenSearchNeuralSparseHybridSearch(document_store=store, collapse="source_id", top_k=6)
    sources = [document.meta["source_id"] for document in search.run(QUERY)["documents"]]
    assert sorted(sources[:2]) == ["lakes", "rivers"]
    assert len(sources) == len(set(sources))


def test_a_blank_query_finds_nothing(store: OpenSearchNeuralSparseDocumentStore) -> None:
    search = OpenSearchNeuralSparseHybridSearch(document_store=store, text_embedder=WaterTextEmbedder())
    assert search.run(" \n") == asyncio.run(search.run_async("")) == {"documents": []}


@pytest.mark.parametrize("kind", [None, WaterTextEmbedder, AwaitedWaterTextEmbedder])
def test_pipeline_is_the_same_after_yaml_and_asynchronously(
    store: OpenSearchNeuralSparseDocumentStore, kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAYSTACK_DESERIALIZATION_ALLOWLIST", "tests.*")
    pipeline = Pipeline()
    options: dict[str, Any] = {"collapse": "source_id", "filter_policy": "merge", "filters": MEDICINE}
    embedder = None if kind is None else kind(scale=2.0)
    search = OpenSearchNeuralSparseHybridSearch(document_store=store, text_embedder=embedder, **options)
    pipeline.add_component("search", search)
    loaded = Pipeline.loads(saved := pipeline.dumps())
    assert loaded.dumps() == saved
    inputs = {"search": {"query": "blood"}}
    expected = loaded.run(inputs)
    assert [document.meta["source_id"] for document in expected["search"]["documents"]] == ["hearts"]

    async def ask() -> dict[str, Any]:
        try:
            return await pipeline.run_async(inputs)
        finally:
            await pipeline.close_async()

    assert asyncio.run(ask()) == expected
    loaded.close()


def test_its_parts_are_warmed_up_and_closed_with_it(store: OpenSearchNeuralSparseDocumentStore) -> None:
    dense = WaterTextEmbedder()
    search = OpenSearchNeuralSparseHybridSearch(document_store=store, text_embedder=dense)
    search.warm_up()
    assert dense.open
    found = search.run(QUERY)
    search.close()
    assert not dense.open
    assert search.run(QUERY) == found


@pytest.mark.filterwarnings("ignore::haystack.utils.experimental.ExperimentalWarning")
def test_it_is_a_text_retriever_in_haystacks_sense(store: OpenSearchNeuralSparseDocumentStore) -> None:
    search = OpenSearchNeuralSparseHybridSearch(document_store=store, top_k=1)
    found = MultiQueryTextRetriever(retriever=search).run(["blood", "the water of rivers"])["documents"]
    assert {document.meta["topic"] for document in found} == {"medicine", "geography"}


def test_a_dense_leg_and_its_embedder_come_together(store: OpenSearchNeuralSparseDocumentStore) -> None:
    with pytest.raises(ValueError, match="text_embedder"):
        OpenSearchNeuralSparseHybridSearch(document_store=store, legs=["sparse", "dense"])
    with pytest.raises(ValueError, match="text_embedder"):
        OpenSearchNeuralSparseHybridSearch(
            document_store=store, legs=["bm25", "sparse"], text_embedder=WaterTextEmbedder()
        )
    with pytest.raises(TypeError, match="no_such_option"):
        OpenSearchNeuralSparseHybridSearch(document_store=store, no_such_option=1)
