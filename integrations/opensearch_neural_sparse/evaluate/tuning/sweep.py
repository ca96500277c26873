"""Choose a setting: single legs, then pairs, further legs one at a time, then pruning and fusion in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import DENSE
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SearchSetting, TunedLeg
from opensearch_neural_sparse.evaluate.tuning.settings.search_space import SearchSpace

MOST_ROUNDS = 3
"""Rounds of choosing pruning and fusion in turn, if they still change."""
_LEAST_GAIN = 1e-9
ScoreAll = Callable[[Sequence[SearchSetting]], Sequence[float]]


class Sweep:
    """A greedy search of the space; of equally good settings the one that was tried first wins, the simplest.

    Args:
        space: What is tried.
        score: Returns the mean score of each setting.

    Attributes:
        tried: Setting -> its score.
    """

    def __init__(self, space: SearchSpace, score: ScoreAll) -> None:
        self.tried: dict[SearchSetting, float] = {}
        self._space = space
        self._score = score

    def choose(self) -> SearchSetting:
        """Return the best setting."""
        self._try([self._space.default])
        self._try(SearchSetting(legs=(leg,)) for leg in self._space.legs)
        self._try_fusions()
        for _ in range(MOST_ROUNDS):
            before = self.best
            self._try(self._variants(before))
            self._try(self._fusions(self.best))
            if self.best == before:
                break
        self._try_alone()
        return self.best

    @property
    def best(self) -> SearchSetting:
        """The best of the settings tried; dense search alone is no candidate, as no retriever here does it."""
        candidates = {setting: score for setting, score in self.tried.items() if _is_candidate(setting)}
        found = next(iter(candidates))
        for setting, score in candidates.items():
            if score > candidates[found] + _LEAST_GAIN:
                found = setting
        return found

    def _try_fusions(self) -> None:
        """Try every pair, and then each further leg beside the best legs so far."""
        found = [legs for legs in combinations(self._space.legs, 2) if legs != self._space.default.legs]
        choices: list[tuple[TunedLeg, ...]] = [self._space.default.legs, *found]
        while choices and len(choices[0]) <= self._space.most_legs:
            scores = {legs: self._try_legs(legs) for legs in choices}
            best = max(scores, key=lambda legs: scores[legs])
            choices = [self._ordered({*best, leg}) for leg in self._space.legs if leg not in best]

    def _try_legs(self, legs: tuple[TunedLeg, ...]) -> float:
        fusions = self._space.fusions(len(legs))
        settings = [SearchSetting(legs=legs, fusion=fusion) for fusion in fusions]
        self._try(settings)
        return max(self.tried[setting] for setting in settings)

    def _ordered(self, legs: Iterable[TunedLeg]) -> tuple[TunedLeg, ...]:
        return tuple(sorted(legs, key=self._space.legs.index))

    def _variants(self, setting: SearchSetting) -> Iterator[SearchSetting]:
        if setting.has_sparse_leg:
            for variant in self._space.variants(two_phases=setting.takes_two_phase):
                yield setting.varied(variant)

    def _fusions(self, setting: SearchSetting) -> Iterator[SearchSetting]:
        if setting.fusion is not None:
            phased = setting.variant.two_phase is not None
            for fusion in self._space.fusions(len(setting.legs), normalized=not phased):
                yield SearchSetting(legs=setting.legs, variant=setting.variant, fusion=fusion)

    def _try_alone(self) -> None:
        """Try each sparse leg alone in every variant."""
        for leg in self._space.legs:
            self._try(self._variants(SearchSetting(legs=(leg,))))

    def _try(self, settings: Iterable[SearchSetting]) -> None:
        new = [setting for setting in dict.fromkeys(settings) if setting not in self.tried]
        if new:
            self.tried.update(zip(new, self._score(new), strict=True))


def _is_candidate(setting: SearchSetting) -> bool:
    return len(setting.legs) > 1 or setting.legs[0].kind != DENSE
