"""A retriever's filter is a fence: calls narrow it, and none lifts it, in any search type."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import ChunkOptions, HybridOptions, IndexSchema, SearchOptions

TYPES = ("similarity", "mmr", "similarity_score_threshold", "sparse", "hybrid")
DOCUMENTS = [
    Document(id="open", page_content="river", metadata={"team": "all", "year": 2020}),
    Document(id="later", page_content="river lake", metadata={"team": "all", "year": 2026}),
    Document(id="secret", page_content="river", metadata={"team": "board", "year": 2026}),
]
FENCE: tuple[Any, ...] = ({"team": "all"}, {"term": {"team": "all"}}, [{"team": "all"}])
LIFTS: tuple[Any, ...] = (
    None,
    [],
    {},
    [{}],
    {"team": "board"},
    {"team": {"$ne": "all"}},
    {"$or": [{"team": "all"}, {"team": "board"}]},
    {"match_all": {}},
    {"bool": {"should": [{"match_all": {}}]}},
    [{"match_all": {}}, {"term": {"team": "board"}}],
)


@pytest.fixture(scope="module")
def index(make_index) -> str:
    return make_index(DOCUMENTS)


@pytest.fixture
def filled(make_store, index: str) -> OpenSearchNeuralSparseVectorStore:
    return make_store(index=index)


def made(store: OpenSearchNeuralSparseVectorStore, kind: str, fence: Any) -> Any:
    threshold = {"score_threshold": 0.0} if kind == "similarity_score_threshold" else {}
    return store.as_retriever(search_type=kind, search_kwargs={"k": 4, "filter": fence, **threshold})


@pytest.mark.parametrize("kind", TYPES)
async def test_no_filter_of_a_call_lifts_that_of_the_retriever(filled, kind: str) -> None:
    for fence in FENCE:
        retriever = made(filled, kind, fence)
        assert {document.id for document in retriever.invoke("river")} == {"open", "later"}
        for lift in LIFTS:
            found = [*retriever.invoke("river", filter=lift), *await retriever.ainvoke("river", filter=lift)]
            assert "secret" not in {document.id for document in found}, (fence, lift)


@pytest.mark.parametrize("kind", TYPES)
async def test_filter_of_a_call_narrows_that_of_the_retriever(filled, kind: str) -> None:
    retriever = made(filled, kind, {"team": "all"})
    for late in ({"year": 2026}, [{"range": {"year": {"gte": 2021}}}]):
        assert [document.id for document in retriever.invoke("river", filter=late)] == ["later"]
        assert [document.id for document in await retriever.ainvoke("river", filter=late)] == ["later"]


@pytest.mark.parametrize("kind", TYPES)
def test_retriever_without_a_filter_takes_that_of_a_call(filled, kind: str) -> None:
    retriever = made(filled, kind, None)
    assert [document.id for document in retriever.invoke("river", filter={"team": "board"})] == ["secret"]
    assert {document.id for document in retriever.invoke("river")} == {"open", "later", "secret"}


async def test_filter_holds_wherever_a_body_has_it(filled) -> None:
    for clause in ({"should": ["$sparse", "$filters"]}, {"must": ["$sparse"], "must_not": ["$filters"]}):
        retriever = OpenSearchNeuralSparseRetriever(
            vectorstore=filled, filter=FENCE[0], body={"query": {"bool": clause}}
        )
        for lift in LIFTS:
            found = [*retriever.invoke("river", filter=lift), *await retriever.ainvoke("river", filter=lift)]
            assert "secret" not in {document.id for document in found}, (clause, lift)


@pytest.mark.parametrize("query", ["river", " "])
async def test_aggregation_past_the_filter_is_refused(filled, query: str) -> None:
    beyond = {"all": {"global": {}, "aggs": {"ids": {"terms": {"field": "_id"}}}}}
    for options in (SearchOptions(), HybridOptions()):
        arguments: dict[str, Any] = {"filter": FENCE[0], "options": options}
        with pytest.raises(ValueError, match="'all' is of kind 'global'"):
            filled.similarity_search_with_aggregations(query, beyond, **arguments)
        with pytest.raises(ValueError, match="'all' is of kind 'global'"):
            await filled.asimilarity_search_with_aggregations(query, beyond, **arguments)


SEARCHES = (*TYPES, "by vector", "direct")
VECTOR = {"shared0": 1.0}


def found_by(store: OpenSearchNeuralSparseVectorStore, way: str, fence: Any) -> set[str | None]:
    if way == "by vector":
        hits = store.similarity_search_by_sparse_vector(VECTOR, filter=fence)
    elif way == "direct":
        hits = store.similarity_search("river", filter=fence)
    else:
        hits = made(store, way, fence).invoke("river")
    return {document.id for document in hits}


async def awaited_by(store: OpenSearchNeuralSparseVectorStore, way: str, fence: Any) -> set[str | None]:
    if way == "by vector":
        hits = await store.asimilarity_search_by_sparse_vector(VECTOR, filter=fence)
    elif way == "direct":
        hits = await store.asimilarity_search("river", filter=fence)
    else:
        hits = await made(store, way, fence).ainvoke("river")
    return {document.id for document in hits}


@pytest.fixture(scope="module")
def chunked(make_index) -> str:
    """An index of chunks, with metadata under the name of their field, which therefore lies elsewhere."""
    documents = [Document(id=name, page_content="river", metadata={"chunks": name}) for name in ("open", "secret")]
    return make_index(documents, schema=IndexSchema(chunking=ChunkOptions()))


@pytest.mark.parametrize("way", SEARCHES)
async def test_first_call_filters_as_the_second_does(make_store, chunked: str, way: str) -> None:
    for fence in ({"chunks": {"$ne": "secret"}}, {"chunks": "open"}, {"$not": {"chunks": "secret"}}):
        store, other = make_store(index=chunked), make_store(index=chunked)
        assert [found_by(store, way, fence) for _ in range(2)] == [{"open"}] * 2
        assert [await awaited_by(other, way, fence) for _ in range(2)] == [{"open"}] * 2
