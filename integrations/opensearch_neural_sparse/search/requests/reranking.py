"""Reranking of a search's hits: what is searched for it, and the page that is cut from its result."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, cast

from opensearch_neural_sparse.errors import RerankBudgetWarning, RerankerError, RerankWarning
from opensearch_neural_sparse.rerank.rerank_options import OnRerankFailure, Rerank
from opensearch_neural_sparse.rerank.scoring import score_texts
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.requests.searches import CustomSearch, MatchSearch, Query, Search
from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits
from opensearch_neural_sparse.telemetry.caller import warn_caller

S = TypeVar("S", bound=Search)


def rerank_of(search: Search) -> Rerank | None:
    """Return how the hits of a search's page are reranked; None where they are not, or lie below all that are."""
    if isinstance(search, CustomSearch):
        return None
    rerank = search.rerank if isinstance(search, MatchSearch) else search.options.rerank
    return rerank if rerank is not None and search.offset < rerank.depth else None


def text_of(search: Search) -> Query:
    """Return the query of a search."""
    if isinstance(search, CustomSearch):
        return search.query or ""
    return search.text if isinstance(search, MatchSearch) else search.query


def before_reranking(search: S) -> S:
    """Return the search for all hits that are reranked and those of the page, in the one request of the page alone.

    Args:
        search: The search.
    """
    rerank = rerank_of(search)
    if rerank is None or isinstance(search, CustomSearch):
        return search
    return cast("S", replace(search, offset=0, size=max(rerank.depth, search.depth)))


def rerank_hits(search: Search, query: Query, hits: SearchHits) -> SearchHits:
    """Rerank hits, and return the page of them that the search is for.

    Hits without a text follow those that were scored, as do those that the budget left; then come those below the
    depth. Each part is in the order of the search, and so are hits with the same score.

    Args:
        search: A search with a reranking.
        query: Its query.
        hits: The hits of `before_reranking`.

    Raises:
        RerankerError: The reranker fails, and that is to be an error.
    """
    rerank = rerank_of(search)
    assert rerank is not None  # noqa: S101 (the caller has seen to it)
    assert isinstance(search, SearchPage)  # noqa: S101
    text = rerank.query or (query if isinstance(query, str) else "")
    hits[:] = _ordered(rerank, text, hits)[search.offset : search.depth]
    return hits


def _ordered(rerank: Rerank, query: str, hits: SearchHits) -> list[SearchHit]:
    best, below = hits[: rerank.depth], hits[rerank.depth :]
    readable = [(hit, text) for hit in best if (text := _text(hit))]
    try:
        scores = score_texts(rerank, query, [text for _, text in readable])
    except RerankerError as error:
        if rerank.on_error is OnRerankFailure.RAISE:
            raise
        warn_caller(RerankWarning(f"The hits keep the order of the search. {error}"))
        return list(hits)
    hits.reranked = len(scores)
    if len(scores) < len(readable):
        message = (
            f"Of {len(readable)} hits, {len(scores)} were reranked within {rerank.budget_s:g} s; the others follow in "
            "the order of the search. Lower depth or batch_size, or raise budget_s."
        )
        warn_caller(RerankBudgetWarning(message))
    if not scores:
        return list(hits)
    places = {id(hit): score for (hit, _), score in zip(readable, scores, strict=False)}
    scored = [_scored(hit, places[id(hit)]) for hit in best if id(hit) in places]
    scored.sort(key=lambda hit: -hit.score)
    last = scored[-1].score
    others = [hit for hit in best if id(hit) not in places]
    return [*scored, *(replace(hit, score=last, search_score=hit.score) for hit in [*others, *below])]


def _scored(hit: SearchHit, score: float) -> SearchHit:
    return replace(hit, score=score, rerank_score=score, search_score=hit.score)


def _text(hit: SearchHit) -> str | None:
    """Return what a reranker reads of a hit: its best chunk, or all of its text; None where there is nothing."""
    text = hit.text if hit.chunk is None or hit.chunk.text is None else hit.chunk.text
    return text if text and text.strip() else None
