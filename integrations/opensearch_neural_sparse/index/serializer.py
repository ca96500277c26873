"""JSON of documents and changes, vectors and all; by orjson where that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.vector_json import join_vectors
from opensearch_neural_sparse.index.weights import shorten

Written = bytes | TypeError | ValueError
"""The JSON of a value, or why it has none."""
_HOLE, _BETWEEN = b"\n", b"\t"
"""What stands for a vector until all are written, and between two values; JSON without indentation has neither."""


def to_json(value: object, *, exact_weights: bool = False) -> bytes:
    """Return the JSON of plain values and vectors.

    Args:
        value: What is written.
        exact_weights: Whether to keep weights whole rather than as the shortest decimals that score alike.

    Raises:
        TypeError: A value that has no JSON, or text that is not valid Unicode.
        ValueError: The same, where orjson is not installed.
    """
    (written,) = to_json_each([value], exact_weights=exact_weights)
    if isinstance(written, Exception):
        raise written
    return written


def to_json_each(values: Iterable[object], *, exact_weights: bool = False) -> Sequence[Written]:
    """Return the JSON of each value, or the error that `to_json` raises of it; all vectors are written together.

    Args:
        values: What is written.
        exact_weights: Whether to keep weights whole rather than as the shortest decimals that score alike.
    """
    return _serializer(exact_weights)(values)


@cache
def _serializer(exact_weights: bool) -> Callable[[Iterable[object]], Sequence[Written]]:
    whole = _of_vectors(SparseVector.to_dict if exact_weights else shorten)
    try:
        import orjson
    except ImportError:
        return partial(_one_by_one, partial(_dumps_slowly, default=whole))
    if exact_weights:
        return partial(_one_by_one, partial(orjson.dumps, default=whole))
    return partial(_all_at_once, orjson)


def _one_by_one(dumps: Callable[[object], bytes], values: Iterable[object]) -> list[Written]:
    written: list[Written] = []
    for value in values:
        try:
            written.append(dumps(value))
        except (TypeError, ValueError) as error:
            written.append(error)
    return written


def _all_at_once(orjson: Any, values: Iterable[object]) -> Sequence[Written]:
    """Write a list of the values with a hole for each vector, cut it, write the vectors and fill the holes."""
    vectors: list[SparseVector] = []

    def leave_out(vector: SparseVector) -> object:
        if not vector:
            return {}
        vectors.append(vector)
        return hole

    hole, values = orjson.Fragment(_HOLE), [*values]
    rows = [orjson.Fragment(_BETWEEN)] * (2 * len(values) + 1)
    rows[1::2] = values
    try:
        frames = orjson.dumps(rows, default=_of_vectors(leave_out)).split(_BETWEEN)[1:-1]
        fillings = iter(_vectors_to_json(vectors, orjson.dumps))
    except (TypeError, ValueError):
        return _one_by_one(partial(orjson.dumps, default=_of_vectors(shorten)), values)
    return [_fill(frame[1:-1], fillings) for frame in frames]


def _vectors_to_json(vectors: Sequence[SparseVector], dumps: Callable[[object], bytes]) -> list[bytes]:
    joined = join_vectors(vectors)
    return [dumps(shorten(vector)) if text is None else text for vector, text in zip(vectors, joined, strict=True)]


def _fill(frame: bytes, fillings: Iterator[bytes]) -> bytes:
    parts = frame.split(_HOLE)
    if len(parts) == 1:
        return frame
    filled = [b""] * (2 * len(parts) - 1)
    filled[::2], filled[1::2] = parts, islice(fillings, len(parts) - 1)
    return b"".join(filled)


def _of_vectors(write: Callable[[SparseVector], object]) -> Callable[[object], object]:
    """Return what a serializer asks about values that it does not know: `write` for vectors, an error for others."""

    def write_vector(value: object) -> object:
        if not isinstance(value, SparseVector):
            raise TypeError(f"A value of type {type(value).__name__} has no JSON.")
        return write(value)

    return write_vector


def _dumps_slowly(value: object, default: Callable[[object], object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default).encode()
