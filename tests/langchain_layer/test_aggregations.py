"""Aggregations beside the documents of a search, on real servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import HybridOptions, SearchOptions

ROWS = {"1": ("art", "low"), "2": ("law", "low"), "3": ("art", "high"), "4": ("law", "high"), "5": ("art", "high")}
ASKED = {
    "topics": {"terms": {"field": "topic"}},
    "scores": {"terms": {"field": "score"}, "aggs": {"latest": {"max": {"field": "year"}}}},
}


def tallied(found: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    return {name: {row["key"]: row["doc_count"] for row in found[name]["buckets"]} for name in found}


def expected(ids: set[str]) -> dict[str, dict[str, int]]:
    rows = [ROWS[one] for one in ids]
    return {"topics": Counter(topic for topic, _ in rows), "scores": Counter(score for _, score in rows)}


@pytest.mark.parametrize(
    "options", [SearchOptions(), HybridOptions(), HybridOptions(fusion="client"), SearchOptions(collapse="topic")]
)
async def test_counts_are_of_all_documents_that_match_by_keys_of_metadata(
    vectorstore: OpenSearchNeuralSparseVectorStore, options: SearchOptions
) -> None:
    vectorstore.add_documents(
        [
            Document(id=key, page_content="river bank", metadata={"topic": topic, "score": score, "year": int(key)})
            for key, (topic, score) in ROWS.items()
        ]
    )
    for query, filter_, ids in (
        ("river", None, set(ROWS)),
        ("river", {"score": "high"}, {"3", "4", "5"}),
        ("", {"score": "low"}, {"1", "2"}),
    ):
        arguments: dict[str, Any] = {"k": 1, "filter": filter_, "options": options}
        documents, found = vectorstore.similarity_search_with_aggregations(query, ASKED, **arguments)
        assert len(documents) == 1
        assert tallied(found) == expected(ids)
        latest = {row["key"]: row["latest"]["value"] for row in found["scores"]["buckets"]}
        assert latest == {score: max(int(one) for one in ids if ROWS[one][1] == score) for score in latest}
        awaited = await vectorstore.asimilarity_search_with_aggregations(query, ASKED, **arguments)
        assert awaited == (documents, found)


def test_missing_index_has_no_aggregations(vectorstore: OpenSearchNeuralSparseVectorStore) -> None:
    with pytest.warns(match="does not exist"):
        assert vectorstore.similarity_search_with_aggregations("river", ASKED) == ([], {})
