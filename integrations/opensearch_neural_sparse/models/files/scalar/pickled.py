"""Tensors in files of PyTorch's own format, a pickle in a zip archive, read without running what the pickle names.

Unpickling calls what a file names. Here a name is compared with the few that tensors need, and each stands for a
function of this module; any other name is refused, so that no code of the file's choice can run.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import ModelFilesError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NUMPY_TYPES = {"FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8", "BFloat16Storage": "<u2"}
_OTHER_STORAGES = ("LongStorage", "IntStorage", "ShortStorage", "CharStorage", "ByteStorage", "BoolStorage")
LARGEST_HEAD = 64 << 20
"""Most bytes of a file that is read whole."""


@dataclass(frozen=True)
class PickledTensor:
    """Place of a tensor in an archive: its storage, and the part of it that it is."""

    storage: str
    kind: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def pickled_names(path: Path) -> list[str]:
    """Return the names of the tensors of a file; no weight is read.

    Raises:
        ModelFilesError: The file has another format, is damaged, or names something else than tensors.
    """
    with _opened(path) as archive:
        return [*_tensors(path, archive)]


def read_pickled(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read the floating-point tensors of a small file, such as one of a head.

    Raises:
        ModelFilesError: The file has another format, is damaged, too large, or names something else than tensors.
    """
    with _opened(path) as archive:
        if (size := sum(entry.file_size for entry in archive.infolist())) > LARGEST_HEAD:
            raise ModelFilesError(f"{path} has {size} bytes; a head has at most {LARGEST_HEAD}. Give the model's own.")
        folder = _pickle_name(path, archive).removesuffix("data.pkl")
        tensors = _tensors(path, archive)
        return {name: _read(path, archive, folder, tensor) for name, tensor in tensors.items()}


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile):
        raise _unfit(path, "is no zip archive of PyTorch") from None


def _pickle_name(path: Path, archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(names) != 1:
        raise _unfit(path, "is no zip archive of PyTorch")
    return names[0]


def _tensors(path: Path, archive: zipfile.ZipFile) -> Mapping[str, PickledTensor]:
    try:
        with archive.open(_pickle_name(path, archive)) as file:
            content = _TensorUnpickler(path, file).load()
    except ModelFilesError:
        raise
    except Exception as error:  # noqa: BLE001  a damaged pickle raises anything
        raise _unfit(path, f"is damaged ({type(error).__name__})") from None
    if not isinstance(content, Mapping):
        raise _unfit(path, "holds no table of tensors")
    if isinstance(nested := content.get("model_state_dict"), Mapping):
        content = nested
    return {name: tensor for name, tensor in content.items() if isinstance(tensor, PickledTensor)}


class _TensorUnpickler(pickle.Unpickler):
    """Reads the places of tensors and knows no other name."""

    def __init__(self, path: Path, file: Any) -> None:
        super().__init__(file)
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and (name in _NUMPY_TYPES or name in _OTHER_STORAGES):
            return name
        known = _KNOWN.get((module, name))
        if known is None:
            raise ModelFilesError(
                f"{self._path} is pickled and names {module}.{name}, which is no part of a tensor: reading it could "
                "run code. Do not use the file, or save the model in safetensors format from a source you trust."
            )
        return known

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        _, kind, key, *_ = pid
        return str(kind), str(key)


def _tensor(storage: tuple[str, str], offset: int, shape: Any, stride: Any, *_: Any) -> PickledTensor:
    kind, key = storage
    return PickledTensor(key, kind, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


def _parameter(tensor: Any, *_: Any) -> Any:
    return tensor


_KNOWN: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}


def _read(path: Path, archive: zipfile.ZipFile, folder: str, tensor: PickledTensor) -> NDArray[np.float32]:
    import numpy as np

    kind = _NUMPY_TYPES.get(tensor.kind)
    if kind is None:
        raise _unfit(path, f"holds a tensor of {tensor.kind}, not of floating-point numbers")
    try:
        raw = np.frombuffer(archive.read(f"{folder}data/{tensor.storage}"), kind)
    except (KeyError, ValueError, zipfile.BadZipFile):
        raise _unfit(path, "is damaged") from None
    if tensor.kind == "BFloat16Storage":
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    count = int(np.prod(tensor.shape, dtype=np.int64))
    dense = tuple(int(np.prod(tensor.shape[place + 1 :], dtype=np.int64)) for place in range(len(tensor.shape)))
    wide = [place for place, size in enumerate(tensor.shape) if size != 1]
    if any(tensor.stride[place] != dense[place] for place in wide) or tensor.offset + count > len(raw):
        raise _unfit(path, "holds a tensor that is not stored row by row, or is cut short")
    values: NDArray[np.float32] = raw[tensor.offset : tensor.offset + count].astype(np.float32)
    return values.reshape(tensor.shape)


def _unfit(path: Path, problem: str) -> ModelFilesError:
    return ModelFilesError(
        f"{path} {problem}. Download it again, or save the model in safetensors format with a current PyTorch."
    )
