"""A search setting as a value: its legs, pruning, two-phase search and fusion."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import RRF, SPARSE
from opensearch_neural_sparse.search.options.fusion import DEFAULT_RANK_CONSTANT, Combination, Normalization
from opensearch_neural_sparse.search.options.two_phase import TwoPhase


@dataclass(frozen=True, kw_only=True)
class TunedLeg:
    """A leg.

    Attributes:
        kind: `bm25`, `sparse` or `dense`.
        source: Analyzer of a BM25 leg, model of a sparse or dense one.
        name: Name in tables and in the options of the search; no other leg has it.
    """

    kind: str
    source: str
    name: str


@dataclass(frozen=True, kw_only=True)
class SparseVariant:
    """Pruning and two-phase search of sparse legs.

    Attributes:
        document_prune: Tokens that documents keep; None keeps all.
        query_prune: Tokens that are searched for; None searches for all.
        two_phase: Two-phase search, or None.
    """

    document_prune: Prune | None = None
    query_prune: Prune | None = None
    two_phase: TwoPhase | None = None

    @property
    def labels(self) -> list[str]:
        """Differences from the default, for tables."""
        phases = self.two_phase
        parts = [
            self.document_prune and f"documents {_rule(self.document_prune)}",
            self.query_prune and f"queries {_rule(self.query_prune)}",
            phases and f"two phases {phases.prune_type}:{phases.prune_ratio:g}",
        ]
        return [part for part in parts if part]


@dataclass(frozen=True, kw_only=True)
class FusionSetting:
    """Fusion of legs.

    Attributes:
        normalization: Normalisation of the scores; None fuses by reciprocal ranks.
        combination: Mean of the normalised scores.
        rank_constant: Rank constant of reciprocal rank fusion.
        weights: One for each leg, summing to 1; None weighs them equally.
    """

    normalization: Normalization | None = None
    combination: Combination = Combination.ARITHMETIC_MEAN
    rank_constant: int = DEFAULT_RANK_CONSTANT
    weights: tuple[float, ...] | None = None

    @property
    def label(self) -> str:
        """Name in tables."""
        if self.normalization is None:
            constant = "" if self.rank_constant == DEFAULT_RANK_CONSTANT else f" rank_constant {self.rank_constant}"
            name = f"{RRF}{constant}"
        else:
            mean = "" if self.combination is Combination.ARITHMETIC_MEAN else f" {self.combination}"
            name = f"{self.normalization}{mean}"
        return name if self.weights is None else f"{name} {','.join(f'{weight:g}' for weight in self.weights)}"


@dataclass(frozen=True, kw_only=True)
class SearchSetting:
    """A setting of a search.

    Attributes:
        legs: One to five legs.
        variant: How sparse legs are searched; the default without such a leg.
        fusion: How legs are fused; None with one leg.

    Raises:
        ValueError: Legs, fusion and variant do not match.
    """

    legs: tuple[TunedLeg, ...]
    variant: SparseVariant = SparseVariant()
    fusion: FusionSetting | None = None

    def __post_init__(self) -> None:
        if (self.fusion is None) != (len(self.legs) == 1):
            raise ValueError(f"Two or more legs are fused, one is not; got {len(self.legs)} and {self.fusion}.")
        weights = None if self.fusion is None else self.fusion.weights
        if weights is not None and len(weights) != len(self.legs):
            raise ValueError(f"Each of {len(self.legs)} legs has a weight, got {len(weights)} weights.")
        if not self.has_sparse_leg:
            object.__setattr__(self, "variant", SparseVariant())
        if self.variant.two_phase is not None and not self.takes_two_phase:
            raise ValueError("Two-phase search is fused by reciprocal ranks alone; leave normalization or it out.")

    @property
    def has_sparse_leg(self) -> bool:
        """True if a leg is sparse."""
        return any(leg.kind == SPARSE for leg in self.legs)

    @property
    def takes_two_phase(self) -> bool:
        """Whether its sparse legs may be searched in two phases."""
        return self.has_sparse_leg and (self.fusion is None or self.fusion.normalization is None)

    @property
    def label(self) -> str:
        """Name in tables."""
        fusion = [] if self.fusion is None else [self.fusion.label]
        return ", ".join([" + ".join(leg.name for leg in self.legs), *fusion, *self.variant.labels])

    def varied(self, variant: SparseVariant) -> SearchSetting:
        """Return the setting with sparse legs searched in another way."""
        return replace(self, variant=variant)

    def to_dict(self) -> dict[str, Any]:
        """Return the setting as plain values."""
        found: dict[str, Any] = {"label": self.label, "legs": [leg.name for leg in self.legs]}
        for name in ("document_prune", "query_prune"):
            rule: Prune | None = getattr(self.variant, name)
            found[name] = None if rule is None else rule.to_dict()
        phases, fusion = self.variant.two_phase, self.fusion
        found["two_phase"] = None if phases is None else two_phase_values(phases)
        found["normalization"] = None if fusion is None or fusion.normalization is None else str(fusion.normalization)
        found["combination"] = None if found["normalization"] is None or fusion is None else str(fusion.combination)
        found["rank_constant"] = None if fusion is None or fusion.normalization is not None else fusion.rank_constant
        found["weights"] = None if fusion is None or fusion.weights is None else list(fusion.weights)
        return found


def two_phase_values(two_phase: TwoPhase) -> dict[str, Any]:
    """Return the parameters of two-phase search that differ from the default, and the ratio."""
    default, found = TwoPhase(), {"prune_ratio": two_phase.prune_ratio}
    names = ("prune_type", "expansion_rate", "max_window_size")
    others = {name: getattr(two_phase, name) for name in names}
    return found | {
        name: str(value) if name == "prune_type" else value
        for name, value in others.items()
        if value != getattr(default, name)
    }


def _rule(prune: Prune) -> str:
    return str(prune.type) if prune.ratio is None else f"{prune.type}:{prune.ratio:g}"
