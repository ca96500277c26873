"""Boosts of a search, on real servers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from opensearch_neural_sparse import (
    FieldBoost,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    RecencyBoost,
    SearchOptions,
)
from tests.langchain_layer.conftest import MakeIndex, MakeStore

ROWS: dict[str, dict[str, Any]] = {
    "1": {"lang": "en"},
    "2": {"lang": "en", "content": 2, "day": "2026-05-22"},
    "3": {"lang": "de", "content": 3, "day": "2026-06-01"},
    "4": {"lang": "en", "content": -4},
}
"""The key `content` collides with the field of texts, and is stored elsewhere."""
EMBEDDING, SCHEMA = DeterministicFakeEmbedding(size=8), IndexSchema(embedding_dimension=8)
BOOSTS = [
    RecencyBoost(field="day", scale="10d", origin="2026-06-01", weight=2.0),
    FieldBoost(field="content", modifier="ln1p", mode="add"),
]


def boosted(key: str, score: float) -> float:
    recency = {"2": 0.5, "3": 1.0}.get(key, 0.0)
    return score * (1 + 2.0 * recency) + math.log1p(max(0, ROWS[key].get("content", 0)))


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> str:
    documents = [Document(id=key, page_content="river bank", metadata=metadata) for key, metadata in ROWS.items()]
    return make_index(documents, embedding=EMBEDDING, schema=SCHEMA)


@pytest.fixture
def filled(make_store: MakeStore, index: str) -> OpenSearchNeuralSparseVectorStore:
    """A store to be searched only."""
    return make_store(index=index, embedding=EMBEDDING, schema=SCHEMA)


async def test_methods_boost_by_keys_of_metadata(filled: OpenSearchNeuralSparseVectorStore) -> None:
    options = SearchOptions(boosts=BOOSTS)
    for query, filter_ in (("river", None), ("river", {"lang": "en"}), ("", {"lang": "en"})):
        plain = filled.similarity_search_with_score(query, filter=filter_)
        found = filled.similarity_search_with_score(query, filter=filter_, options=options)
        assert {one.id: score for one, score in found} == pytest.approx(
            {one.id: boosted(str(one.id), score) for one, score in plain}, rel=1e-5
        )
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
        assert await filled.asimilarity_search_with_score(query, filter=filter_, options=options) == found
    vector = filled.store.encode_query("river")
    best = filled.similarity_search_by_sparse_vector(vector, 1, options=options)
    assert [one.id for one in best] == ["3"]
    assert await filled.asimilarity_search_by_sparse_vector(vector, 1, options=options) == best
    for options in (SearchOptions(boosts=BOOSTS), HybridOptions(boosts=BOOSTS)):
        counts = {"langs": {"terms": {"field": "lang"}}}
        documents, counted = filled.similarity_search_with_aggregations("river", counts, 1, options=options)
        assert [one.id for one in documents] == ["3"]
        assert {row["key"]: row["doc_count"] for row in counted["langs"]["buckets"]} == {"en": 3, "de": 1}
        awaited = await filled.asimilarity_search_with_aggregations("river", counts, 1, options=options)
        assert awaited == (documents, counted)


@pytest.mark.parametrize("legs", [("bm25",), ("sparse",), ("dense",), ("bm25", "sparse"), ("bm25", "sparse", "dense")])
@pytest.mark.parametrize("fusion", ["auto", "client"])
async def test_every_leg_is_boosted_alone_and_fused(
    filled: OpenSearchNeuralSparseVectorStore, legs: Any, fusion: Any
) -> None:
    every: dict[str, Any] = {"vectorstore": filled, "legs": legs, "include_scores": True, "explain": len(legs) > 1}
    plain = OpenSearchNeuralSparseHybridRetriever(**every, options=HybridOptions(fusion=fusion))
    retriever = OpenSearchNeuralSparseHybridRetriever(**every, options=HybridOptions(boosts=BOOSTS, fusion=fusion))
    for filter_ in (None, {"lang": "en"}):
        before, found = plain.invoke("river", filter=filter_), retriever.invoke("river", filter=filter_)
        if len(legs) == 1:
            wanted = {one.id: boosted(str(one.id), one.metadata["_score"]) for one in before}
            assert {one.id: one.metadata["_score"] for one in found} == pytest.approx(wanted, rel=1e-5)
        else:
            scores = {one.id: one.metadata["_legs"] for one in before}
            for one in found:
                for name, leg in one.metadata["_legs"].items():
                    wanted_score = boosted(str(one.id), scores[one.id][name]["score"])
                    assert leg["score"] == pytest.approx(wanted_score, rel=1e-5)
        assert await retriever.ainvoke("river", filter=filter_) == found
        assert [one.id for one in retriever.invoke("river", filter=filter_, k=1)] == ["2" if filter_ else "3"]


async def test_a_search_by_a_filter_alone_and_a_body_are_boosted(filled: OpenSearchNeuralSparseVectorStore) -> None:
    hybrid = OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, options=HybridOptions(boosts=BOOSTS))
    sparse = OpenSearchNeuralSparseRetriever(vectorstore=filled, options=SearchOptions(boosts=BOOSTS))
    body = {"query": {"bool": {"must": "$sparse", "filter": "$filters"}}}
    own = OpenSearchNeuralSparseRetriever(vectorstore=filled, options=SearchOptions(boosts=BOOSTS), body=body)
    for retriever, query in ((hybrid, " "), (sparse, " "), (sparse, "river"), (own, "river")):
        found = retriever.invoke(query, filter={"lang": {"$in": ["en", "de"]}}, k=2)
        assert [one.id for one in found] == ["3", "2"]
        assert await retriever.ainvoke(query, filter={"lang": {"$in": ["en", "de"]}}, k=2) == found


async def test_a_field_that_no_boost_reads_is_refused_by_every_search(
    filled: OpenSearchNeuralSparseVectorStore,
) -> None:
    for field, reason in (("lnag", r"Did you mean 'lang'\?"), ("lang", "is of type keyword")):
        boosts = [FieldBoost(field=field)]
        for query, filter_ in (("river", None), ("", {"lang": "en"})):
            with pytest.raises(IndexSchemaError, match=reason):
                filled.similarity_search(query, filter=filter_, options=SearchOptions(boosts=boosts))
            with pytest.raises(IndexSchemaError, match=reason):
                await filled.asimilarity_search(query, filter=filter_, options=SearchOptions(boosts=boosts))
        for legs in (("bm25",), ("sparse",), ("dense",), ("bm25", "sparse")):
            options = HybridOptions(boosts=boosts)
            retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, legs=legs, options=options)
            with pytest.raises(IndexSchemaError, match=reason):
                retriever.invoke("river")
            with pytest.raises(IndexSchemaError, match=reason):
                await retriever.ainvoke("river")


async def test_an_order_by_cosines_refuses_boosts(filled: OpenSearchNeuralSparseVectorStore) -> None:
    options = SearchOptions(boosts=BOOSTS)
    with pytest.raises(ValueError, match="boosts have no effect where documents are ordered by cosines"):
        filled.max_marginal_relevance_search("river", options=options)
    with pytest.raises(ValueError, match="boosts have no effect"):
        await filled.amax_marginal_relevance_search("river", options=options)
    with pytest.raises(ValueError, match="boosts have no effect"):
        filled.similarity_search_with_relevance_scores("river", options=options)
    with pytest.raises(ValueError, match="boosts have no effect"):
        await filled.asimilarity_search_with_relevance_scores("river", options=options)
