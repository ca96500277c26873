"""The 9-bit weights of `rank_features`: what the server keeps of a weight, and the shortest decimal kept alike.

Lucene's FeatureField stores `floatToIntBits(weight) >>> 15`: the exponent and 8 bits of the mantissa, cut towards zero.
A stored weight is thus up to 0.39 % below the one that was sent, and any decimal with the same 9 significant bits gives
the same scores: 4-5 characters do where a float32 takes 9 and a float64 18.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import isinf

_DROPPED_BITS = 15
_MOST_DIGITS = 6
_LARGEST_EXPONENT = 128
"""Where float32 ends."""


def encode_weights(weights: Iterable[float]) -> list[int]:
    """Return the code that `rank_features` stores for each weight."""
    bits = memoryview(array("f", weights)).cast("B").cast("I")
    return [value >> _DROPPED_BITS for value in bits]


def encode_weight(weight: float) -> int:
    """Return the code that `rank_features` stores for a weight."""
    return encode_weights((weight,))[0]


def decode_weight(code: int) -> float:
    """Return the weight that a stored code stands for."""
    return float(memoryview(array("I", (code << _DROPPED_BITS,))).cast("B").cast("f")[0])


def stored_weight(weight: float) -> float:
    """Return the weight that the server scores with where `weight` was written."""
    return decode_weight(encode_weight(weight))


def shortest_weight(weight: float) -> float:
    """Return the number of fewest digits that `rank_features` stores as it stores `weight`, near the middle of such."""
    return _SHORTEST[encode_weight(weight)]


def shorten(vector: Mapping[str, float]) -> dict[str, float]:
    """Return token -> shortest equal weight: the same scores from a quarter of the bytes."""
    return dict(zip(vector, map(_SHORTEST.__getitem__, encode_weights(vector.values())), strict=True))


class _ShortestWeights(dict[int, float]):
    """Code -> shortest weight, worked out when first asked for; there are 65,024 codes in all."""

    def __missing__(self, code: int) -> float:
        weight = self[code] = _shortest(code)
        return weight


_SHORTEST = _ShortestWeights()


def _shortest(code: int) -> float:
    low, high = Decimal(decode_weight(code)), _upper_end(code)
    middle = (low + high) / 2
    for digits in range(1, _MOST_DIGITS):
        step = Decimal(1).scaleb(low.adjusted() - digits + 1)
        candidate = (middle / step).to_integral_value() * step
        if low <= candidate < high and encode_weight(float(candidate)) == code:
            return float(candidate)
    return float(low)


def _upper_end(code: int) -> Decimal:
    following = decode_weight(code + 1)
    return Decimal(2) ** _LARGEST_EXPONENT if isinf(following) else Decimal(following)
