"""Score settings on judged queries by NDCG@10, from the hits of their legs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.tuning.scores.fused_scores import discounted_gains, fuse_hits
from opensearch_neural_sparse.evaluate.tuning.scores.leg_runs import LegRuns
from opensearch_neural_sparse.evaluate.tuning.scores.sparse_ranking import Positions
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SearchSetting

CUT = 10
"""Ranks that count in NDCG@10."""
Values = NDArray[np.float64]


class Scorer:
    """Computes NDCG@10 of settings without a search of their own.

    Args:
        collection: The collection, for its judgements.
        runs: Hits of the legs.
    """

    def __init__(self, collection: Collection, runs: LegRuns) -> None:
        positions = {document: position for position, document in enumerate(collection.documents)}
        self._runs = runs
        self._gains = {
            query: {positions[key]: float(max(value, 0)) for key, value in judged.items() if key in positions}
            for query, judged in collection.judgements.items()
        }
        self._ideals = {query: _ideal(judged) for query, judged in collection.judgements.items()}

    def score(self, settings: Sequence[SearchSetting], queries: Sequence[str]) -> list[Values]:
        """Return for each setting the NDCG@10 of each query.

        Args:
            settings: The settings; neighbours that differ in their weights alone are fused together.
            queries: Ids of the queries.
        """
        found: list[Values] = []
        for _, group in groupby(settings, key=_without_weights):
            found += self._score_group(list(group), queries)
        return found

    def _score_group(self, settings: Sequence[SearchSetting], queries: Sequence[str]) -> list[Values]:
        first = settings[0]
        fusions = [setting.fusion for setting in settings if setting.fusion is not None]
        by_server = first.variant.two_phase is None  # the client fuses what is searched in two phases

        def values(query: str) -> Values:
            hits = [self._runs.hits(leg, first.variant, query) for leg in first.legs]
            rankings = fuse_hits(hits, fusions, CUT, by_server=by_server) if fusions else [hits[0].documents[:CUT]]
            return self._query_values(query, rankings)

        return list(np.stack([*map(values, queries)], axis=1))

    def _query_values(self, query: str, rankings: Sequence[Positions]) -> Values:
        gains = np.array([self._gains_of(query, ranking) for ranking in rankings])
        ideal = self._ideals[query]
        return discounted_gains(gains) / ideal if ideal else np.zeros(len(gains))

    def _gains_of(self, query: str, ranking: Positions) -> list[float]:
        gains = self._gains[query]
        found = [gains.get(document, 0.0) for document in ranking.tolist()]
        return found + [0.0] * (CUT - len(found))


def _ideal(judged: Mapping[str, int]) -> float:
    best = sorted((float(max(value, 0)) for value in judged.values()), reverse=True)[:CUT]
    return float(discounted_gains(np.array(best))) if best else 0.0


def _without_weights(setting: SearchSetting) -> object:
    fusion = setting.fusion
    parts = None if fusion is None else (fusion.normalization, fusion.combination, fusion.rank_constant)
    return (setting.legs, setting.variant, parts)
