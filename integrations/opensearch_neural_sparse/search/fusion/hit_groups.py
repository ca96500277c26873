"""Groups of fused hits, by the values of a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from opensearch_neural_sparse.search.fusion.client_fusion import FusionPlan
from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits


def group_fused(hits: SearchHits, responses: Sequence[Mapping[str, Any]], plan: FusionPlan) -> None:
    """Replace fused hits by a page of groups: the best hit of each value, with the best ones of it.

    Args:
        hits: Every fused hit, best first.
        responses: The responses that they were read from.
        plan: The collapse, and the page.
    """
    if plan.groups is None:
        return
    values = {
        (row["_index"], row["_id"]): tuple(row.get("fields", {}).get(plan.groups.field, ()))
        for response in responses
        for row in response["hits"]["hits"]
    }
    groups: dict[tuple[Any, ...], list[SearchHit]] = {}
    for hit in hits:
        groups.setdefault(values[hit.index, hit.id], []).append(hit)
    best = [replace(group[0], group_hits=tuple(group[: plan.groups.size])) for group in groups.values()]
    hits[:] = best[plan.offset : plan.end]
    hits.pool_end = len(best) if hits.pool_end is not None and len(best) < plan.end else None
