"""Options of reranking, and scoring in batches."""

from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import CrossEncoderReranker, Rerank
from opensearch_neural_sparse.rerank.scoring import score_texts
from tests.rerankers import CountingReranker


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"depth": 0}, "depth lies between 1 and 10000, got 0"),
        ({"depth": 10_001}, "depth lies between 1 and 10000, got 10001"),
        ({"depth": True}, "depth lies between"),
        ({"batch_size": 0}, "batch_size lies between 1 and 10000, got 0"),
        ({"budget_s": 0}, "budget_s is above 0 seconds and finite, got 0"),
        ({"budget_s": float("nan")}, "budget_s is above 0 seconds"),
        ({"on_error": "ignore"}, "OnRerankFailure is one of 'raise', 'keep', got 'ignore'"),
        ({"query": " "}, "query is the text that the reranker reads"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Rerank(CountingReranker(), **options)


@pytest.mark.parametrize("reranker", [None, "model", 3, CrossEncoderReranker, CountingReranker])
def test_what_cannot_score_is_refused(reranker: Any) -> None:
    with pytest.raises(TypeError, match=r"reranker has a method score\(query, texts\), or is such a function"):
        Rerank(reranker)


def test_texts_are_scored_in_batches_in_their_order() -> None:
    reranker = CountingReranker()
    texts = [f"#{number}" for number in range(10)]
    assert score_texts(Rerank(reranker, batch_size=4), "query", texts) == [float(number) for number in range(10)]
    assert [len(batch) for _, batch in reranker.calls] == [4, 4, 2]
    assert reranker.texts == texts
    assert score_texts(Rerank(reranker), "query", []) == []
