"""Results of a hybrid search: fusion by the client, and leg scores of the server's fusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.fusion.rrf import fuse, rank_of, shortest
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW
from opensearch_neural_sparse.search.options.refinements.collapse import Collapse
from opensearch_neural_sparse.search.options.request_options import Partial, PartialLike
from opensearch_neural_sparse.search.results.hits import SearchHits, parse_hit
from opensearch_neural_sparse.search.results.leg_scores import LegScore
from opensearch_neural_sparse.search.results.shard_failures import shard_failures

Key = tuple[Any, ...]
"""Key of a hit: index and id, because indices behind an alias may share ids; or the values of the collapsed field."""
Found = Mapping[Key, tuple[int, Mapping[str, Any]]]
"""Hits of a leg by key, each with its rank, from 1."""
LegReader = Callable[[Mapping[str, Any]], Mapping[str, LegScore]]
"""Function from a hit to the scores of its legs."""


@dataclass(frozen=True, kw_only=True)
class FusionPlan:
    """Fusion of the legs, and the requested page.

    Attributes:
        legs: Names of the legs, in their order.
        rank_constant: Rank constant of reciprocal rank fusion; None where scores are fused.
        weights: One for each leg; None gives every leg 1.
        min_score: Least fused score of a hit.
        collapse: The field of which each value is found once, where legs or the server collapse.
        groups: The collapse by which fused documents are grouped after the fusion.
        offset: How many hits come before the page.
        size: Most hits of the page.
        explain: Whether hits carry the score of each leg.
        one_shard: Whether what is searched is a single shard.
    """

    legs: tuple[str, ...]
    rank_constant: int | None
    weights: Sequence[float] | None = None
    min_score: float | None = None
    collapse: str | None = None
    groups: Collapse | None = None
    offset: int = 0
    size: int = 10
    explain: bool = False
    one_shard: bool = False

    @property
    def end(self) -> int:
        """Number of hits to the end of the page."""
        return self.offset + self.size

    @property
    def of_pool(self) -> FusionPlan:
        """The plan for every fused document, where they are grouped afterwards."""
        return self if self.groups is None else replace(self, offset=0, size=LARGEST_WINDOW)

    def pool_end(self, hits: int, total: int) -> int | None:
        """Return the size of the server's pool if the page ends beyond it and more documents match.

        A collapse and a least score drop documents of the pool, so that nothing is known of its end.

        Args:
            hits: Hits that the server returned for everything down to the end of the page.
            total: How many documents match.
        """
        known = self.collapse is None and self.min_score is None
        return hits if known and hits < min(self.end, total) else None


def read_leg_scores(hit: Mapping[str, Any], plan: FusionPlan) -> dict[str, LegScore]:
    """Read the score of each leg for a hit that the server fused.

    The server names the matching legs with their own scores, and explains the contribution of each: under reciprocal
    rank fusion the rank follows from it.
    """
    scores: Mapping[str, float] = hit.get("matched_queries") or {}
    found = [name for name in plan.legs if name in scores]
    terms = [detail.get("value", 0.0) for detail in hit.get("_explanation", {}).get("details", ())]
    ranks: list[int | None] = [None] * len(found)
    if plan.rank_constant is not None and len(terms) == len(found):
        ranks = [rank_of(term, plan.rank_constant) for term in terms]
    return {name: LegScore(score=scores[name], rank=rank) for name, rank in zip(found, ranks, strict=True)}


def leg_reader(
    plan: FusionPlan, responses: Sequence[Mapping[str, Any]], partial: PartialLike = Partial.RAISE
) -> LegReader:
    """Return the function from a hit that the server fused to its leg scores.

    Args:
        plan: Fusion and page.
        responses: The response of each leg's own search, where the server does not report ranks; else none.
        partial: Handling of partial results.

    Raises:
        PartialResultsError: Some shards failed, so that ranks may be wrong.
    """
    if not responses:
        return lambda hit: read_leg_scores(hit, plan)
    shard_failures(responses, partial)
    found = [_found(response, None) for response in responses]
    return lambda hit: _leg_scores(found, _key(hit, None), plan.legs)


def read_fused(
    responses: Sequence[Mapping[str, Any]],
    schema: IndexSchema,
    plan: FusionPlan,
    *,
    explained: Mapping[str, float] | None = None,
    took_ms: int = 0,
    partial: PartialLike = Partial.RAISE,
) -> SearchHits:
    """Fuse the responses of the legs by reciprocal ranks.

    Raises:
        PartialResultsError: Some shards failed, so that hits may be missing.
    """
    failures = shard_failures(responses, partial)
    found = [_found(response, plan.collapse) for response in responses]
    pool = fuse([list(leg) for leg in found], rank_constant=plan.rank_constant or 0, weights=plan.weights)
    fused = [entry for entry in pool if plan.min_score is None or shortest(entry[1]) >= plan.min_score]
    hits = []
    for key, score in fused[plan.offset : plan.end]:
        legs = _leg_scores(found, key, plan.legs) if plan.explain else None
        hits.append(parse_hit(_best(found, key), schema, explained, score=shortest(score), legs=legs))
    total, exact = _total(responses, len(fused))
    ended = len(fused) == len(pool) < plan.end and any(map(_is_cut, responses))
    pool_end = len(pool) if ended and plan.collapse is None else None
    return SearchHits(hits, total=total, total_is_exact=exact, took_ms=took_ms, pool_end=pool_end, failures=failures)


def _key(hit: Mapping[str, Any], collapse: str | None) -> Key:
    if collapse is None:
        return hit["_index"], hit["_id"]
    return tuple(hit.get("fields", {}).get(collapse, ()))


def _found(response: Mapping[str, Any], collapse: str | None) -> Found:
    return {_key(hit, collapse): (rank, hit) for rank, hit in enumerate(response["hits"]["hits"], 1)}


def _best(found: Sequence[Found], key: Key) -> Mapping[str, Any]:
    """Return the hit of the leg that ranks it highest; collapsed legs may differ in the hit of a value."""
    ranked = sorted((leg[key] for leg in found if key in leg), key=lambda ranked: ranked[0])
    best = ranked[0][1]
    chunks = (hit["inner_hits"] for _, hit in ranked if "inner_hits" in hit and hit["_id"] == best["_id"])
    return {**best, "inner_hits": next(chunks, {})}


def _leg_scores(found: Sequence[Found], key: Key, names: Sequence[str]) -> dict[str, LegScore]:
    ranked = {name: leg[key] for name, leg in zip(names, found, strict=True) if key in leg}
    return {name: LegScore(score=hit["_score"], rank=rank) for name, (rank, hit) in ranked.items()}


def _total(responses: Sequence[Mapping[str, Any]], fused: int) -> tuple[int, bool]:
    totals = [response["hits"].get("total", {}).get("value", 0) for response in responses]
    return max([fused, *totals]), not any(map(_is_cut, responses))


def _is_cut(response: Mapping[str, Any]) -> bool:
    """Return whether more documents match than the response has."""
    found = response["hits"]
    total = found.get("total", {})
    return bool(total.get("relation", "eq") != "eq" or total.get("value", 0) != len(found["hits"]))
