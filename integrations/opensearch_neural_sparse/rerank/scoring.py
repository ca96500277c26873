"""Score texts in batches, within a budget of time."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from time import monotonic
from typing import Any

from opensearch_neural_sparse.errors import NeuralSparseError, RerankerError
from opensearch_neural_sparse.rerank.rerank_options import Rerank
from opensearch_neural_sparse.rerank.reranker import ScoreTexts, name_of, scorer_of


def score_texts(rerank: Rerank, query: str, texts: Sequence[str]) -> list[float]:
    """Return the scores of texts, in their order; those of the first ones alone where the budget ended before.

    Args:
        rerank: Reranker, batches and budget.
        query: The text of the query.
        texts: The texts.

    Raises:
        RerankerError: The reranker fails, or its answer has not one finite score for each text.
    """
    score, name = scorer_of(rerank.reranker), name_of(rerank.reranker)
    began = monotonic()
    scores: list[float] = []
    while len(scores) < len(texts):
        if scores and rerank.budget_s is not None and monotonic() - began >= rerank.budget_s:
            break
        scores += _scored(score, name, query, texts[len(scores) : len(scores) + rerank.batch_size])
    return scores


def _scored(score: ScoreTexts, name: str, query: str, texts: Sequence[str]) -> list[float]:
    try:
        answer = score(query, texts)
    except RerankerError:
        raise
    except NeuralSparseError as error:
        raise RerankerError(name, f"failed: {error}") from error
    except Exception as error:
        # The message of a foreign error may quote the texts; it stays with the cause.
        raise RerankerError(name, f"failed with {type(error).__name__}.") from error
    return _checked(name, answer, len(texts))


def _checked(name: str, answer: Any, count: int) -> list[float]:
    try:
        scores = [float(score) for score in answer]
    except (TypeError, ValueError) as error:
        reason = f"returned {type(answer).__name__}, in place of a sequence of one number for each text."
        raise RerankerError(name, reason) from error
    if len(scores) != count:
        raise RerankerError(name, f"returned {len(scores)} scores for {count} texts; it returns one for each.")
    if wrong := [score for score in scores if not isfinite(score)]:
        raise RerankerError(name, f"returned {wrong[0]!r} as the score of a text; scores are finite numbers.")
    return scores
