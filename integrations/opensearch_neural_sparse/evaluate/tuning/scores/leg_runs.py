"""Hits of each leg for each query: sparse legs ranked in this process, the others searched for once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.experiments.encoded_collection import Encoded, Progress
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import SPARSE
from opensearch_neural_sparse.evaluate.experiments.runs import SIZE
from opensearch_neural_sparse.evaluate.experiments.search_methods import SearchMethod
from opensearch_neural_sparse.evaluate.tuning.scores.sparse_ranking import RankedHits, SparseRanker
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SparseVariant, TunedLeg

Key = tuple[TunedLeg, SparseVariant]


class LegRuns:
    """Hits of each leg for each query, computed when they are first needed and then kept.

    Args:
        collection: The collection.
        encoded: Model -> the vectors of the collection, documents unpruned.
        methods: Name of a BM25 or dense leg -> its search.
        progress: Called as the work goes on.
    """

    def __init__(
        self,
        collection: Collection,
        encoded: Mapping[str, Encoded],
        methods: Mapping[str, SearchMethod],
        progress: Progress,
    ) -> None:
        self._queries = collection.queries
        self._positions = {document: position for position, document in enumerate(collection.documents)}
        self._encoded = encoded
        self._methods = methods
        self._progress, self._name = progress, collection.name
        self._known: dict[Key, dict[str, RankedHits]] = {}
        self._finders: dict[Key, Callable[[str], RankedHits]] = {}
        self._rankers: dict[tuple[str, Prune | None], SparseRanker] = {}

    def hits(self, leg: TunedLeg, variant: SparseVariant, query: str) -> RankedHits:
        """Return the hits of a leg for a query; the variant matters to sparse legs alone."""
        key = (leg, variant if leg.kind == SPARSE else SparseVariant())
        if key not in self._finders:
            self._finders[key] = self._rank(leg.source, variant) if leg.kind == SPARSE else self._search(leg.name)
        known = self._known.setdefault(key, {})
        if query not in known:
            known[query] = self._finders[key](query)
            self._progress(f"{self._name}: {leg.name}", len(known), len(self._queries))
        return known[query]

    def _rank(self, model: str, variant: SparseVariant) -> Callable[[str], RankedHits]:
        encoded, ranker = self._encoded[model], self._ranker(model, variant.document_prune)

        def find(query: str) -> RankedHits:
            vector = _pruned(encoded.queries[query], variant.query_prune)
            return ranker.rank(vector, SIZE, variant.two_phase)

        return find

    def _ranker(self, model: str, prune: Prune | None) -> SparseRanker:
        key = (model, prune)
        if key not in self._rankers:
            vectors = self._encoded[model].documents.values()
            self._rankers[key] = SparseRanker([_pruned(vector, prune) for vector in vectors])
        return self._rankers[key]

    def _search(self, name: str) -> Callable[[str], RankedHits]:
        def find(query: str) -> RankedHits:
            hits = self._methods[name].search(self._queries[query])
            return RankedHits.of((self._positions[hit.id] for hit in hits), (hit.score for hit in hits))

        return find


def _pruned(vector: SparseVector, prune: Prune | None) -> SparseVector:
    return vector if prune is None else prune(vector)
