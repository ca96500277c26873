"""The shards of an index that a change of its model reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.index.binding.reindex_mark import shards_of


def source_shards(name: str, index: Mapping[str, Any], chosen: Collection[int] | None) -> Sequence[int]:
    """Return the shards to read, in order: the chosen ones, or all.

    Args:
        name: Name of the index.
        index: Its part of the response of `GET /<index>`.
        chosen: Numbers of shards, or None.

    Raises:
        ValueError: The index has no shard of such a number.
    """
    there = shards_of(index)
    if chosen is None:
        return range(there)
    for number in chosen:
        if number not in range(there):
            raise ValueError(f"Index {name!r} has no shard {number!r}; its {there} shards count from 0 to {there - 1}.")
    return sorted(set(chosen))
