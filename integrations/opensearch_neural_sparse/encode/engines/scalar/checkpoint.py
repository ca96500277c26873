"""Weights of a model of one weight for each token, under the names of a plain transformer and of one head."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import stored_tensors
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.scalar.families import TRAITS, head_file, plain_name
from opensearch_neural_sparse.models.files.scalar.pickled import read_pickled
from opensearch_neural_sparse.models.spec import Family

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from opensearch_neural_sparse.models.files.resolve import ModelFiles

T = TypeVar("T")
BODIES = ("bert.", "roberta.")
"""Prefixes of the tensors of a transformer within a model with a head."""


class Head(NamedTuple):
    """A linear layer with one output.

    Attributes:
        weight: float32 [H].
        bias: Its bias.
    """

    weight: NDArray[np.float32]
    bias: float


def read_head_file(files: ModelFiles) -> Head | None:
    """Read the head that lies beside the transformer, of BGE-M3; None of a family that has it in its weights.

    Raises:
        ModelFilesError: It is missing, damaged, or could run code.
    """
    if files.spec.family is not Family.BGE_M3:
        return None
    folder = files.weights[0].parent
    path = head_file(folder)
    if path is None:
        raise ModelFilesError(f"{folder} has no sparse_linear.pt, the head of a BGE-M3 model. Download it again.")
    if path.suffix == ".safetensors":
        return make_head(path, {name: tensor.read() for name, tensor in stored_tensors([path]).items()}, "")
    return make_head(path, read_pickled(path), "")


def make_head(path: Path, tensors: Mapping[str, NDArray[np.float32]], name: str) -> Head:
    """Make a head of its tensors.

    Args:
        path: The file they are of, for the message.
        tensors: Tensors by name.
        name: Name of the head, without `.weight` and `.bias`.

    Raises:
        ModelFilesError: They are not those of a linear layer with one output.
    """
    prefix = f"{name}." if name else ""
    weight, bias = tensors.get(f"{prefix}weight"), tensors.get(f"{prefix}bias")
    if weight is None or weight.ndim != 2 or len(weight) != 1 or bias is None or bias.size != 1:
        shapes = {key: each.shape for key, each in tensors.items() if each is weight or each is bias}
        raise ModelFilesError(
            f"{path} has no head of one output, tensors {prefix}weight [1, H] and {prefix}bias [1], but {shapes}. "
            "Download the model again."
        )
    return Head(weight.reshape(-1), float(bias.reshape(-1)[0]))


def head_name(files: ModelFiles) -> str:
    """Return the name of the head's tensors among the model's weights; empty where it is a file of its own."""
    return TRAITS[Family(files.spec.family)].head


def plain_tensors(tensors: Mapping[str, T]) -> dict[str, T]:
    """Return tensors by their names in a plain transformer, without the prefixes of what wraps it.

    The names of layer normalisations in old checkpoints, `gamma` and `beta`, become `weight` and `bias`.
    """
    return {_body_name(name): tensor for name, tensor in tensors.items()}


def _body_name(name: str) -> str:
    name = plain_name(name)
    for prefix in BODIES:
        name = name.removeprefix(prefix)
    if name.endswith((".gamma", ".beta")):
        return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
    return name
