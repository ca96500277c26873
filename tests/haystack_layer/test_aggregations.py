"""Aggregations beside the documents of a retrieval, on real servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from haystack import Document
from haystack.dataclasses import SparseEmbedding

from haystack_integrations.document_stores.opensearch_neural_sparse import Retrieval
from opensearch_neural_sparse import (
    CustomSearch,
    HybridOptions,
    HybridSearch,
    MatchSearch,
    SearchOptions,
    SparseSearch,
)
from tests.haystack_layer.conftest import MakeStore

SHELVES = {"1": ("art", "low"), "2": ("law", "low"), "3": ("art", "high"), "4": ("law", "high"), "5": ("art", "high")}
TEXTS = {"1": "river", "2": "river bank", "3": "river", "4": "mountain", "5": "mountain river"}
ASKED = {"topics": {"terms": {"field": "meta.topic"}}, "scores": {"terms": {"field": "meta.score"}}}
HIGH = {"field": "meta.score", "operator": "==", "value": "high"}


def tallied(found: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    return {name: {row["key"]: row["doc_count"] for row in found[name]["buckets"]} for name in found}


def expected(ids: set[str]) -> dict[str, dict[str, int]]:
    rows = [SHELVES[one] for one in ids]
    return {"topics": Counter(topic for topic, _ in rows), "scores": Counter(score for _, score in rows)}


async def test_counts_are_of_all_documents_that_match_under_the_names_of_filters(make_store: MakeStore) -> None:
    store = make_store()
    store.write_documents(
        [
            Document(
                id=key,
                content=TEXTS[key],
                meta={"topic": topic, "score": score},
                sparse_embedding=SparseEmbedding(indices=[len(TEXTS[key])], values=[1.0]),
            )
            for key, (topic, score) in SHELVES.items()
        ]
    )
    lengths = {len(text) for text in TEXTS.values()}
    vector = SparseEmbedding(indices=sorted(lengths), values=[1.0] * len(lengths))
    rivers, high = {"1", "2", "3", "5"}, {"3", "4", "5"}
    cases: list[tuple[Any, set[str]]] = [
        (SparseSearch("", size=1), set(SHELVES)),
        (HybridSearch("river", size=1), set(SHELVES)),
        (HybridSearch("river", size=1, options=HybridOptions(fusion="client")), set(SHELVES)),
        (MatchSearch("river", size=1), rivers),
    ]
    for search, matching in cases:
        embedding = None if isinstance(search, MatchSearch) else vector
        for filters, ids in ((None, matching), (HIGH, matching & high)):
            retrieval = Retrieval(search=search, filters=filters, embedding=embedding, aggregations=ASKED)
            documents, found = store.retrieve_with_aggregations(retrieval)
            assert len(documents) == 1
            assert tallied(found) == expected(ids)
            assert await store.retrieve_with_aggregations_async(retrieval) == (documents, found)
            assert store.retrieve(retrieval) == documents
    body = {"query": {"match_all": {}}, "aggs": {"topics": {"terms": {"field": "topic"}}}}
    _, found = store.retrieve_with_aggregations(Retrieval(search=CustomSearch(body)))
    assert tallied(found)["topics"] == {"art": 3, "law": 2}
    plain = Retrieval(search=SparseSearch("", options=SearchOptions()), embedding=vector)
    assert store.retrieve_with_aggregations(plain)[1] == {}
    await store.close_async()


def test_aggregations_beside_a_custom_search_or_of_another_form_are_refused() -> None:
    with pytest.raises(ValueError, match="in its body"):
        Retrieval(search=CustomSearch({"query": {"match_all": {}}}), aggregations=ASKED)
    with pytest.raises(ValueError, match="got none"):
        Retrieval(search=SparseSearch("x"), aggregations={})


@pytest.mark.parametrize(
    "search",
    [
        SparseSearch("river", options=SearchOptions(profile=True)),
        HybridSearch("river", options=HybridOptions(profile=True)),
        MatchSearch("river", profile=True),
        CustomSearch({}, profile=True),
    ],
)
def test_a_profile_that_documents_cannot_carry_is_refused(search: Any) -> None:
    with pytest.raises(ValueError, match=r"profile=True has no effect here: documents cannot carry a profile"):
        Retrieval(search=search)
