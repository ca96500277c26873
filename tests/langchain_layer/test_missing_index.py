"""An index that is not there: an error, unless the vector store makes it at its first write."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import IndexNotFoundError, IndexNotFoundWarning

Read = Callable[[OpenSearchNeuralSparseVectorStore], Any]
AsyncRead = Callable[[OpenSearchNeuralSparseVectorStore], Awaitable[Any]]
VECTOR = {"river": 1.0}
CLAUSE = {"ids": {"values": ["1"]}}
READS: dict[str, tuple[Read, AsyncRead]] = {
    "similarity": (lambda v: v.similarity_search("x"), lambda v: v.asimilarity_search("x")),
    "filter alone": (lambda v: v.similarity_search("", filter=CLAUSE), lambda v: v.asimilarity_search(" ", 4, CLAUSE)),
    "scores": (lambda v: v.similarity_search_with_score("x"), lambda v: v.asimilarity_search_with_score("x")),
    "vector": (
        lambda v: v.similarity_search_by_sparse_vector(VECTOR),
        lambda v: v.asimilarity_search_by_sparse_vector(VECTOR),
    ),
    "relevance": (
        lambda v: v.similarity_search_with_relevance_scores("x"),
        lambda v: v.asimilarity_search_with_relevance_scores("x"),
    ),
    "mmr": (lambda v: v.max_marginal_relevance_search("x"), lambda v: v.amax_marginal_relevance_search("x")),
    "search": (lambda v: v.search("x", "similarity"), lambda v: v.asearch("x", "similarity")),
    "retriever": (lambda v: v.as_retriever().invoke("x"), lambda v: v.as_retriever().ainvoke("x")),
    "get": (lambda v: v.get_by_ids(["1"]), lambda v: v.aget_by_ids(["1"])),
    "delete": (lambda v: v.delete(["1"]), lambda v: v.adelete(["1"])),
}
OWN_RETRIEVERS: dict[str, tuple[Read, AsyncRead]] = {
    "sparse": (lambda v: v.search("x", "sparse"), lambda v: v.asearch("x", "sparse")),
    "hybrid": (
        lambda v: v.as_retriever(search_type="hybrid").invoke("x"),
        lambda v: v.as_retriever(search_type="hybrid").ainvoke("x"),
    ),
}
WRITES: dict[str, tuple[Read, AsyncRead]] = {"write": (lambda v: v.add_texts(["x"]), lambda v: v.aadd_texts(["x"]))}
EVERY = [*READS.values(), *OWN_RETRIEVERS.values(), *WRITES.values()]
every = pytest.mark.parametrize(("ask", "await_"), EVERY, ids=[*READS, *OWN_RETRIEVERS, *WRITES])


@every
async def test_of_a_list_the_missing_names_alone_are_named(server, client, vectorstore, encoder, ask, await_) -> None:
    vectorstore.add_texts(["x"])
    there = vectorstore.store.index
    name = f"{there},{there}-typo,{there}-other,{there}*"
    options = {"url": server.url, "query_encoder": encoder, "document_encoder": encoder}
    said = rf"^Indices '{there}-typo', '{there}-other' do not exist\. Check their names"
    async with OpenSearchNeuralSparseVectorStore(name, **options) as several:
        with pytest.raises(IndexNotFoundError, match=said):
            ask(several)
        with pytest.raises(IndexNotFoundError, match=said):
            await await_(several)
    assert not client.indices.exists(index=f"{there}-typo")


@every
async def test_pattern_that_matches_nothing_is_an_error(server, client, index_name, encoder, ask, await_) -> None:
    options = {"url": server.url, "query_encoder": encoder, "document_encoder": encoder}
    async with OpenSearchNeuralSparseVectorStore(f"{index_name}-no*", **options) as pattern:
        with pytest.raises(IndexNotFoundError, match=rf"^No index matches '{index_name}-no\*'\. Check the pattern"):
            ask(pattern)
        with pytest.raises(IndexNotFoundError, match=r"Check the pattern"):
            await await_(pattern)


@every
async def test_name_without_a_model_is_an_error(server, client, index_name, ask, await_) -> None:
    async with OpenSearchNeuralSparseVectorStore(index_name, url=server.url) as nameless:
        with pytest.raises(IndexNotFoundError, match=rf"^Index '{index_name}' does not exist\. Check its name"):
            ask(nameless)
        with pytest.raises(IndexNotFoundError, match=index_name):
            await await_(nameless)
    assert not client.indices.exists(index=index_name)


@pytest.mark.parametrize(("ask", "await_"), READS.values(), ids=READS)
async def test_index_that_the_first_write_makes_finds_nothing_with_a_warning(
    make_store, client, index_name, ask, await_
) -> None:
    nothing = True if ask is READS["delete"][0] else []
    with pytest.warns(IndexNotFoundWarning, match=f"Index '{index_name}' does not exist yet.*misspelt") as seen:
        assert ask(make_store()) == nothing
    assert len(seen) == 1
    assert seen[0].message.index == index_name
    with pytest.warns(IndexNotFoundWarning, match=index_name) as seen:
        assert await await_(make_store()) == nothing
    assert len(seen) == 1
    assert not client.indices.exists(index=index_name)


async def test_a_missing_index_is_warned_of_once_a_store(vectorstore) -> None:
    with pytest.warns(IndexNotFoundWarning):
        assert vectorstore.similarity_search("rivers") == []
    with warnings.catch_warnings(action="error"):
        for ask, await_ in READS.values():
            assert ask(vectorstore) in ([], True)
            assert await await_(vectorstore) in ([], True)
        vectorstore.add_texts(["rivers"])
        assert len(vectorstore.similarity_search("rivers")) == 1


@pytest.mark.parametrize(("ask", "await_"), OWN_RETRIEVERS.values(), ids=OWN_RETRIEVERS)
async def test_own_retrievers_take_no_missing_index_for_an_empty_one(make_store, index_name, ask, await_) -> None:
    with pytest.raises(IndexNotFoundError, match=index_name):
        ask(make_store())
    with pytest.raises(IndexNotFoundError, match=index_name):
        await await_(make_store())


async def test_missing_index_without_a_model_names_the_way_to_create_it(server: Any, index_name: str) -> None:
    said = rf"^Index '{index_name}' does not exist\. Check its name, or name a model, .* creates it: model='\.\.\.'\.$"
    options = {"index": index_name, "url": server.url}
    with pytest.raises(IndexNotFoundError, match=said):
        OpenSearchNeuralSparseVectorStore.from_texts(["x"], **options)
    with pytest.raises(IndexNotFoundError, match=said):
        await OpenSearchNeuralSparseVectorStore.afrom_texts(["x"], **options)
    async with OpenSearchNeuralSparseVectorStore(index_name, url=server.url) as store:
        with pytest.raises(IndexNotFoundError, match=said):
            store.similarity_search("x")
        with pytest.raises(IndexNotFoundError, match=said):
            await store.asimilarity_search("x")
