"""JSON serialisation of documents and updates, with orjson if it is installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import islice
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.documents.feature_weights import shorten
from opensearch_neural_sparse.index.documents.vector_serializer import join_vectors

Written = bytes | TypeError | ValueError
"""JSON, or the error of its serialisation."""
_HOLE = b"\0"
"""Placeholder of a vector in unfinished JSON; JSON has no such character."""


def to_json(value: object, *, exact_weights: bool = False) -> bytes:
    """Serialise plain values and vectors as JSON.

    Args:
        value: What is written.
        exact_weights: Whether to keep weights whole rather than as the shortest decimals that score alike.

    Raises:
        TypeError: A value that has no JSON, or text that is not valid Unicode.
        ValueError: The same, where orjson is not installed.
    """
    (written,) = to_lines([[value]], exact_weights=exact_weights)
    if isinstance(written, Exception):
        raise written
    return written.removesuffix(b"\n")


def to_lines(rows: Iterable[Sequence[object]], *, exact_weights: bool = False) -> Sequence[Written]:
    """Serialise rows as JSON lines; the error of a row takes its place.

    Args:
        rows: One value or several each; every value is a line, ended by a newline.
        exact_weights: Whether to keep weights whole rather than as the shortest decimals that score alike.
    """
    return _serializer(exact_weights)([*rows])


def to_exact_line(value: object) -> bytes:
    """Serialise a value as a JSON line that keeps weights whole.

    Args:
        value: What is written.

    Raises:
        TypeError: A value that has no JSON, or text that is not valid Unicode.
        ValueError: The same, where orjson is not installed.
    """
    return _exact_dumps()(value)


@cache
def _serializer(exact_weights: bool) -> Callable[[Sequence[Sequence[object]]], Sequence[Written]]:
    if exact_weights:
        return partial(_row_by_row, _exact_dumps())
    try:
        import orjson
    except ImportError:
        return partial(_row_by_row, partial(_dumps_slowly, default=_of_vectors(shorten)))
    return partial(_all_at_once, orjson)


@cache
def _exact_dumps() -> Callable[[object], bytes]:
    whole = _of_vectors(SparseVector.to_dict)
    try:
        import orjson
    except ImportError:
        return partial(_dumps_slowly, default=whole)
    return partial(_dumps_either, partial(orjson.dumps, default=whole, option=orjson.OPT_APPEND_NEWLINE), whole)


def _row_by_row(dumps: Callable[[object], bytes], rows: Sequence[Sequence[object]]) -> list[Written]:
    written: list[Written] = []
    for row in rows:
        try:
            written.append(b"".join(map(dumps, row)))
        except (TypeError, ValueError) as error:
            written.append(error)
    return written


def _all_at_once(orjson: Any, rows: Sequence[Sequence[object]]) -> Sequence[Written]:
    """Serialise rows with a placeholder for each vector, then all vectors, and insert them."""
    vectors: list[SparseVector] = []

    def leave_out(vector: SparseVector) -> object:
        if not vector:
            return {}
        vectors.append(vector)
        return hole

    hole, dumps = orjson.Fragment(_HOLE), partial(orjson.dumps, option=orjson.OPT_APPEND_NEWLINE)
    dumps_with_holes = partial(dumps, default=_of_vectors(leave_out))
    try:
        frames = [b"".join(map(dumps_with_holes, row)) for row in rows]
        fillings = iter(_vectors_to_json(vectors, orjson.dumps))
    except (TypeError, ValueError):
        whole = _of_vectors(shorten)
        return _row_by_row(partial(_dumps_either, partial(dumps, default=whole), whole), rows)
    return [_fill(frame, fillings) for frame in frames]


def _vectors_to_json(vectors: Sequence[SparseVector], dumps: Callable[[object], bytes]) -> list[bytes]:
    joined = join_vectors(vectors)
    return [dumps(shorten(vector)) if text is None else text for vector, text in zip(vectors, joined, strict=True)]


def _fill(frame: bytes, vectors: Iterator[bytes]) -> bytes:
    holes = frame.count(_HOLE)
    if holes == 1:
        return frame.replace(_HOLE, next(vectors))  # looks for a character several times as fast as a split
    filled = [b""] * (2 * holes + 1)
    filled[::2], filled[1::2] = frame.split(_HOLE), islice(vectors, holes)
    return b"".join(filled)


def _of_vectors(write: Callable[[SparseVector], object]) -> Callable[[object], object]:
    """Return the serializer's fallback: `write` for vectors, an error for other values."""

    def write_vector(value: object) -> object:
        if not isinstance(value, SparseVector):
            raise TypeError(f"A value of type {type(value).__name__} has no JSON.")
        return write(value)

    return write_vector


def _dumps_either(dumps: Callable[[object], bytes], default: Callable[[object], object], value: object) -> bytes:
    """Serialise a value by orjson, or by the standard library what orjson does not take: whole numbers beyond 2^64."""
    try:
        return dumps(value)
    except (TypeError, ValueError):
        return _dumps_slowly(value, default)


def _dumps_slowly(value: object, default: Callable[[object], object]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default)
    return f"{text}\n".encode()
