"""Rank fusion across groups of indices, because their scores are not comparable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opensearch_neural_sparse.search.fusion.rrf import fuse, shortest
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.results.hits import SearchHits


def fuse_groups(found: Sequence[SearchHits], wanted: SearchPage, of: str) -> SearchHits:
    """Fuse the hits of each model's or layout's indices by reciprocal ranks; return a page.

    Args:
        found: What was found in each, from the first hit to the end of the page.
        wanted: The page.
        of: What they are, such as `2 models`.
    """
    hits = {(hit.index, hit.id): hit for part in found for hit in part}
    ranked = fuse([[(hit.index, hit.id) for hit in part] for part in found])
    ended = len(ranked) < wanted.depth and any(part.pool_end is not None for part in found)
    ways = dict.fromkeys(part.fusion for part in found if part.fusion is not None)
    fused = SearchHits(
        [replace(hits[key], score=shortest(score)) for key, score in ranked[wanted.offset : wanted.depth]],
        total=sum(part.total for part in found),
        total_is_exact=all(part.total_is_exact for part in found),
        took_ms=max(part.took_ms for part in found),
        fusion=", ".join([*ways, f"client rrf of {of}"]),
        two_phase=any(part.two_phase for part in found),
        approximate=any(part.approximate for part in found),
        tokens_left_out=max(part.tokens_left_out for part in found),
        words_left_out=max(part.words_left_out for part in found),
        pool_end=len(ranked) if ended else None,
        failures=[failure for part in found for failure in part.failures],
    )
    fused.fusion_reason = f"Scores of {of} cannot be compared, so the client ranks them."
    return fused
