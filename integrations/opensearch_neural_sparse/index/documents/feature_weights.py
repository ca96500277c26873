"""9-bit weights of `rank_features`: stored codes and shortest equal decimals.

Lucene's FeatureField stores `floatToIntBits(weight) >>> 15`: the exponent and 8 bits of the mantissa, cut towards zero.
A stored weight is thus up to 0.39 % below the one that was sent, and any decimal with the same 9 significant bits gives
the same scores: 4-5 characters do where a float32 takes 9 and a float64 18.
"""

from __future__ import annotations

import struct
from decimal import Decimal
from functools import cache
from math import isinf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from opensearch_neural_sparse.encode.sparse_vector import SparseVector

_DROPPED_BITS = 15
_CODES = 1 << 16
_MOST_DIGITS = 6
_LARGEST_EXPONENT = 128
"""Exponent of the first power of two above float32's range."""


def encode_weight(weight: float) -> int:
    """Return the code that `rank_features` stores for a weight."""
    bits: int = struct.unpack("=I", struct.pack("=f", weight))[0]
    return bits >> _DROPPED_BITS


def decode_weight(code: int) -> float:
    """Return the weight of a stored code."""
    weight: float = struct.unpack("=f", struct.pack("=I", code << _DROPPED_BITS))[0]
    return weight


def stored_weight(weight: float) -> float:
    """Return a weight at the server's precision, which it scores with."""
    return decode_weight(encode_weight(weight))


def shortest_weight(weight: float) -> float:
    """Return the shortest decimal that `rank_features` stores identically."""
    return _shortest(encode_weight(weight))


def shorten(vector: SparseVector) -> dict[str, float]:
    """Return token -> shortest decimal of equal stored weight: the same scores from a quarter of the bytes."""
    return dict(zip(vector.tokens, map(_shortest, _codes(bytes(vector.weights)).tolist()), strict=True))


def shortest_texts(weights: bytes) -> list[str]:
    """Return the shortest decimal of each weight with the JSON delimiters around it, such as `":0.13,"`.

    Args:
        weights: The weights, as float64.
    """
    codes, (texts, known) = _codes(weights), _texts_by_code()
    if not known.take(codes).all():
        for code in set(codes[~known[codes]].tolist()):
            texts[code], known[code] = f'":{_shortest(code)},"', True
    found: list[str] = texts.take(codes).tolist()
    return found


@cache
def _texts_by_code() -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Return the table code -> text, and a mask of its computed entries."""
    import numpy as np

    return np.full(_CODES, "", np.object_), np.zeros(_CODES, np.bool_)


def _codes(weights: bytes) -> NDArray[np.integer[Any]]:
    import numpy as np

    return np.frombuffer(weights, np.float64).astype(np.float32).view(np.uint32) >> _DROPPED_BITS


@cache
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
