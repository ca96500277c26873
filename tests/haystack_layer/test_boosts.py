"""Boosts of a retrieval, on real servers; and what of them a saved pipeline holds."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline, default_from_dict
from haystack.components.embedders.types import TextEmbedder
from haystack.dataclasses import SparseEmbedding

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import (
    OpenSearchNeuralSparseDocumentStore,
    Retrieval,
)
from opensearch_neural_sparse import (
    CustomSearch,
    FieldBoost,
    HybridOptions,
    HybridSearch,
    IndexSchemaError,
    MatchSearch,
    RecencyBoost,
    SearchOptions,
    SparseSearch,
)
from tests.haystack_layer.conftest import MakeStore

ROWS: dict[str, dict[str, Any]] = {
    "1": {"lang": "en"},
    "2": {"lang": "en", "content": 2, "day": "2026-05-22"},
    "3": {"lang": "de", "content": 3, "day": "2026-06-01"},
    "4": {"lang": "en", "content": -4},
}
"""The key `content` collides with the field of texts, and is stored elsewhere."""
PLAIN: list[dict[str, Any]] = [
    {"type": "recency", "field": "meta.day", "scale": "10d", "origin": "2026-06-01", "weight": 2.0},
    {"type": "field", "field": "meta.content", "modifier": "ln1p", "mode": "add"},
]
BOOSTS: list[Any] = [
    RecencyBoost(field="meta.day", scale="10d", origin="2026-06-01", weight=2.0),
    FieldBoost(field="meta.content", modifier="ln1p", mode="add"),
]
VECTOR = SparseEmbedding(indices=[7], values=[1.0])
DENSE = [1.0, 0.5]
KINDS = [
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseHybridSearch,
]


class FixedEmbedder(TextEmbedder):
    """Embeds every text by the same vector."""

    def run(self, text: str) -> dict[str, Any]:
        return {"embedding": DENSE}


def boosted(key: str, score: float) -> float:
    recency = {"2": 0.5, "3": 1.0}.get(key, 0.0)
    return score * (1 + 2.0 * recency) + math.log1p(max(0, ROWS[key].get("content", 0)))


@pytest.fixture
def store(make_store: MakeStore) -> OpenSearchNeuralSparseDocumentStore:
    store = make_store(embedding_dim=2)
    store.write_documents(
        [
            Document(
                id=key,
                content="river bank",
                meta=meta,
                embedding=DENSE,
                sparse_embedding=SparseEmbedding(indices=[7], values=[1.0]),
            )
            for key, meta in ROWS.items()
        ]
    )
    return store


def scores(documents: list[Document]) -> dict[str, Any]:
    return {one.id: one.score for one in documents}


async def test_every_search_is_boosted_under_the_names_of_filters(store: OpenSearchNeuralSparseDocumentStore) -> None:
    english = {"field": "meta.lang", "operator": "==", "value": "en"}
    body = {"query": {"bool": {"must": "$sparse", "filter": "$filters"}}}
    cases: list[tuple[Any, Any]] = [
        (SparseSearch(""), SparseSearch("", options=SearchOptions(boosts=BOOSTS))),
        (MatchSearch("river"), MatchSearch("river", boosts=BOOSTS)),
        (CustomSearch(body), CustomSearch(body, boosts=BOOSTS)),
    ]
    for plain, search in cases:
        embedding = None if isinstance(search, MatchSearch) else VECTOR
        for filters in (None, english):
            before = store.retrieve(Retrieval(search=plain, filters=filters, embedding=embedding))
            retrieval = Retrieval(search=search, filters=filters, embedding=embedding)
            documents = store.retrieve(retrieval)
            wanted = {one.id: boosted(one.id, one.score or 0) for one in before}
            assert scores(documents) == pytest.approx(wanted, rel=1e-5)
            assert documents[0].id == ("3" if filters is None else "2")
            assert await store.retrieve_async(retrieval) == documents
    hybrid = Retrieval(
        search=HybridSearch("river", options=HybridOptions(boosts=BOOSTS)), embedding=VECTOR, explain=True
    )
    counted = Retrieval(
        search=hybrid.search, embedding=VECTOR, aggregations={"langs": {"terms": {"field": "meta.lang"}}}
    )
    assert [one.id for one in store.retrieve(hybrid)][:2] == ["3", "2"]
    documents, found = store.retrieve_with_aggregations(counted)
    assert [one.id for one in documents][:2] == ["3", "2"]
    assert {row["key"]: row["doc_count"] for row in found["langs"]["buckets"]} == {"en": 3, "de": 1}
    await store.close_async()


@pytest.mark.parametrize(
    "options",
    [
        {"legs": ["bm25"]},
        {"legs": ["sparse"]},
        {"legs": ["bm25", "sparse"]},
        {"legs": ["bm25", "sparse"], "fusion": "client"},
        {"custom_query": {"query": {"match": {"content": "$text"}}}},
    ],
    ids=str,
)
async def test_retrievers_boost_by_their_own_boosts_and_those_of_a_run(
    store: OpenSearchNeuralSparseDocumentStore, options: dict[str, Any]
) -> None:
    own = OpenSearchNeuralSparseHybridRetriever(document_store=store, boosts=PLAIN, **options)
    none = OpenSearchNeuralSparseHybridRetriever(document_store=store, **options)
    given: dict[str, Any] = {"query": "river", "query_sparse_embedding": VECTOR}
    if "custom_query" in options or options["legs"] == ["bm25"]:
        del given["query_sparse_embedding"]
    found = own.run(**given)
    assert [one.id for one in found["documents"]][:2] == ["3", "2"]
    plain = none.run(**given)
    assert scores(own.run(**given, boosts=[])["documents"]) == scores(plain["documents"]) != scores(found["documents"])
    assert none.run(**given, boosts=BOOSTS) == none.run(**given, boosts=PLAIN) == found
    assert await own.run_async(**given) == await none.run_async(**given, boosts=PLAIN) == found
    assert scores((await own.run_async(**given, boosts=[]))["documents"]) == scores(plain["documents"])
    await store.close_async()


async def test_sparse_retriever_and_hybrid_search_boost(store: OpenSearchNeuralSparseDocumentStore) -> None:
    sparse = OpenSearchNeuralSparseRetriever(document_store=store, boosts=PLAIN)
    found = sparse.run(query_sparse_embedding=VECTOR)
    assert scores(found["documents"]) == pytest.approx({key: boosted(key, 1.0) for key in ROWS}, rel=1e-5)
    assert await sparse.run_async(query_sparse_embedding=VECTOR) == found
    assert scores(sparse.run(query_sparse_embedding=VECTOR, boosts=[])["documents"]) == dict.fromkeys(ROWS, 1.0)
    body = {"query": "$sparse"}
    assert sparse.run(query_sparse_embedding=VECTOR, custom_query=body) == found
    for embedder in (None, FixedEmbedder()):
        search = OpenSearchNeuralSparseHybridSearch(document_store=store, text_embedder=embedder, boosts=PLAIN)
        documents = search.run("river", explain=True)["documents"]
        assert [one.id for one in documents][:2] == ["3", "2"]
        legs = documents[0].meta["_explanation"]["legs"]
        assert ("dense" in legs) is (embedder is not None)
        if embedder is not None:
            assert legs["dense"]["score"] == pytest.approx(boosted("3", 1.0), rel=1e-5)
        assert (await search.run_async("river", explain=True))["documents"] == documents
        unboosted = OpenSearchNeuralSparseHybridSearch(document_store=store, text_embedder=embedder)
        assert unboosted.run("river", boosts=BOOSTS, explain=True)["documents"] == documents
        assert (await unboosted.run_async("river", boosts=PLAIN, explain=True))["documents"] == documents
    await store.close_async()


async def test_a_field_that_no_boost_reads_is_refused(store: OpenSearchNeuralSparseDocumentStore) -> None:
    for field, reason in (("meta.lnag", r"Did you mean 'lang'\?"), ("meta.lang", "is of type keyword")):
        boosts: list[Any] = [{"type": "field", "field": field}]
        for kind in KINDS:
            retriever = kind(document_store=store, boosts=boosts, raise_on_failure=False)
            with pytest.raises(IndexSchemaError, match=reason):
                retriever.run("river")
            with pytest.raises(IndexSchemaError, match=reason):
                await retriever.run_async("river")
    await store.close_async()


@pytest.mark.parametrize("kind", KINDS)
def test_boosts_are_saved_as_plain_values_where_they_are_given(kind: Any, toy_model: Any) -> None:
    store = OpenSearchNeuralSparseDocumentStore(model=str(toy_model), hosts="http://localhost:9")
    for boosts in (PLAIN, BOOSTS):
        saved = kind(document_store=store, boosts=boosts).to_dict()
        assert saved["init_parameters"]["boosts"] == PLAIN
        assert default_from_dict(kind, saved).to_dict() == saved
        pipeline = Pipeline()
        pipeline.add_component("retriever", kind(document_store=store, boosts=boosts))
        again = Pipeline.loads(pipeline.dumps())
        assert again.dumps() == pipeline.dumps()
    assert "boosts" not in kind(document_store=store).to_dict()["init_parameters"]


@pytest.mark.parametrize(
    ("boosts", "reason"),
    [
        ({"type": "field", "field": "likes"}, "boosts is a list such as"),
        (["likes"], "got str in it"),
        ([{"field": "likes"}], r"has a type of \['recency', 'field'\].*got None"),
        ([{"type": "number", "field": "likes"}], "got 'number'"),
        ([{"type": "field", "field": "likes", "scale": "1d"}], "of type 'field' has no 'scale'; it has field, factor"),
        ([{"type": "recency", "field": "day", "scale": "month"}], "scale is a time"),
        ([{"type": "field", "field": "likes", "weight": 0}], "weight is a finite number above 0"),
    ],
)
def test_wrong_boosts_are_refused_when_a_retriever_is_made(boosts: Any, reason: str, toy_model: Any) -> None:
    store = OpenSearchNeuralSparseDocumentStore(model=str(toy_model), hosts="http://localhost:9")
    for kind in KINDS:
        with pytest.raises((TypeError, ValueError), match=reason):
            kind(document_store=store, boosts=boosts)
        with pytest.raises((TypeError, ValueError), match=reason):
            kind(document_store=store).run("river", boosts=boosts)
