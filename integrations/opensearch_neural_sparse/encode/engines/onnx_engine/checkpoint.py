"""Locate the tensors of a safetensors checkpoint, so that they can be used in place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from opensearch_neural_sparse.models.files.safetensors import tensor_places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_BLOCK = 1 << 20
_NUMPY_TYPES = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True, kw_only=True)
class StoredTensor:
    """Byte range, type and shape of a tensor in a file.

    Attributes:
        file: The file, symbolic links resolved.
        offset: Offset of its first byte.
        size: Number of bytes.
        dtype: `F32`, `F16` or `BF16`.
        shape: Its shape.
    """

    file: Path
    offset: int
    size: int
    dtype: str
    shape: tuple[int, ...]

    def split(self, count: int) -> list[StoredTensor]:
        """Split along the first axis into `count` tensors of equal height."""
        size, shape = self.size // count, (self.shape[0] // count, *self.shape[1:])
        return [replace(self, offset=self.offset + part * size, size=size, shape=shape) for part in range(count)]

    def equals(self, other: StoredTensor) -> bool:
        """Return whether another tensor has the same type, shape and bytes."""
        if (self.dtype, self.shape) != (other.dtype, other.shape):
            return False
        return all(one == two for one, two in zip(self._blocks(), other._blocks(), strict=True))

    def _blocks(self) -> Iterator[bytes]:
        with self.file.open("rb") as file:
            file.seek(self.offset)
            for start in range(0, self.size, _BLOCK):
                yield file.read(min(_BLOCK, self.size - start))

    def read(self) -> NDArray[np.float32]:
        """Read the weights as a new float32 array."""
        import numpy as np

        raw = np.fromfile(self.file, _NUMPY_TYPES[self.dtype], math.prod(self.shape), offset=self.offset)
        if self.dtype == "BF16":  # the upper half of a float32
            raw = (raw.astype(np.uint32) << 16).view(np.float32)
        return raw.reshape(self.shape).astype(np.float32, copy=False)


def stored_tensors(files: Iterable[Path]) -> dict[str, StoredTensor]:
    """Read the tensor locations of all files of a checkpoint, by name; no weight is read.

    Args:
        files: Files in safetensors format.

    Raises:
        ModelFilesError: A file is missing, has another format, or is truncated.
    """
    return {name: tensor for file in files for name, tensor in _tensors_of(file.resolve())}


def _tensors_of(file: Path) -> Iterator[tuple[str, StoredTensor]]:
    for name, place in tensor_places(file).items():
        if place.dtype in _NUMPY_TYPES:
            yield (
                name,
                StoredTensor(file=file, offset=place.offset, size=place.size, dtype=place.dtype, shape=place.shape),
            )
