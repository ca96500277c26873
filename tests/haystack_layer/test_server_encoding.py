"""Haystack's and LangChain's stores over an index that the server encodes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")
pytest.importorskip("langchain_core", reason="the langchain extra is not installed")

from haystack import Document as HaystackDocument
from haystack.core.serialization import component_from_dict, component_to_dict
from haystack.document_stores.types import DuplicatePolicy
from langchain_core.documents import Document

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.components.super_components.opensearch_neural_sparse import OpenSearchNeuralSparseIndexer
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import ServerEncoding
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}
TEXTS = {
    "heart": "The heart pumps blood through the body.",
    "river": "Rivers carry water to the sea.",
    "bank": "A bank lends money; the bank of a river is another.",
}


@pytest.fixture
def index(model_index: str, model_client: Any) -> Iterator[str]:
    yield model_index
    model_client.indices.delete(index=model_index, ignore_unavailable=True)
    model_client.ingest.delete_pipeline(id=f"{model_index}-sparse-encoding", ignore=[404])


@pytest.fixture
def document_store(
    model_server: RunningServer, index: str, deployed: DeployedModel
) -> Iterator[OpenSearchNeuralSparseDocumentStore]:
    store = OpenSearchNeuralSparseDocumentStore(
        hosts=model_server.url,
        index=index,
        model=str(SMALL_MODEL),
        settings=SETTINGS,
        server_encoding={"model_id": deployed.model_id, "batch_size": 5},
    )
    yield store
    store.close()


@pytest.fixture
def vectorstore(model_server: RunningServer, index: str) -> Iterator[OpenSearchNeuralSparseVectorStore]:
    with OpenSearchNeuralSparseVectorStore(index, url=model_server.url, model=SMALL_MODEL) as vectorstore:
        yield vectorstore


def documents() -> list[HaystackDocument]:
    return [HaystackDocument(id=name, content=text, meta={"topic": name}) for name, text in TEXTS.items()]


def test_documents_without_embeddings_are_encoded_by_the_server(
    document_store: OpenSearchNeuralSparseDocumentStore, model_client: Any, index: str
) -> None:
    first, second, third = documents()
    embedder = NeuralSparseDocumentEmbedder(str(SMALL_MODEL), progress_bar=False)
    (embedded,) = embedder.run([second])["documents"]
    embedder.close()
    assert document_store.write_documents([first, embedded]) == 2
    assert asyncio.run(document_store.write_documents_async([third])) == 1
    sources = [row["_source"] for row in model_client.mget(index=index, body={"ids": list(TEXTS)})["docs"]]
    assert all(source["sparse_vector"] for source in sources)
    assert len({source["sparse_vector_model"] for source in sources}) == 1
    pipeline = model_client.ingest.get_pipeline(id=f"{index}-sparse-encoding")[f"{index}-sparse-encoding"]
    assert pipeline["processors"][0]["sparse_encoding"]["batch_size"] == 5


def test_both_layers_search_what_either_wrote(
    document_store: OpenSearchNeuralSparseDocumentStore, vectorstore: OpenSearchNeuralSparseVectorStore
) -> None:
    first, second, _ = documents()
    document_store.write_documents([first, second])
    vectorstore.add_documents([Document(id="bank", page_content=TEXTS["bank"], metadata={"topic": "bank"})])
    sparse = OpenSearchNeuralSparseRetriever(document_store=document_store, explain=True)
    hybrid = OpenSearchNeuralSparseHybridRetriever(document_store=document_store)
    for query, best in (("cardiac function", "heart"), ("where does water end?", "river"), ("loans of money", "bank")):
        found = sparse.run(query=query)["documents"]
        assert found[0].id == best
        hits = vectorstore.similarity_search_with_score(query)
        assert [(hit.id, score) for hit, score in hits] == [(one.id, one.score) for one in found]
        assert hybrid.run(query=query)["documents"][0].id == best
        assert vectorstore.as_retriever(search_type="hybrid").invoke(query)[0].id == best
        explained = vectorstore.as_retriever(search_type="sparse", search_kwargs={"explain": True}).invoke(query)
        assert explained[0].id == best


def test_a_vector_store_makes_such_an_index(model_server: RunningServer, index: str, deployed: DeployedModel) -> None:
    options: dict[str, Any] = {"model": SMALL_MODEL, "url": model_server.url, "settings": SETTINGS}
    with OpenSearchNeuralSparseVectorStore(index, server_encoding=deployed.model_id, **options) as vectorstore:
        vectorstore.add_texts(list(TEXTS.values()), ids=list(TEXTS))
        binding = vectorstore.store.open().binding
        assert binding is not None
        assert binding.server is not None
        assert [document.id for document in vectorstore.similarity_search("cardiac", k=1)] == ["heart"]
        asyncio.run(vectorstore.aadd_texts(["A green tree."], ids=["tree"]))
        assert vectorstore.store.get(["tree"])[0].vector


def test_an_indexer_needs_no_embedder(
    document_store: OpenSearchNeuralSparseDocumentStore, tmp_path: Path, model_client: Any, index: str
) -> None:
    indexer = OpenSearchNeuralSparseIndexer(document_store=document_store, policy="overwrite")
    assert indexer.run(documents())["documents_written"] == 3
    by_journal = OpenSearchNeuralSparseIndexer(document_store=document_store, journal=tmp_path / "journal")
    assert by_journal.run(documents())["report"]["written"] == 3
    assert by_journal.run(documents())["report"]["unchanged"] == 3
    assert asyncio.run(by_journal.run_async(documents()[:1]))["report"]["unchanged"] == 1
    rows = model_client.mget(index=index, body={"ids": list(TEXTS)})["docs"]
    assert all(row["_source"]["sparse_vector"] for row in rows)


def test_an_indexer_without_an_embedder_is_refused_for_other_indices(model_server: RunningServer, index: str) -> None:
    store = OpenSearchNeuralSparseDocumentStore(
        hosts=model_server.url, index=index, model=str(SMALL_MODEL), settings=SETTINGS
    )
    indexer = OpenSearchNeuralSparseIndexer(document_store=store)
    with pytest.raises(ValueError, match="does not encode the documents of this index"):
        indexer.run(documents())
    with pytest.raises(ValueError, match="does not encode the documents of this index"):
        asyncio.run(indexer.run_async(documents()))
    store.close()
    asyncio.run(store.close_async())


LONG = {
    "mixed": " ".join(TEXTS.values()),
    "woods": "Oak trees drop their leaves in autumn. Snow falls in the mountains. A fox sleeps.",
}


def test_both_layers_write_and_search_passages_of_the_server(
    model_server: RunningServer, model_client: Any, index: str, deployed: DeployedModel, tmp_path: Path
) -> None:
    saved = OpenSearchNeuralSparseDocumentStore(
        hosts=model_server.url,
        index=index,
        model=str(SMALL_MODEL),
        settings=SETTINGS,
        server_encoding={"model_id": deployed.model_id, "chunking": "delimiter:."},
    ).to_dict()
    rule = {"algorithm": "delimiter", "delimiter": "."}
    assert saved["init_parameters"]["server_encoding"] == {"model_id": deployed.model_id, "chunking": rule}
    store = OpenSearchNeuralSparseDocumentStore.from_dict(saved)
    assert store.to_dict() == saved
    indexer = OpenSearchNeuralSparseIndexer(document_store=store, journal=tmp_path / "journal")
    mixed, woods = (HaystackDocument(id=name, content=text, meta={"topic": name}) for name, text in LONG.items())
    assert indexer.run([mixed])["report"]["written"] == 1
    assert asyncio.run(store.write_documents_async([woods])) == 1
    sparse = OpenSearchNeuralSparseRetriever(document_store=store, explain=True)
    hybrid = OpenSearchNeuralSparseHybridRetriever(document_store=store)
    with OpenSearchNeuralSparseVectorStore(index, url=model_server.url) as vectorstore:
        vectorstore.add_texts([LONG["woods"]], ids=["copy"])
        searches = vectorstore.as_retriever(search_type="sparse", search_kwargs={"explain": True})
        for query, best, passage in (
            ("cardiac function", "mixed", TEXTS["heart"]),
            ("loans of money", "mixed", " A bank lends money; the bank of a river is another."),
            ("forest", "woods", "Oak trees drop their leaves in autumn."),
        ):
            (found, *_), (hit, *_) = sparse.run(query=query)["documents"], searches.invoke(query)
            assert (found.id, found.meta["_chunk"]["text"]) == (best, passage)
            assert hit.metadata["_chunk"]["text"] == passage
            assert hybrid.run(query=query)["documents"][0].meta["_chunk"]["text"] == passage
            assert {"passages", "chunks"}.isdisjoint(hit.metadata.keys() | found.meta.keys())
        asyncio.run(vectorstore.aadd_texts([LONG["mixed"]], ids=["awaited"]))
        assert [len(each.chunks or ()) for each in vectorstore.store.get(["mixed", "copy", "awaited"])] == [3, 3, 3]
    rewritten = store.filter_documents({"field": "meta.topic", "operator": "==", "value": "woods"})
    assert store.write_documents(rewritten, policy=DuplicatePolicy.OVERWRITE) == 1
    sources = [row["_source"] for row in model_client.mget(index=index, body={"ids": ["woods", "copy"]})["docs"]]
    assert sources[0]["chunks"] == sources[1]["chunks"]
    store.close()
    asyncio.run(store.close_async())


def test_server_encoding_is_saved_where_it_is_given() -> None:
    for given in ("m", {"model_id": "m"}, ServerEncoding(model_id="m")):
        store = OpenSearchNeuralSparseDocumentStore(index="articles", server_encoding=given)
        saved = store.to_dict()
        assert saved["init_parameters"]["server_encoding"] == {"model_id": "m"}
        assert OpenSearchNeuralSparseDocumentStore.from_dict(saved).to_dict() == saved
    assert "server_encoding" not in OpenSearchNeuralSparseDocumentStore(index="articles").to_dict()["init_parameters"]
    indexer = OpenSearchNeuralSparseIndexer(document_store=store)
    saved = component_to_dict(indexer, "indexer")
    again = component_from_dict(OpenSearchNeuralSparseIndexer, saved, "indexer")
    assert again.embedder is None
    with pytest.raises(TypeError, match="unknown keys modelid"):
        OpenSearchNeuralSparseDocumentStore(server_encoding={"modelid": "m"})
