"""Pruning of sparse vectors with the server's arithmetic.

The rules are those of neural-search's `PruneUtils`: every number is a float32, and the comparisons are the server's.
A vector pruned here has the tokens that the server's ingest processor would have kept.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Literal, Self

from opensearch_neural_sparse.arguments import check_number
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.short_repr import short_repr


class PruneType(Choice):
    """Pruning types, under the server's names.

    `MAX_RATIO` keeps weights of at least ratio times the largest, `ABS_VALUE` those of at least ratio itself, `TOP_K`
    the ratio heaviest tokens, `ALPHA_MASS` the heaviest tokens as long as their sum is at most ratio times the whole.
    """

    NONE = "none"
    MAX_RATIO = "max_ratio"
    ABS_VALUE = "abs_value"
    TOP_K = "top_k"
    ALPHA_MASS = "alpha_mass"


PruneTypeLike = PruneType | Literal["none", "max_ratio", "abs_value", "top_k", "alpha_mass"]
"""A `PruneType`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class Prune:
    """A pruning rule.

    Args:
        type: How tokens are chosen.
        ratio: The server's `prune_ratio`: in [0, 1) for `max_ratio` and `alpha_mass`, at least 0 for `abs_value`, a
            whole number of 1 or more for `top_k`, absent for `none`.

    Raises:
        ValueError: The ratio is out of range, missing or not wanted.

    Examples:
        >>> Prune(type=PruneType.MAX_RATIO, ratio=0.1)(SparseVector({"heart": 1.0, "the": 0.05})).to_dict()
        {'heart': 1.0}
    """

    type: PruneTypeLike
    ratio: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", PruneType(self.type))
        check_number(optional=True, ratio=self.ratio)
        if self.type is PruneType.NONE:
            if self.ratio is not None:
                raise ValueError(f"Prune type 'none' takes no ratio, got {self.ratio!r}.")
            return
        if self.ratio is None or not _ALLOWED[self.type](_float32(self.ratio)):
            raise ValueError(f"Prune type {str(self.type)!r} takes {_LIMITS[self.type]}, got {self.ratio!r}.")

    @classmethod
    def parse(cls, value: str | Mapping[str, Any] | Prune | None) -> Self | Prune | None:
        """Parse a pruning rule.

        Args:
            value: `max_ratio:0.1`, `none`, `{"type": "max_ratio", "ratio": 0.1}` as `to_dict` returns it, a rule, or
                None.

        Raises:
            ValueError: No such type, or a ratio that it does not take.
        """
        if value is None or isinstance(value, Prune):
            return value
        if isinstance(value, str):
            name, _, ratio = value.partition(":")
            return cls(type=PruneType(name), ratio=float(ratio) if ratio else None)
        if not isinstance(value, Mapping):
            raise TypeError(f"A prune rule is text such as 'max_ratio:0.1', or a mapping, got {type(value).__name__}.")
        if "type" not in value or (value.keys() - {"type", "ratio"}):
            raise ValueError(f"A prune rule has 'type' and 'ratio', got {shown_value(sorted(map(str, value)))}.")
        return cls(type=PruneType(value["type"]), ratio=value.get("ratio"))

    def to_dict(self) -> dict[str, Any]:
        """Return the pruning rule as plain values."""
        return {"type": str(self.type)} | ({} if self.ratio is None else {"ratio": self.ratio})

    def __call__(self, vector: SparseVector) -> SparseVector:
        """Prune a vector; the kept tokens stay in order."""
        if self.ratio is None or not vector:
            return vector
        return _RULES[self.type](vector, self.ratio)


def prune_max_ratio(vector: SparseVector, ratio: float) -> SparseVector:
    """Keep the tokens with at least `ratio` times the largest weight."""
    threshold = _float32(_float32(ratio) * _float32(max(vector.weights, default=0.0)))
    return _at_least(vector, threshold)


def prune_abs_value(vector: SparseVector, value: float) -> SparseVector:
    """Keep the tokens with a weight of at least `value`."""
    return _at_least(vector, _float32(value))


def prune_top_k(vector: SparseVector, count: float) -> SparseVector:
    """Keep the `count` heaviest tokens, equal weights by token; the server breaks ties arbitrarily."""
    kept = sorted(vector, key=lambda token: (-_float32(vector[token]), token))[: int(count)]
    return _only(vector, [*map(set(kept).__contains__, vector.tokens)])


def prune_alpha_mass(vector: SparseVector, alpha: float) -> SparseVector:
    """Keep the heaviest tokens while their sum is at most `alpha` times the sum of all.

    The token that goes beyond is left out, as on the server, so that the result may be empty. Of equal weights the
    first by name comes first, where the server's choice is arbitrary.
    """
    limit = _float32(_float32(alpha) * _float32(math.fsum(map(_float32, vector.weights))))
    kept, mass = set(), 0.0
    for token in sorted(vector, key=lambda token: (-_float32(vector[token]), token)):
        mass = _float32(mass + _float32(vector[token]))
        if not mass <= limit:  # also where the sum is beyond float32
            break
        kept.add(token)
    return _only(vector, [*map(kept.__contains__, vector.tokens)])


_RULES: dict[str, Callable[[SparseVector, float], SparseVector]] = {
    PruneType.MAX_RATIO: prune_max_ratio,
    PruneType.ABS_VALUE: prune_abs_value,
    PruneType.TOP_K: prune_top_k,
    PruneType.ALPHA_MASS: prune_alpha_mass,
}
_ALLOWED: dict[str, Callable[[float], bool]] = {
    PruneType.MAX_RATIO: lambda ratio: 0 <= ratio < 1,
    PruneType.ALPHA_MASS: lambda ratio: 0 <= ratio < 1,
    PruneType.ABS_VALUE: lambda ratio: 0 <= ratio < math.inf,
    PruneType.TOP_K: lambda ratio: 1 <= ratio < math.inf and ratio == int(ratio),
}
_LIMITS: dict[str, str] = {
    PruneType.MAX_RATIO: "a ratio of at least 0 and below 1",
    PruneType.ALPHA_MASS: "a ratio of at least 0 and below 1",
    PruneType.ABS_VALUE: "a weight of at least 0",
    PruneType.TOP_K: "a whole number of 1 or more",
}


def _float32(value: float) -> float:
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        return math.inf
    return float(rounded)


def _at_least(vector: SparseVector, threshold: float) -> SparseVector:
    return _only(vector, [_float32(weight) >= threshold for weight in vector.weights])


def _only(vector: SparseVector, kept: Sequence[bool]) -> SparseVector:
    return SparseVector.from_trusted(compress(vector.tokens, kept), compress(vector.weights, kept))
