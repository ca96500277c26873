"""Build an ONNX graph node by node, over weights that stay in the model's safetensors files.

An initializer names a byte range of such a file. So the graph has a few kilobytes and is built in milliseconds, and the
embedding matrix that the head shares is stored once. Weights in half precision are cast to float32 when the graph is
loaded; all computation is in float32.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import ModelFilesError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import StoredTensor

IDS, MASK, LOGITS = "ids", "mask", "logits"
MICROSOFT = "com.microsoft"
TANH_GELU = frozenset({"gelu_new", "gelu_pytorch_tanh"})


class GraphBuilder:
    """Collects the nodes and initializers of a graph; methods that add one return its name."""

    opset, ir_version = 20, 10

    def __init__(self, tensors: Mapping[str, StoredTensor]) -> None:
        self._tensors = tensors
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._numbers = count()

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        from onnx import helper

        name = self._unique(kind)
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add a constant, unless one of that name exists."""
        from onnx import numpy_helper

        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(array, name)
        return name

    def ints(self, *values: int) -> str:
        """Add a constant of int64 values."""
        import numpy as np

        return self.constant(f"ints_{'_'.join(map(str, values))}", np.array(values, dtype=np.int64))

    def stored(self, name: str) -> str:
        """Add a weight by its byte range in the file, in the precision of the file."""
        from onnx import TensorProto

        if name not in self._initializers:
            tensor = self.tensor(name)
            kinds = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "BF16": TensorProto.BFLOAT16}
            proto = TensorProto(name=name, data_type=kinds[tensor.dtype], dims=tensor.shape)
            proto.data_location = TensorProto.EXTERNAL
            for key, value in (("location", tensor.file.name), ("offset", tensor.offset), ("length", tensor.size)):
                proto.external_data.add(key=key, value=str(value))
            self._initializers[name] = proto
        return name

    def tensor(self, name: str) -> StoredTensor:
        """Return the location of a weight.

        Raises:
            ModelFilesError: The checkpoint has no such tensor.
        """
        if name not in self._tensors:
            raise ModelFilesError(
                f"The checkpoint has no tensor {name!r}, but its config.json requires it. Download the model again."
            )
        return self._tensors[name]

    def has(self, name: str) -> bool:
        """Return whether the checkpoint has a tensor."""
        return name in self._tensors

    def to_float32(self, value: str, tensor: str) -> str:
        """Cast a value of a weight's precision to float32."""
        from onnx import TensorProto

        return value if self.tensor(tensor).dtype == "F32" else self.op("Cast", value, to=TensorProto.FLOAT)

    def weight(self, name: str) -> str:
        """Add a weight as float32."""
        return self.to_float32(self.stored(name), name)

    def linear(self, value: str, weight: str, bias: str | None) -> str:
        """Multiply rows [T, K] by a weight [N, K] transposed, and add a bias [N]."""
        inputs = [value, self.weight(weight)] + ([self.weight(bias)] if bias else [])
        return self.op("Gemm", *inputs, transB=1)

    def activation(self, value: str, name: str) -> str:
        """Apply an activation function of transformers."""
        if name == "relu":
            return self.op("Relu", value)
        return self.op("Gelu", value, approximate="tanh" if name in TANH_GELU else "none")

    def rotary(self, value: str, cosines: str, sines: str, *, heads: int) -> str:
        """Turn the pairs of each head of a value [B, L, H] by the angles of its position [P, H / heads / 2]."""
        return self.op("RotaryEmbedding", value, self.ints(0), cosines, sines, domain=MICROSOFT, num_heads=heads)

    def branch(self, condition: str, then: Callable[[], str], otherwise: Callable[[], str]) -> str:
        """Add an `If` node; each function adds the nodes of one branch."""
        return self.op("If", condition, then_branch=self._subgraph(then), else_branch=self._subgraph(otherwise))

    def loop(self, rounds: str, start: str, body: Callable[[str, str], str]) -> str:
        """Add a `Loop` node; `body` takes the number of the round and the value, and returns the next value."""
        from onnx import TensorProto, helper

        number, condition, value = map(self._unique, ("round", "going", "value"))
        inputs = [
            helper.make_tensor_value_info(number, TensorProto.INT64, []),
            helper.make_tensor_value_info(condition, TensorProto.BOOL, []),
            helper.make_tensor_value_info(value, TensorProto.FLOAT, None),
        ]
        subgraph = self._subgraph(lambda: body(number, value), inputs, lambda: self.op("Identity", condition))
        return self.op("Loop", rounds, "", start, body=subgraph)

    def _subgraph(
        self,
        build: Callable[[], str],
        inputs: Sequence[onnx.ValueInfoProto] = (),
        condition: Callable[[], str] | None = None,
    ) -> onnx.GraphProto:
        """Return the nodes that `build` adds as a graph of their own; a loop's graph returns its condition first."""
        from onnx import TensorProto, helper

        outer, self._nodes = self._nodes, []
        outputs = [helper.make_tensor_value_info(condition(), TensorProto.BOOL, [])] if condition else []
        outputs.append(helper.make_tensor_value_info(build(), TensorProto.FLOAT, None))
        graph = helper.make_graph(self._nodes, self._unique("part"), list(inputs), outputs)
        self._nodes = outer
        return graph

    def _unique(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers)}"

    def output(self, value: str, name: str) -> None:
        """Add an output of the graph."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))

    def graph(self, outputs: Mapping[str, Sequence[int | str]]) -> onnx.ModelProto:
        """Return the model of all nodes added so far.

        Args:
            outputs: Name of each output -> its shape.
        """
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "document_encoder",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "L"]) for name in (IDS, MASK)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            list(self._initializers.values()),
        )
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=self.ir_version)


class QuantisedGraphBuilder(GraphBuilder):
    """Builds a graph that multiplies in 8 bits: weights with a scale per column, activations scaled at run time."""

    def linear(self, value: str, weight: str, bias: str | None) -> str:
        """Multiply rows [T, K] by a weight [N, K] in 8 bits, and add a bias [N] in float32."""
        matrix, scale = quantise_rows(self.tensor(weight).read())
        inputs = [
            value,
            self.constant(f"{weight}.int8", matrix.T.copy()),
            self.constant(f"{weight}.scale", scale),
            "",
            *([self.weight(bias)] if bias else []),
        ]
        return self.op("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)


def quantise_rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise a matrix [N, K] to 8 bits with a scale [N] per row, so that matrix = int8 * scale."""
    import numpy as np

    largest = np.abs(matrix).max(axis=1)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(matrix / scale[:, None]).astype(np.int8), scale
