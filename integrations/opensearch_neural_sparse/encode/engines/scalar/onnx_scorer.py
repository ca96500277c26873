"""Weights of tokens with ONNX Runtime: a transformer and one linear layer as one graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.engines.onnx_engine.architecture import (
    KNOWN,
    graph_tensors,
    read_architecture,
)
from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import stored_tensors
from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import (
    IDS,
    LOGITS,
    MASK,
    GraphBuilder,
    QuantisedGraphBuilder,
)
from opensearch_neural_sparse.encode.engines.onnx_engine.model_graph import BodyGraph
from opensearch_neural_sparse.encode.engines.onnx_engine.network import (
    OnnxNetwork,
    ensure_onnx,
    is_safetensors,
    open_session,
)
from opensearch_neural_sparse.encode.engines.scalar.checkpoint import (
    Head,
    head_name,
    make_head,
    plain_tensors,
    read_head_file,
)
from opensearch_neural_sparse.encode.engines.scalar.network import TokenScores
from opensearch_neural_sparse.errors import ModelFilesError

if TYPE_CHECKING:
    import onnx

    from opensearch_neural_sparse.encode.engines.batching import TokenBatch
    from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import StoredTensor
    from opensearch_neural_sparse.encode.engines.onnx_engine.shape import Architecture
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

EPSILON = 1e-12


class OnnxScorer:
    """Weigh tokens on the CPU, without torch.

    Args:
        session: An `onnxruntime.InferenceSession`.
    """

    batch_tokens = OnnxNetwork.batch_tokens

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def load(cls, files: ModelFiles, *, int8: bool = False, threads: int | None = None) -> Self:
        """Build the graph of a model and load it.

        Args:
            files: The model's files, with the document side.
            int8: Multiply in 8 bits.
            threads: Number of threads; by default one for each physical core.

        Raises:
            MissingDependencyError: onnx or onnxruntime is not installed.
            ModelFilesError: The architecture or the file format is not supported, or a file is damaged.
        """
        architecture = _known_architecture(files)
        if architecture is None:
            raise ModelFilesError(
                f"The ONNX engine cannot run {files.spec.id!r} ({files.spec.backbone}, {files.weights[0].name}). It "
                f"knows {KNOWN} models in safetensors format. Use engine='torch'."
            )
        ensure_onnx()
        stored = plain_tensors(stored_tensors(files.weights))
        graph = _ScoreGraph(architecture, _builder(stored, architecture, int8=int8), _head(files, stored)).build()
        return cls(open_session(graph.SerializeToString(), files.weights[0].resolve().parent, threads))

    def scores(self, batch: TokenBatch, *, dense: bool = False) -> TokenScores:
        """Return the weights of the tokens of a batch, and the dense vectors of its texts where they are wanted."""
        import numpy as np

        names = [LOGITS, DENSE] if dense else [LOGITS]
        weights, *first = self._session.run(names, {IDS: batch.ids, MASK: batch.mask})
        if not first:
            return TokenScores(weights)
        lengths = np.linalg.norm(first[0], axis=1, keepdims=True)
        return TokenScores(weights, first[0] / np.maximum(lengths, EPSILON))

    def close(self) -> None:
        """Release the weights."""
        self._session = None


def scores_on_onnx(files: ModelFiles) -> bool:
    """Return whether the engine supports the transformer and the file format of a model."""
    return files.document is not None and _known_architecture(files) is not None


DENSE = "dense"


class _ScoreGraph(BodyGraph):
    """Builds the graph: token ids and mask [B, L] in; the weight of each token [B, L], the first state [B, H] out."""

    def __init__(self, architecture: Architecture, builder: GraphBuilder, head: Head) -> None:
        super().__init__(architecture, builder)
        self._head = head

    def build(self) -> onnx.ModelProto:
        """Build all layers and return the model."""
        import numpy as np

        hidden = self.hidden_states()
        weight = self.g.constant("scalar_head.weight", self._head.weight[None])
        bias = self.g.constant("scalar_head.bias", np.array([self._head.bias], dtype=np.float32))
        scores = self.g.op("Reshape", self.g.op("Gemm", hidden, weight, bias, transB=1), self.size)
        self.g.output(self.g.op("Relu", scores), LOGITS)
        cube = self.g.op("Reshape", hidden, self.cube)
        first = self.g.op("Slice", cube, self.g.ints(0), self.g.ints(1), self.g.ints(1))
        self.g.output(self.g.op("Squeeze", first, self.g.ints(1)), DENSE)
        return self.g.graph({LOGITS: ["B", "L"], DENSE: ["B", self.shape.hidden]})


def _known_architecture(files: ModelFiles) -> Architecture | None:
    if files.document is None or not is_safetensors(files.weights):
        return None
    return read_architecture(files.document)


def _builder(stored: dict[str, StoredTensor], architecture: Architecture, *, int8: bool) -> GraphBuilder:
    return (QuantisedGraphBuilder if int8 else GraphBuilder)(graph_tensors(stored, architecture, prefix=""))


def _head(files: ModelFiles, stored: dict[str, StoredTensor]) -> Head:
    name = head_name(files)
    return read_head_file(files) or make_head(
        files.weights[0], {key: each.read() for key, each in stored.items() if key.startswith(f"{name}.")}, name
    )
