"""Dense vectors: lists of numbers, NumPy arrays or torch tensors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Array(Protocol):
    """Protocol of NumPy arrays and torch tensors on any device."""

    def tolist(self) -> Any:
        """Return the numbers as a list."""
        ...


DenseVector = Sequence[float] | Array
"""Dense vector: a sequence of numbers."""


def to_floats(vector: object) -> list[float]:
    """Convert a dense vector to a list of finite numbers.

    Args:
        vector: One vector of shape [D].

    Raises:
        ValueError: No vector, several of them, or numbers that are not finite.
    """
    values = vector.tolist() if isinstance(vector, Array) else vector
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ValueError(  # noqa: TRY004  as of anything else that is no vector
            f"one dense vector is a list of numbers or an array [D], got {type(vector).__name__}"
        )
    try:
        floats = [float(value) for value in values]
    except (TypeError, ValueError):
        raise ValueError(f"one dense vector is a list of numbers or an array [D], got {_shape(vector)}") from None
    except OverflowError:
        floats = [math.inf]
    if not all(map(math.isfinite, floats)):
        raise ValueError("a dense vector has finite numbers, and some of these are not")
    return floats


def _shape(vector: object) -> str:
    shape = getattr(vector, "shape", None)
    within = next(iter(vector), None) if shape is None and isinstance(vector, Sequence) else None
    return (
        f"an array of shape {list(shape)}"
        if shape is not None
        else f"a {type(vector).__name__} of {type(within).__name__}"
    )
