"""Options of rank and score fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from opensearch_neural_sparse.arguments import check_number
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.short_repr import short_repr


class Fusion(Choice):
    """Place of the fusion: server or client.

    `SERVER` is one `_search` with a search pipeline inside it; `CLIENT` is one `_msearch` of the legs, ranked over all
    shards and fused here by reciprocal ranks; `AUTO` is the server wherever its fusion is there and right.
    """

    AUTO = "auto"
    SERVER = "server"
    CLIENT = "client"


FusionLike = Fusion | Literal["auto", "server", "client"]
"""A `Fusion`, or its value as text."""


DEFAULT_RANK_CONSTANT = 60


SMALLEST_RANK_CONSTANT, LARGEST_RANK_CONSTANT = 1, 10_000


class Normalization(Choice):
    """Normalisation of a leg's scores; `Z_SCORE` needs OpenSearch 3.0 or later."""

    MIN_MAX = "min_max"
    L2 = "l2"
    Z_SCORE = "z_score"


NormalizationLike = Normalization | Literal["min_max", "l2", "z_score"]
"""A `Normalization`, or its value as text."""


class Combination(Choice):
    """Combination of the normalised scores: a mean; `Normalization.Z_SCORE` supports only the arithmetic one."""

    ARITHMETIC_MEAN = "arithmetic_mean"
    GEOMETRIC_MEAN = "geometric_mean"
    HARMONIC_MEAN = "harmonic_mean"


CombinationLike = Combination | Literal["arithmetic_mean", "geometric_mean", "harmonic_mean"]
"""A `Combination`, or its value as text."""


class BoundMode(Choice):
    """Mode of a bound: `APPLY` scales by it, `CLIP` also cuts scores at it, `IGNORE` disables it."""

    APPLY = "apply"
    CLIP = "clip"
    IGNORE = "ignore"


BoundModeLike = BoundMode | Literal["apply", "clip", "ignore"]
"""A `BoundMode`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Lower or upper bound of a leg's scores in `Normalization.MIN_MAX`.

    Attributes:
        mode: What it does.
        score: The score; None with `BoundMode.IGNORE` alone.
    """

    mode: BoundModeLike
    score: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", BoundMode(self.mode))
        check_number(optional=True, score=self.score)
        if (self.score is None) != (self.mode is BoundMode.IGNORE):
            raise ValueError(f"A bound of mode 'ignore' has no score and every other one has, got {self}.")

    def to_dict(self, name: str) -> dict[str, Any]:
        """Return the bound in the server's form; `name` is `min_score` or `max_score`."""
        return {"mode": str(self.mode)} | ({} if self.score is None else {name: float(self.score)})


def check_weights(weights: Sequence[float]) -> list[float]:
    """Validate the weights of the legs; return floats, because integers make the server fail.

    Raises:
        ValueError: A negative weight, or a sum other than 1.
    """
    try:
        floats = [float(weight) for weight in weights]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"Weights are a list of numbers, one for each leg, got {shown_value(weights)}.") from None
    if not all(0 <= weight <= 1 for weight in floats) or abs(sum(floats) - 1) > 1e-2:
        raise ValueError(f"Weights lie between 0 and 1 and sum to 1, got {floats}.")
    return floats


def check_rank_constant(rank_constant: int) -> None:
    """Validate a rank constant.

    Raises:
        TypeError: Not an integer.
        ValueError: Below 1 or above 10,000.
    """
    if isinstance(rank_constant, bool) or not isinstance(rank_constant, int):
        raise TypeError(f"rank_constant is an integer, got {shown_value(rank_constant)}.")
    if not SMALLEST_RANK_CONSTANT <= rank_constant <= LARGEST_RANK_CONSTANT:
        raise ValueError(f"rank_constant lies between 1 and 10000, got {shown_value(rank_constant)}.")
