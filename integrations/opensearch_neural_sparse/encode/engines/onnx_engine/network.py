"""Run a document model with ONNX Runtime: exact in float32, without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.engines.extraction import Entries, entries_of
from opensearch_neural_sparse.encode.engines.onnx_engine.architecture import (
    KNOWN,
    graph_tensors,
    read_architecture,
    why_unsupported,
)
from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import StoredTensor, stored_tensors
from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import (
    IDS,
    LOGITS,
    MASK,
    GraphBuilder,
    QuantisedGraphBuilder,
)
from opensearch_neural_sparse.encode.engines.onnx_engine.model_graph import build_document_graph
from opensearch_neural_sparse.encode.engines.onnx_engine.shape import Architecture
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError
from opensearch_neural_sparse.models.spec import Activation, Family, Pooling

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.engines.batching import TokenBatch
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

FEATURE = "The ONNX engine"


class OnnxNetwork:
    """Runs a document encoder as one ONNX graph, pooling included.

    In float32 the vectors equal those of sentence-transformers within 3e-5. In int8, matrices are multiplied in 8 bits.

    Args:
        session: An `onnxruntime.InferenceSession`.
        activation: Activation of what the graph returns.
    """

    batch_tokens = 256  # little padding, and matrices large enough for full speed

    def __init__(self, session: Any, activation: Activation) -> None:
        self._session, self._activation = session, activation

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
        graph = document_graph(files, int8=int8)
        # A sum of activations leaves the graph as it is; activation and maximum change places.
        activation = Activation.PLAIN if files.spec.pooling is Pooling.SUM else Activation(files.spec.activation)
        return cls(open_session(graph, files.weights[0].resolve().parent, threads), activation)

    def entries(self, batch: TokenBatch) -> Entries:
        """Encode a batch and return its positive entries, by row."""
        logits = self._session.run([LOGITS], {IDS: batch.ids, MASK: batch.mask})[0]
        return entries_of(logits, self._activation)

    def close(self) -> None:
        """Release the weights."""
        self._session = None


def runs_on_onnx(files: ModelFiles) -> bool:
    """Return whether the engine supports the architecture and the file format of a model."""
    return onnx_obstacle(files) is None


def onnx_obstacle(files: ModelFiles) -> str | None:
    """Return why the engine does not support a model, in words; None if it does."""
    if files.document is None:
        return "only its query side was resolved"
    if files.spec.family is not Family.SPLADE:
        return f"it is a {files.spec.family} model, which has no masked-language head"
    if not is_safetensors(files.weights):
        return f"its weights are in {files.weights[0].name}"
    return why_unsupported(files.document)


def document_graph(files: ModelFiles, *, int8: bool = False) -> bytes:
    """Build the graph of a document encoder and serialise it.

    Raises:
        MissingDependencyError: onnx is not installed.
        ModelFilesError: The architecture or the file format is not supported, or a file is damaged.
    """
    architecture, tensors = read_transformer(files)
    builder = (QuantisedGraphBuilder if int8 else GraphBuilder)(tensors)
    sum_of = Activation(files.spec.activation) if files.spec.pooling is Pooling.SUM else None
    graph: bytes = build_document_graph(architecture, builder, sum_of).SerializeToString()
    return graph


def read_transformer(files: ModelFiles) -> tuple[Architecture, dict[str, StoredTensor]]:
    """Read the architecture of a document transformer and the locations of its weights, by name.

    Raises:
        MissingDependencyError: onnx is not installed.
        ModelFilesError: The architecture or the file format is not supported, or a file is damaged.
    """
    architecture = read_architecture(files.document) if files.document and not onnx_obstacle(files) else None
    if architecture is None:
        raise ModelFilesError(
            f"The ONNX engine cannot run {files.spec.id!r}: {onnx_obstacle(files)}. It knows {KNOWN} models in "
            "safetensors format. Use engine='torch'."
        )
    ensure_onnx()
    return architecture, graph_tensors(stored_tensors(files.weights), architecture)


def ensure_onnx() -> None:
    """Raise MissingDependencyError if onnx, which builds graphs, is not installed."""
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("onnx", "onnx", FEATURE) from error


def open_session(graph: bytes, folder: Path, threads: int | None = None) -> Any:
    """Load a graph with its weights in files of `folder`.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
        ModelFilesError: The weights do not fit the graph.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError("onnxruntime", "onnx", FEATURE) from error
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # those of onnxruntime have no other base
        raise ModelFilesError(
            f"The weights in {folder} do not fit the model's config.json: {error} Download the model again."
        ) from error


def is_safetensors(weights: Sequence[Path]) -> bool:
    """Return whether weights are in safetensors format, all files of them."""
    return all(path.suffix == ".safetensors" for path in weights)
