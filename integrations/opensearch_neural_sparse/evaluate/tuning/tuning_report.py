"""The result of tuning: default and chosen setting on either half, and whether they differ by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from opensearch_neural_sparse.evaluate.metrics.significance import paired_interval, paired_p_value
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SearchSetting

SIGNIFICANT = 0.05
"""Largest p-value at which a difference counts as more than chance."""
LARGEST_GAP = 0.002
"""Largest difference between computed and searched NDCG@10 that passes without a remark."""
COLUMNS = ("COLLECTION", "SETTING", "CHOSEN ON", "REPORTED ON", "COMPUTED")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """NDCG@10 of a setting.

    Attributes:
        setting: The setting.
        layout: The index that it searches.
        chosen_on: Mean over the half that the setting is chosen on, computed without a search of its own.
        computed: The same over the other half.
        values: Query id of the other half -> NDCG@10 of its search.
    """

    setting: SearchSetting
    layout: IndexLayout
    chosen_on: float
    computed: float
    values: Mapping[str, float] = field(repr=False)

    @property
    def reported_on(self) -> float:
        """Mean over the other half, of real searches."""
        return fmean(self.values.values())

    @property
    def gap(self) -> float:
        """Difference of the searches from the computed figure."""
        return self.reported_on - self.computed


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Result of tuning on a collection.

    Attributes:
        collection: Its name.
        seed: Seed of the halves.
        queries: Number of queries to choose on, and to report on.
        tried: Number of settings tried.
        default: The default setting.
        winner: The setting that is best on the first half.
        alone: Name of a leg -> NDCG@10 over the first half of the leg alone.
    """

    collection: str
    seed: int
    queries: tuple[int, int]
    tried: int
    default: Measured
    winner: Measured
    alone: Mapping[str, float]

    @property
    def difference(self) -> float:
        """Difference of winner and default over the second half."""
        return self.winner.reported_on - self.default.reported_on

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the difference, by a paired randomisation test."""
        return paired_p_value(self.winner.values, self.default.values)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the difference, by a paired bootstrap."""
        return paired_interval(self.winner.values, self.default.values)

    @property
    def is_better(self) -> bool:
        """Whether the winner is better than the default by more than chance."""
        return self.difference > 0 and self.p_value < SIGNIFICANT

    @property
    def recommended(self) -> Measured:
        """The winner if it is significantly better, else the default."""
        return self.winner if self.is_better else self.default

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "collection": self.collection,
            "seed": self.seed,
            "queries": {"chosen_on": self.queries[0], "reported_on": self.queries[1]},
            "tried": self.tried,
            "alone": dict(self.alone),
            "default": _values(self.default),
            "winner": _values(self.winner),
            "difference": self.difference,
            "p_value": self.p_value,
            "interval": list(self.interval),
            "recommended": "winner" if self.is_better else "default",
        }

    def rows(self) -> Iterator[Sequence[str]]:
        """Yield a row of the table for the default and for the winner."""
        for name, found in (("default", self.default), ("winner", self.winner)):
            figures = (f"{value:.4f}" for value in (found.chosen_on, found.reported_on, found.computed))
            yield (self.collection, f"{name}: {found.setting.label}", *figures)

    def conclusion(self) -> str:
        """Return the conclusion in a few sentences."""
        low, high = self.interval
        found = (
            f"{self.collection}: of {self.tried} settings, chosen on {self.queries[0]} queries and reported on "
            f"{self.queries[1]} others, the winner is {self.difference:+.4f} NDCG@10 from the default "
            f"(p {self.p_value:.3f}, 95 % interval {low:+.4f} to {high:+.4f})."
        )
        sentences = [found]
        if self.winner.setting == self.default.setting:
            sentences.append("No setting is better than the default: keep it.")
        elif self.is_better:
            sentences.append("Take the winner.")
        else:
            sentences.append("That may be chance: keep the default.")
        sentences += [
            f"The searches of the {name} differ from what was computed by {measured.gap:+.4f}."
            for name, measured in (("default", self.default), ("winner", self.winner))
            if abs(measured.gap) > LARGEST_GAP
        ]
        return " ".join(sentences)


def _values(found: Measured) -> dict[str, Any]:
    figures = {name: getattr(found, name) for name in ("chosen_on", "reported_on", "computed")}
    layout = asdict(found.layout) | {"prune": None if found.layout.prune is None else found.layout.prune.to_dict()}
    return {**found.setting.to_dict(), **figures, "index": {**layout, "analyzers": list(found.layout.analyzers)}}
