"""JSON of documents and changes, vectors and all; by orjson where that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.weights import shorten, shortest_texts


def to_json(value: object, *, exact_weights: bool = False) -> bytes:
    """Return the JSON of plain values and vectors.

    Args:
        value: What is written.
        exact_weights: Whether to keep weights whole rather than as the shortest decimals that score alike.

    Raises:
        TypeError: A value that has no JSON, or text that is not valid Unicode.
        ValueError: The same, where orjson is not installed.
    """
    return _serializer(exact_weights)(value)


@cache
def _serializer(exact_weights: bool) -> Callable[[object], bytes]:
    try:
        import orjson
    except ImportError:
        return partial(_dumps_slowly, default=_of_vectors(SparseVector.to_dict if exact_weights else shorten))

    def short(vector: SparseVector) -> object:
        return orjson.Fragment(_shortest_json(vector, orjson.dumps))

    return partial(orjson.dumps, default=_of_vectors(SparseVector.to_dict if exact_weights else short))


def _of_vectors(write: Callable[[SparseVector], object]) -> Callable[[object], object]:
    """Return what a serializer asks about values that it does not know: `write` for vectors, an error for others."""

    def write_vector(value: object) -> object:
        if not isinstance(value, SparseVector):
            raise TypeError(f"A value of type {type(value).__name__} has no JSON.")
        return write(value)

    return write_vector


def _dumps_slowly(value: object, default: Callable[[object], object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default).encode()


def _shortest_json(vector: SparseVector, dumps: Callable[[Any], bytes]) -> str:
    """Return a vector with its shortest weights; joining texts takes half the time of a dict of new numbers."""
    tokens = [*vector]
    if not tokens:
        return "{}"
    if b"\\" in dumps(tokens):
        tokens = [dumps(token)[1:-1].decode() for token in tokens]
    parts = [""] * (2 * len(tokens))
    parts[::2], parts[1::2] = tokens, shortest_texts(vector.values())
    return '{"' + "".join(parts)[:-2] + "}"
