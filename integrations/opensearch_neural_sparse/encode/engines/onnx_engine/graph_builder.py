"""Build the ONNX graph of a document encoder: token ids [B, L] in, the largest logit of every token [B, V] out.

The weights stay where they are: the graph names a byte range of the model's own safetensors file for each, so it is a
few kilobytes, is built in milliseconds, and the embedding matrix that the head shares is there once. Weights in half
precision are widened when the graph is loaded; all computation is in float32.

Padding needs no mask in the pooling: before the head, the hidden state of every padding position is overwritten with
that of the text's first token, whose logits are among those the maximum is taken of anyway.
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
_OPSET, _IR_VERSION, _MICROSOFT = 20, 10, "com.microsoft"
_TANH_GELU = frozenset({"gelu_new", "gelu_pytorch_tanh"})


class GraphBuilder:
    """Collects nodes and weights; every method returns the name of the value it adds."""

    def __init__(self, tensors: Mapping[str, StoredTensor]) -> None:
        self._tensors = tensors
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self._numbers = count()

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        from onnx import helper

        name = self._fresh(kind)
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, domain=domain, **attributes))
        return name

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add a constant; the first of a name counts."""
        from onnx import numpy_helper

        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(array, name)
        return name

    def ints(self, *values: int) -> str:
        """Add a list of int64."""
        import numpy as np

        return self.constant(f"ints_{'_'.join(map(str, values))}", np.array(values, dtype=np.int64))

    def stored(self, name: str) -> str:
        """Refer to a weight in its file, in the precision it has there."""
        from onnx import TensorProto

        if name not in self._initializers:
            tensor = self.place(name)
            kinds = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "BF16": TensorProto.BFLOAT16}
            proto = TensorProto(name=name, data_type=kinds[tensor.dtype], dims=tensor.shape)
            proto.data_location = TensorProto.EXTERNAL
            for key, value in (("location", tensor.file.name), ("offset", tensor.offset), ("length", tensor.size)):
                proto.external_data.add(key=key, value=str(value))
            self._initializers[name] = proto
        return name

    def place(self, name: str) -> StoredTensor:
        """Return where a weight is.

        Raises:
            ModelFilesError: The checkpoint lacks it.
        """
        if name not in self._tensors:
            raise ModelFilesError(f"The checkpoint has no tensor {name!r}, although its config.json calls for it.")
        return self._tensors[name]

    def has(self, name: str) -> bool:
        """Tell whether the checkpoint has a tensor."""
        return name in self._tensors

    def widened(self, value: str, tensor: str) -> str:
        """Cast a value that has a weight's precision to float32."""
        from onnx import TensorProto

        return value if self.place(tensor).dtype == "F32" else self.op("Cast", value, to=TensorProto.FLOAT)

    def weight(self, name: str) -> str:
        """Refer to a weight as float32."""
        return self.widened(self.stored(name), name)

    def linear(self, value: str, weight: str, bias: str | None) -> str:
        """Multiply rows [T, K] by a weight [N, K] transposed, and add a bias [N]."""
        inputs = [value, self.weight(weight)] + ([self.weight(bias)] if bias else [])
        return self.op("Gemm", *inputs, transB=1)

    def activation(self, value: str, name: str) -> str:
        """Apply an activation function of transformers."""
        if name == "relu":
            return self.op("Relu", value)
        return self.op("Gelu", value, approximate="tanh" if name in _TANH_GELU else "none")

    def branch(self, condition: str, then: Callable[[], str], otherwise: Callable[[], str]) -> str:
        """Add what one of two functions draws, by a condition known when the graph runs."""
        return self.op("If", condition, then_branch=self._drawn(then), else_branch=self._drawn(otherwise))

    def loop(self, rounds: str, start: str, body: Callable[[str, str], str]) -> str:
        """Add what `body` draws, `rounds` times: it gets the number of the round and the value so far."""
        from onnx import TensorProto, helper

        number, going, value = map(self._fresh, ("round", "going", "value"))
        inputs = [
            helper.make_tensor_value_info(number, TensorProto.INT64, []),
            helper.make_tensor_value_info(going, TensorProto.BOOL, []),
            helper.make_tensor_value_info(value, TensorProto.FLOAT, None),
        ]
        drawn = self._drawn(lambda: body(number, value), inputs, lambda: self.op("Identity", going))
        return self.op("Loop", rounds, "", start, body=drawn)

    def _drawn(
        self,
        draw: Callable[[], str],
        inputs: Sequence[onnx.ValueInfoProto] = (),
        first: Callable[[], str] | None = None,
    ) -> onnx.GraphProto:
        from onnx import TensorProto, helper

        outer, self._nodes = self._nodes, []
        outputs = [helper.make_tensor_value_info(first(), TensorProto.BOOL, [])] if first else []
        outputs.append(helper.make_tensor_value_info(draw(), TensorProto.FLOAT, None))
        graph = helper.make_graph(self._nodes, self._fresh("part"), list(inputs), outputs)
        self._nodes = outer
        return graph

    def _fresh(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers)}"

    def rename(self, value: str, name: str) -> None:
        """Make a value an output of that name."""
        from onnx import helper

        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))

    def graph(self, vocabulary: int) -> onnx.ModelProto:
        """Return the finished model."""
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "document_encoder",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "L"]) for name in (IDS, MASK)],
            [helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["B", vocabulary])],
            list(self._initializers.values()),
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)


class QuantisedGraphBuilder(GraphBuilder):
    """Multiplies in 8 bits: weights by column, activations as they come."""

    def linear(self, value: str, weight: str, bias: str | None) -> str:
        """Multiply rows [T, K] by a weight [N, K] in 8 bits, and add a bias [N] in float32."""
        matrix, scale = quantise_rows(self.place(weight).read())
        inputs = [
            value,
            self.constant(f"{weight}.int8", matrix.T.copy()),
            self.constant(f"{weight}.scale", scale),
            "",
            *([self.weight(bias)] if bias else []),
        ]
        return self.op("DynamicQuantizeMatMul", *inputs, domain=_MICROSOFT)


def quantise_rows(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return a matrix [N, K] in 8 bits and the scale [N] of each row, so that matrix = int8 * scale."""
    import numpy as np

    largest = np.abs(matrix).max(axis=1)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(matrix / scale[:, None]).astype(np.int8), scale
