"""Query weights of a doc-only model: one float32 per token of the vocabulary."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Collection, Mapping
from pathlib import Path

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.json_file import read_json
from opensearch_neural_sparse.models.files.safetensors import tensor_places

SMALLEST_WEIGHT = 1.17549435e-38
"""Smallest normal float32; smaller weights count as zero."""
TOLERANCE = 1e-5
"""Largest relative difference between two formats of one table."""


def read_idf(
    path: Path, vocabulary: Mapping[str, int], *, ignored: Collection[int] = (), tensor: Path | None = None
) -> array[float]:
    """Read the query weight of each token id.

    A token that the table lacks weighs 0, an entry that is no token of the vocabulary is left out, both as in
    sentence-transformers; the tables of multilingual-v1 need the two rules. Weights are rounded to float32, and those
    that are not positive become 0: such a token is no part of any query.

    Args:
        path: `idf.json`, or the `model.safetensors` of a `SparseStaticEmbedding`.
        vocabulary: Token -> id.
        ignored: Ids that weigh 0 whatever the table says: the special tokens.
        tensor: The same weights in the other format, which sentence-transformers reads; where the first has a weight
            they must agree.

    Raises:
        ModelFilesError: The file is missing, damaged, or belongs to another vocabulary, or the two formats disagree.
    """
    table = _read_positive(path, vocabulary, ignored)
    if tensor is not None and table != (twin := _read_positive(tensor, vocabulary, ignored)):
        pairs = zip(table, twin, strict=True)
        differences = sum(one > 0 and abs(one - two) > TOLERANCE * one for one, two in pairs)
        if differences:
            raise ModelFilesError(f"{path} and {tensor} differ in {differences} weights; remove the stale one.")
    return table


def _read_positive(path: Path, vocabulary: Mapping[str, int], ignored: Collection[int]) -> array[float]:
    size = max(vocabulary.values()) + 1
    table = _read_table(path, size) if path.suffix == ".safetensors" else _read_entries(path, vocabulary, size)
    if not all(map(math.isfinite, table)):
        raise ModelFilesError(f"{path} holds a weight that is not a finite number.")
    kept = [weight if weight >= SMALLEST_WEIGHT else 0.0 for weight in table]
    for index in (*ignored, *_nameless(vocabulary)):
        kept[index] = 0.0
    return array("f", kept)


def _read_entries(path: Path, vocabulary: Mapping[str, int], size: int) -> array[float]:
    entries = read_json(path)
    if not isinstance(entries, dict):
        raise ModelFilesError(f"{path} is not an object of token -> number.")
    known = sum(map(vocabulary.__contains__, entries))
    if known * 2 < len(entries):
        raise ModelFilesError(f"{path} belongs to another tokenizer: {known} of its {len(entries)} tokens are known.")
    table = array("f", bytes(4 * size))
    try:
        for token, index in vocabulary.items():
            table[index] = entries.get(token, 0.0)
    except (TypeError, OverflowError):
        raise ModelFilesError(f"{path} is not an object of token -> number.") from None
    return table


def _read_table(path: Path, size: int) -> array[float]:
    places = tensor_places(path)
    place = places.get("weight")
    if place is None or place.dtype != "F32" or place.shape != (size,):
        held = {name: (each.dtype, each.shape) for name, each in places.items()}
        raise ModelFilesError(
            f"{path} holds {held}, not one F32 tensor 'weight' for the {size} tokens of the tokenizer."
        )
    table = array("f")
    with path.open("rb") as file:
        file.seek(place.offset)
        table.frombytes(file.read(4 * size))
    if sys.byteorder == "big":
        table.byteswap()
    return table


def _nameless(vocabulary: Mapping[str, int]) -> tuple[int, ...]:
    return (vocabulary[""],) if "" in vocabulary else ()
