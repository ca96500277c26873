from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline, component
from haystack.components.preprocessors import DocumentSplitter
from haystack.document_stores.errors import DocumentStoreError, DuplicateDocumentError
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.preprocessors.opensearch_neural_sparse import NeuralSparseDocumentSplitter
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from haystack_integrations.components.super_components.opensearch_neural_sparse import OpenSearchNeuralSparseIndexer
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

RIVERS = "Rivers carry water to the sea. " * 12
HEARTS = "The heart pumps blood through the body. " * 12
DOCUMENTS = [Document(id="rivers", content=RIVERS), Document(id="hearts", content=HEARTS, meta={"year": 2026})]
ONE_BY_ONE = {"policy": "overwrite", "batch_size": 1}


@component
class Lengths:
    """A dense embedder: the numbers of characters and of spaces."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self.open = False

    def warm_up(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        sizes = [(len(document.content or ""), (document.content or "").count(" ")) for document in documents]
        pairs = zip(documents, sizes, strict=True)
        return {"documents": [document_with(document, [self.scale * x, self.scale * y]) for document, (x, y) in pairs]}


def document_with(document: Document, embedding: list[float]) -> Document:
    return Document.from_dict(document.to_dict() | {"embedding": embedding})


@pytest.fixture
def splitter() -> NeuralSparseDocumentSplitter:
    return NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=20, split_overlap=4)


def found(store: Any, query: str) -> list[str]:
    return [document.id for document in OpenSearchNeuralSparseRetriever(document_store=store).run(query)["documents"]]


def test_documents_are_found_by_their_passages(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder, splitter: NeuralSparseDocumentSplitter
) -> None:
    store = make_store()
    indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, splitter=splitter, batch_size=1)
    passages = splitter.run(DOCUMENTS)["documents"]
    assert indexer.run(DOCUMENTS) == {"documents_written": len(passages)}
    assert {document.id: document.meta for document in store.filter_documents()} == {
        passage.id: passage.meta for passage in passages
    }
    assert found(store, "cardiac muscle")[0].startswith("hearts#")
    assert indexer.run([]) == {"documents_written": 0}


def test_whole_documents_with_both_vectors(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> None:
    store = make_store(embedding_dim=2, return_embedding=True)
    indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, dense_embedder=Lengths())
    assert indexer.run(DOCUMENTS) == {"documents_written": 2}
    for document in store.filter_documents():
        expected = embedder.run([document])["documents"][0].sparse_embedding
        assert document.sparse_embedding.indices == expected.indices
        assert document.embedding == [len(document.content), document.content.count(" ")]
    assert all(document.sparse_embedding is None and document.embedding is None for document in DOCUMENTS)


@pytest.mark.parametrize("stock", [False, True], ids=["own splitter", "Haystack's splitter"])
def test_overwriting_leaves_no_passage_that_a_document_no_longer_has(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder, splitter: NeuralSparseDocumentSplitter, stock: bool
) -> None:
    cut = DocumentSplitter(split_length=20) if stock else splitter
    store = make_store()
    indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, splitter=cut, **ONE_BY_ONE)
    indexer.run(DOCUMENTS)
    before = {document.id for document in store.filter_documents()}
    shorter = Document(id="rivers", content="Rivers carry water.")
    assert indexer.run([shorter]) == {"documents_written": 1}
    (left,) = store.filter_documents({"field": "meta.source_id", "operator": "==", "value": "rivers"})
    assert left.content == shorter.content
    hearts = {passage.id for passage in cut.run(DOCUMENTS[1:])["documents"]}
    assert {document.id for document in store.filter_documents()} == hearts | {left.id}
    assert hearts < before
    indexer.run([Document(id="rivers", content=""), Document(id="hearts", content="")])
    assert store.count_documents() == 0


def test_policy_of_a_run_goes_before_that_of_the_component(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder
) -> None:
    indexer = OpenSearchNeuralSparseIndexer(document_store=make_store(), embedder=embedder)
    indexer.run(DOCUMENTS)
    with pytest.raises(DuplicateDocumentError, match="2 documents"):
        indexer.run(DOCUMENTS)
    assert indexer.run(DOCUMENTS, policy=DuplicatePolicy.SKIP) == {"documents_written": 0}
    assert indexer.run(DOCUMENTS, policy=DuplicatePolicy.OVERWRITE) == {"documents_written": 2}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_old_passages_stay_where_the_new_ones_cannot_be_written(
    make_store: MakeStore, splitter: NeuralSparseDocumentSplitter, asynchronous: bool
) -> None:
    store = make_store()
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False)
    indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, splitter=splitter, **ONE_BY_ONE)
    indexer.run(DOCUMENTS)
    before = {document.id for document in store.filter_documents()}
    refused = Document(id="rivers", content="Rivers " * 90, meta={"year": "no number"})
    with pytest.raises(DocumentStoreError):
        asyncio.run(indexer.run_async([refused])) if asynchronous else indexer.run([refused])
    store.refresh()
    assert {document.id for document in store.filter_documents()} == before
    indexer.run([Document(id="rivers", content="Rivers are short.")])
    assert sum(document.meta["source_id"] == "rivers" for document in store.filter_documents()) == 1


def test_pipeline_is_the_same_after_yaml_and_asynchronously(
    make_store: MakeStore, splitter: NeuralSparseDocumentSplitter
) -> None:
    pipeline = Pipeline()
    indexer = OpenSearchNeuralSparseIndexer(
        document_store=make_store(),
        embedder=NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False),
        splitter=splitter,
        dense_embedder=DocumentSplitter(split_length=5),
        **ONE_BY_ONE,
    )
    pipeline.add_component("indexer", indexer)
    loaded = Pipeline.loads(saved := pipeline.dumps())
    assert loaded.dumps() == saved
    assert loaded.get_component("indexer").policy is DuplicatePolicy.OVERWRITE
    expected = loaded.run({"indexer": {"documents": DOCUMENTS}})

    async def index() -> dict[str, Any]:
        try:
            return await pipeline.run_async({"indexer": {"documents": DOCUMENTS}})
        finally:
            await pipeline.close_async()

    assert asyncio.run(index()) == expected
    assert loaded.run({"indexer": {"documents": DOCUMENTS}}) == expected
    loaded.close()


def test_parts_are_warmed_up_and_closed_with_it(make_store: MakeStore) -> None:
    dense = Lengths()
    indexer = OpenSearchNeuralSparseIndexer(
        document_store=make_store(), embedder=NeuralSparseDocumentEmbedder(SMALL_MODEL), dense_embedder=dense
    )
    indexer.warm_up()
    assert dense.open
    indexer.close()
    assert not dense.open
    asyncio.run(indexer.warm_up_async())
    assert dense.open
    asyncio.run(indexer.close_async())
    assert not dense.open


def test_what_it_cannot_work_with_is_refused(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> None:
    store = make_store()
    with pytest.raises(TypeError, match="document_store is an OpenSearchNeuralSparseDocumentStore, got InMemory"):
        OpenSearchNeuralSparseIndexer(document_store=InMemoryDocumentStore(), embedder=embedder)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="embedder is a NeuralSparseDocumentEmbedder or None, got Lengths"):
        OpenSearchNeuralSparseIndexer(document_store=store, embedder=Lengths())
    with pytest.raises(ValueError, match="replace"):
        OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, policy="replace")
    with pytest.raises(ValueError, match="batch_size is 0"):
        OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, batch_size=0)
