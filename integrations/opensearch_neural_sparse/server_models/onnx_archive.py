"""Write a document encoder as one ONNX file that a server runs: token ids in, final weights out, all inside the file.

The server's ONNX Runtime is 1.16, and its inputs have names of their own. The file is protobuf: messages that follow
each other are merged, so the weights are copied into it from the model's files one after the other, and never lie in
memory.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import (
    IDS,
    LOGITS,
    MASK,
    MICROSOFT,
    TANH_GELU,
    GraphBuilder,
)
from opensearch_neural_sparse.encode.engines.onnx_engine.model_graph import build_document_graph
from opensearch_neural_sparse.encode.engines.onnx_engine.network import read_transformer
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.spec import Activation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import onnx

    from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import StoredTensor
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

INPUTS = {IDS: "input1.input_ids", MASK: "input1.attention_mask"}
OUTPUT = "output"
LARGEST_FILE = 2**31 - 1
"""Largest protobuf message, in bytes."""
BLOCK = 1 << 20
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
"""Field numbers of a model's graph, a graph's initializer and a tensor's bytes."""
_LENGTH_DELIMITED = 2


class ServerGraphBuilder(GraphBuilder):
    """Builds a graph for ONNX Runtime 1.16, which has opset 19, without Gelu, and no rotary embedding."""

    opset, ir_version = 19, 9

    def activation(self, value: str, name: str) -> str:
        """Apply an activation function of transformers."""
        if name == "relu":
            return super().activation(value, name)
        return self.op("FastGelu" if name in TANH_GELU else "Gelu", value, domain=MICROSOFT)

    def rotary(self, value: str, cosines: str, sines: str, *, heads: int) -> str:
        """Turn the pairs of each head of a value [B, L, H] by the angles of its position [P, H / heads / 2]."""
        last, start, whole = self.ints(-1), self.ints(0), self.ints(0, 0, heads, -1)
        length = self.op("Slice", self.op("Shape", value), self.ints(1), self.ints(2))
        cosine, sine = (
            self.op("Unsqueeze", self.op("Slice", table, start, length, start), self.ints(1))
            for table in (cosines, sines)
        )
        size = self.op("Slice", self.op("Shape", cosines), self.ints(1), self.ints(2))
        parts = self.op("Reshape", value, whole)
        first = self.op("Slice", parts, start, size, last)
        second = self.op("Slice", parts, size, self.op("Add", size, size), last)
        turned = self.op(
            "Concat",
            self.op("Sub", self.op("Mul", first, cosine), self.op("Mul", second, sine)),
            self.op("Add", self.op("Mul", second, cosine), self.op("Mul", first, sine)),
            axis=-1,
        )
        return self.op("Reshape", turned, self.ints(0, 0, -1))


def onnx_file(files: ModelFiles, used_ids: Collection[int]) -> Iterator[bytes]:
    """Return an ONNX file in blocks.

    Args:
        files: The model's files, with the document side.
        used_ids: Token ids that have weights: those of tokens other than special ones.

    Raises:
        MissingDependencyError: onnx is not installed.
        ModelFilesError: The architecture or the file format is not supported, the weights are too large for one ONNX
            file, or a file is damaged.
    """
    architecture, tensors = read_transformer(files)
    model = build_document_graph(architecture, ServerGraphBuilder(tensors))
    _rename_inputs(model)
    _add_weights(model, Activation(files.spec.activation), used_ids)
    stored = [tensor for tensor in model.graph.initializer if tensor.external_data]
    inline = [tensor for tensor in model.graph.initializer if not tensor.external_data]
    del model.graph.initializer[:]
    model.graph.initializer.extend(inline)
    head = model.SerializeToString()
    size = len(head) + sum(tensors[tensor.name].size for tensor in stored)
    if size > LARGEST_FILE - BLOCK:
        raise ModelFilesError(
            f"{files.spec.id!r} has weights of {size / 1e9:.2f} GB, and an ONNX file holds 2.1 GB at most. "
            "Use format='torch_script'."
        )
    return chain([head], *(_initializer(tensor, tensors) for tensor in stored))


def _rename_inputs(model: onnx.ModelProto) -> None:
    from onnx import helper

    for value in model.graph.input:
        node = helper.make_node("Identity", [INPUTS[value.name]], [value.name], name=f"{value.name}_input")
        model.graph.node.insert(0, node)
        value.name = INPUTS[value.name]


def _add_weights(model: onnx.ModelProto, activation: Activation, used_ids: Collection[int]) -> None:
    """Add what the server does not do: the activation, and zeros for ids that no vector has."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    (logits,) = model.graph.output
    used = np.zeros(logits.type.tensor_type.shape.dim[1].dim_value, dtype=np.float32)
    used[[index for index in used_ids if index < len(used)]] = 1
    model.graph.initializer.extend(
        [numpy_helper.from_array(used, "used"), numpy_helper.from_array(np.array(1, dtype=np.float32), "one")]
    )
    value = LOGITS
    for number, (kind, other) in enumerate(_weight_nodes(activation)):
        result = f"weights_{number}"
        model.graph.node.append(helper.make_node(kind, [value, *other], [result], name=result))
        value = result
    model.graph.node.append(helper.make_node("Mul", [value, "used"], [OUTPUT], name=OUTPUT))
    logits.CopyFrom(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["B", len(used)]))


def _weight_nodes(activation: Activation) -> list[tuple[str, list[str]]]:
    log1p: list[tuple[str, list[str]]] = [("Add", ["one"]), ("Log", [])]
    return [("Relu", []), *log1p * (2 if activation is Activation.LOG1P_RELU else 1)]


def _initializer(tensor: onnx.TensorProto, tensors: Mapping[str, StoredTensor]) -> Iterator[bytes]:
    """Yield a model that has one initializer and nothing else, its weights from the file."""
    from onnx import TensorProto

    stored = tensors[tensor.name]
    head = TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims).SerializeToString()
    head += _field(_RAW_DATA, stored.size)
    initializer = _field(_INITIALIZER, len(head) + stored.size)
    yield _field(_GRAPH, len(initializer) + len(head) + stored.size) + initializer + head
    with stored.file.open("rb") as file:
        file.seek(stored.offset)
        for start in range(0, stored.size, BLOCK):
            yield file.read(min(BLOCK, stored.size - start))


def _field(number: int, length: int) -> bytes:
    """Return the head of a protobuf field of `length` bytes."""
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(length)


def _varint(value: int) -> bytes:
    digits = []
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])
