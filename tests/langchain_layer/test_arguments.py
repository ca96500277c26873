"""Arrays as dense vectors, and what is asked wrongly in LangChain's words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import IndexSchema
from tests.langchain_layer.conftest import MakeStore

pytestmark = pytest.mark.newest_server

VECTOR = [0.25, 0.5, 1.0]


class ArrayEmbeddings(Embeddings):
    """Makes what `SentenceTransformer.encode` returns."""

    def embed_documents(self, texts: list[str]) -> Any:
        return np.array([VECTOR for _ in texts], dtype=np.float32)

    def embed_query(self, text: str) -> Any:
        return np.array(VECTOR, dtype=np.float32)


async def test_arrays_are_dense_vectors(make_store: MakeStore) -> None:
    store = make_store(embedding=ArrayEmbeddings(), schema=IndexSchema(embedding_dimension=3))
    store.add_texts(["red mars"], ids=["1"])
    await store.aadd_texts(["blue earth"], ids=["2"])
    assert [document.embedding for document in store.store.get(["1", "2"])] == [VECTOR, VECTOR]
    for legs in (("bm25", "sparse", "dense"), ("dense",)):
        retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=store, legs=legs)
        assert {found.id for found in retriever.invoke("mars")} == {"1", "2"}
        assert {found.id for found in await retriever.ainvoke("mars")} == {"1", "2"}


async def test_argument_of_another_type_is_named(vectorstore: OpenSearchNeuralSparseVectorStore) -> None:
    vectorstore.add_texts(["red mars"])
    for query in (None, ["mars"], 5):
        with pytest.raises(TypeError, match="A query is one text, or a mapping of token to weight, got"):
            vectorstore.similarity_search(query)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="A query is one text, or a mapping of token to weight, got"):
            await vectorstore.asimilarity_search(query)  # type: ignore[arg-type]
    for add in (vectorstore.add_texts, vectorstore.add_documents, vectorstore.get_by_ids):
        with pytest.raises(TypeError, match="takes several, as a list, got NoneType"):
            add(None)  # type: ignore[operator]


@pytest.mark.parametrize("k", [0, -1, "4", 10_001])
async def test_k_out_of_range_is_named(vectorstore: OpenSearchNeuralSparseVectorStore, k: Any) -> None:
    vectorstore.add_texts(["red mars"])
    for search in (vectorstore.similarity_search, vectorstore.max_marginal_relevance_search):
        with pytest.raises(ValueError, match=f"k lies between 1 and 10000, got {k!r}"):
            search("mars", k=k)
    with pytest.raises(ValueError, match=f"k lies between 1 and 10000, got {k!r}"):
        await vectorstore.asimilarity_search("mars", k=k)
    with pytest.raises(ValueError, match=f"fetch_k lies between 1 and 10000, got {k!r}"):
        await vectorstore.amax_marginal_relevance_search("mars", fetch_k=k)


def test_list_of_indices_says_how_several_are_named() -> None:
    with pytest.raises(TypeError, match="index is one text, got list; commas separate several: 'a,b'"):
        OpenSearchNeuralSparseVectorStore(["a", "b"], url="http://localhost:9200")  # type: ignore[arg-type]


def test_write_options_as_a_mapping_are_refused(make_store: MakeStore) -> None:
    with pytest.raises(TypeError, match=r"^write_options is a WriteOptions or None, got dict\.$"):
        make_store(write_options={"batch_sze": 3})


def test_keyword_that_a_retriever_of_langchain_passes_over_is_refused(make_store: MakeStore) -> None:
    with pytest.raises(TypeError, match=r"as_retriever\(\) has no argument 'k'\..*search_kwargs=\{\.\.\.\}"):
        make_store().as_retriever(k=1)
    with pytest.raises(TypeError, match="'serch_kwargs'"):
        make_store().as_retriever(serch_kwargs={"k": 1})
    kept = make_store().as_retriever(search_kwargs={"k": 1}, tags=["own"], metadata={"a": 1}, name="mine")
    assert (kept.tags, kept.metadata, kept.name) == (["own"], {"a": 1}, "mine")
