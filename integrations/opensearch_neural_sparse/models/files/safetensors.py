"""Headers of files in safetensors format: where each tensor lies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ModelFilesError

LONGEST_HEADER = 100_000_000
_LENGTH_BYTES = 8
_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


@dataclass(frozen=True, kw_only=True)
class TensorPlace:
    """Place of a tensor in a file.

    Attributes:
        dtype: Its type, such as `F32`.
        shape: Its shape.
        offset: Offset of its first byte in the file.
        size: Number of bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int


def tensor_places(path: Path) -> dict[str, TensorPlace]:
    """Read the header of a file in safetensors format: tensor name -> its place.

    Raises:
        ModelFilesError: The file is missing, has another format, is cut short, or its header is damaged.
    """
    header, start = _read_header(path)
    end, places = path.stat().st_size, dict(_places(path, header, start))
    if (needed := max((place.offset + place.size for place in places.values()), default=0)) > end:
        raise ModelFilesError(f"{path} is cut short: {end} bytes instead of {needed}. Download the model again.")
    return places


def _read_header(path: Path) -> tuple[dict[str, Any], int]:
    if not path.is_file():
        raise ModelFilesError(f"{path} is {'no regular file' if path.exists() else 'missing'}.")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            header = json.loads(file.read(length)) if 2 <= length < LONGEST_HEADER else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ModelFilesError(f"{path} is not in safetensors format. Download it again.")
    header.pop("__metadata__", None)
    return header, _LENGTH_BYTES + length


def _places(path: Path, header: dict[str, Any], start: int) -> Iterator[tuple[str, TensorPlace]]:
    for name, entry in header.items():
        parts = entry if isinstance(entry, dict) else {}
        dtype, shape, offsets = parts.get("dtype"), _numbers(parts.get("shape")), _numbers(parts.get("data_offsets"))
        if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
            raise ModelFilesError(f"{path} has a damaged header: tensor {name!r}. Download it again.")
        first, last = offsets
        size = last - first
        if size < 0 or (dtype in _ITEM_BYTES and size != prod(shape) * _ITEM_BYTES[dtype]):
            raise ModelFilesError(
                f"{path} has a damaged header: tensor {name!r} of shape {shape} has {size} bytes. Download it again."
            )
        yield name, TensorPlace(dtype=dtype, shape=shape, offset=start + first, size=size)


def _numbers(value: Any) -> tuple[int, ...] | None:
    whole = isinstance(value, list) and all(type(each) is int and 0 <= each < 2**63 for each in value)
    return tuple(value) if whole else None
