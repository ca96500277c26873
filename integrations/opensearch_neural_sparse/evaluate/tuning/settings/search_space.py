"""The settings that tuning tries: legs, pruning, two-phase search, fusions, rank constants and weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from opensearch_neural_sparse.encode.pruning import Prune, PruneType
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25, SPARSE
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import (
    FusionSetting,
    SearchSetting,
    SparseVariant,
    TunedLeg,
)
from opensearch_neural_sparse.search.options.fusion import Combination, Normalization
from opensearch_neural_sparse.search.options.legs import MOST_LEGS
from opensearch_neural_sparse.search.options.two_phase import TwoPhase

STEPS = 10
"""Weights are multiples of a tenth with two or three legs."""
COARSE_STEPS = 5
"""Weights are multiples of a fifth with more legs, which have far more combinations."""
_FINE_LEGS = 3
Prunes = tuple[Prune | None, ...]


def _max_ratios(*ratios: float) -> Prunes:
    """Return no pruning, and pruning by each ratio to the largest weight."""
    return (None, *(Prune(type=PruneType.MAX_RATIO, ratio=ratio) for ratio in ratios))


DOCUMENT_PRUNES = _max_ratios(0.05, 0.1, 0.2)
QUERY_PRUNES = _max_ratios(0.1, 0.2, 0.4)


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """Choices for each part of a setting; the first of each is the default.

    Attributes:
        legs: The legs; the default setting fuses the first BM25 leg and the first sparse one.
        most_legs: Most legs of a setting.
        document_prunes: Pruning of documents.
        query_prunes: Pruning of queries.
        two_phases: Two-phase search, where the fusion is by reciprocal ranks or there is one leg.
        normalizations: Normalisations of scores that the server has.
        rank_constants: Rank constants.

    Raises:
        ValueError: No sparse leg or no BM25 leg, two legs of one name, or a limit of legs out of range.
    """

    legs: tuple[TunedLeg, ...]
    most_legs: int = MOST_LEGS
    document_prunes: Prunes = DOCUMENT_PRUNES
    query_prunes: Prunes = QUERY_PRUNES
    two_phases: tuple[TwoPhase | None, ...] = (None, TwoPhase(prune_ratio=0.2), TwoPhase())
    normalizations: tuple[Normalization, ...] = tuple(Normalization)
    rank_constants: tuple[int, ...] = (60, 5, 20, 200)

    def __post_init__(self) -> None:
        if len({leg.name for leg in self.legs}) < len(self.legs):
            raise ValueError(f"Legs need different names, got {[leg.name for leg in self.legs]}.")
        if not {BM25, SPARSE} <= {leg.kind for leg in self.legs}:
            raise ValueError("Tuning needs a BM25 leg and a sparse leg, which the default setting fuses.")
        if not 2 <= self.most_legs <= MOST_LEGS:
            raise ValueError(f"A setting has at most 2 to {MOST_LEGS} legs, got a limit of {self.most_legs}.")

    @property
    def default(self) -> SearchSetting:
        """The setting of a hybrid search without options."""
        first = {kind: next(leg for leg in self.legs if leg.kind == kind) for kind in (BM25, SPARSE)}
        return SearchSetting(legs=tuple(first.values()), fusion=FusionSetting())

    def variants(self, *, two_phases: bool) -> Iterator[SparseVariant]:
        """Yield the variants of sparse legs, the default first.

        Args:
            two_phases: Whether they may be searched in two phases.
        """
        phases = self.two_phases if two_phases else (None,)
        for phase, query, document in product(phases, self.query_prunes, self.document_prunes):
            yield SparseVariant(document_prune=document, query_prune=query, two_phase=phase)

    def fusions(self, legs: int, *, normalized: bool = True) -> Iterator[FusionSetting]:
        """Yield the fusions of a number of legs, the default first.

        Args:
            legs: Number of legs.
            normalized: Whether normalised scores may be fused.
        """
        choices = list(weights_of(legs))
        for constant, weights in product(self.rank_constants, choices):
            yield FusionSetting(rank_constant=constant, weights=weights)
        if not normalized:
            return
        for normalization, combination in product(self.normalizations, Combination):
            if normalization is Normalization.Z_SCORE and combination is not Combination.ARITHMETIC_MEAN:
                continue
            for weights in choices:
                yield FusionSetting(normalization=normalization, combination=combination, weights=weights)


def weights_of(legs: int) -> Iterator[tuple[float, ...] | None]:
    """Yield equal weights as None, then every other choice of positive weights in steps that sums to 1."""
    yield None
    steps = STEPS if legs <= _FINE_LEGS else COARSE_STEPS
    for parts in _compositions(steps, legs):
        if len(set(parts)) > 1:
            yield tuple(round(part / steps, 2) for part in parts)


def _compositions(total: int, count: int) -> Iterator[tuple[int, ...]]:
    """Yield the tuples of `count` positive whole numbers that sum to `total`."""
    if count == 1:
        yield (total,)
        return
    for first in range(1, total - count + 2):
        for rest in _compositions(total - first, count - 1):
            yield (first, *rest)
