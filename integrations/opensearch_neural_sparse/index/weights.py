"""The 9-bit weights of `rank_features`: what the server keeps of a weight, and the shortest decimal kept alike.

Lucene's FeatureField stores `floatToIntBits(weight) >>> 15`: the exponent and 8 bits of the mantissa, cut towards zero.
A stored weight is thus up to 0.39 % below the one that was sent, and any decimal with the same 9 significant bits gives
the same scores: 4-5 characters do where a float32 takes 9 and a float64 18.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

_DROPPED_BITS = 15
_CODES = 1 << 17
_SAFE = 1 - 2**-16
"""Keeps a decimal away from the upper end of its interval, where rounding to float32 would leave it."""


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
    """Return the number of fewest digits that `rank_features` stores as it stores `weight`."""
    return _shortest(encode_weight(weight))


def shorten(vector: Mapping[str, float]) -> dict[str, float]:
    """Return token -> shortest equal weight: the same scores from a quarter of the bytes."""
    return dict(zip(vector, map(_shortest, encode_weights(vector.values())), strict=True))


@lru_cache(maxsize=_CODES)
def _shortest(code: int) -> float:
    low = Decimal(decode_weight(code))
    high = low + (Decimal(decode_weight(code + 1)) - low) * Decimal(_SAFE) if _has_next(code) else low * 2
    exponent = low.adjusted()
    for digits in range(1, 6):
        step = Decimal(1).scaleb(exponent - digits + 1)
        candidate = (low / step).to_integral_value(ROUND_CEILING) * step
        if candidate < high:
            return float(candidate)
    return float(low)


def _has_next(code: int) -> bool:
    return decode_weight(code + 1) != float("inf")
