"""Vector stores made of texts, documents and existing indices."""

from __future__ import annotations

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import IndexNotFoundError
from tests.paths import SMALL_MODEL

NOWHERE = "http://user:secret@localhost:9"


@pytest.mark.parametrize("make", ["from_texts", "from_documents"])
async def test_a_dense_model_without_its_dimension_is_refused_by_name(make: str) -> None:
    dense = DeterministicFakeEmbedding(size=4)
    for_both = {"index": "articles", "url": NOWHERE}
    with pytest.raises(ValueError, match="DeterministicFakeEmbedding, a dense model"):
        getattr(OpenSearchNeuralSparseVectorStore, make)([], dense, **for_both)
    with pytest.raises(ValueError, match="DeterministicFakeEmbedding, a dense model"):
        await getattr(OpenSearchNeuralSparseVectorStore, f"a{make}")([], dense, **for_both)


async def test_stores_are_made_from_texts_and_documents(server, index_name: str, encoder) -> None:
    options = {"index": index_name, "url": server.url, "query_encoder": encoder, "document_encoder": encoder}
    store = OpenSearchNeuralSparseVectorStore
    with store.from_texts(["a"], metadatas=[{"n": 1}], ids=["1"], **options) as made:
        assert made.get_by_ids(["1"]) == [Document(id="1", page_content="a", metadata={"n": 1})]
    store.from_documents((Document(id=n, page_content=n) for n in "23"), **options).close()
    async with await store.afrom_texts(iter(["d"]), ids=["4"], **options) as made:
        assert await made.aget_by_ids(["4"]) == [Document(id="4", page_content="d")]
    async with await store.afrom_documents([Document(id="5", page_content="e")], **options) as made:
        assert [document.id for document in await made.aget_by_ids(list("12345"))] == list("12345")


async def test_an_existing_index_is_opened_and_a_missing_one_is_named(
    vectorstore, server, index_name: str, encoder
) -> None:
    lakes = Document(id="1", page_content="lakes")
    vectorstore.add_documents([lakes])
    options = {"url": server.url, "query_encoder": encoder}
    store = OpenSearchNeuralSparseVectorStore
    with store.from_existing_index(index_name, **options) as opened:
        assert opened.similarity_search("lakes", k=1) == [lakes]
    async with await store.afrom_existing_index(index_name, **options) as opened:
        assert await opened.asimilarity_search("lakes", k=1) == [lakes]
    with pytest.raises(IndexNotFoundError, match="no-such-index"):
        store.from_existing_index("no-such-index", **options)
    with pytest.raises(IndexNotFoundError, match="no-such-index"):
        await store.afrom_existing_index("no-such-index", **options)


async def test_a_new_index_is_made_with_its_settings_and_an_old_one_keeps_its_own(server, client, index_name) -> None:
    def shards() -> str:
        return client.indices.get_settings(index=index_name)[index_name]["settings"]["index"]["number_of_shards"]

    made = {"index": index_name, "url": server.url, "model": SMALL_MODEL, "batch_size": 1, "ids": ["1", "2"]}
    documents = [Document(page_content="rivers"), Document(page_content="lakes")]
    texts = ["rivers", "lakes"]
    vectorstore_of = OpenSearchNeuralSparseVectorStore
    for number, make in enumerate((vectorstore_of.from_texts, vectorstore_of.from_documents), start=2):
        settings = {"number_of_shards": number, "number_of_replicas": 0}
        given = texts if make == vectorstore_of.from_texts else documents
        with make(given, settings=settings, **made) as vectorstore:
            assert (shards(), len(vectorstore.get_by_ids(["1", "2"]))) == (str(number), 2)
            with make(given, settings={"number_of_shards": 7}, **made):
                assert shards() == str(number)
            vectorstore.store.delete_index()
    for number, make in enumerate((vectorstore_of.afrom_texts, vectorstore_of.afrom_documents), start=2):
        settings = {"number_of_shards": number, "number_of_replicas": 0}
        given = texts if make == vectorstore_of.afrom_texts else documents
        async with await make(given, settings=settings, **made) as vectorstore:
            assert shards() == str(number)
            await vectorstore.async_store.delete_index()
