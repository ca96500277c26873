"""Run a document model with ONNX Runtime: exact in float32, without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.engines.extraction import Entries, entries_of
from opensearch_neural_sparse.encode.engines.onnx_engine.architecture import read_architecture, unpack
from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import stored_tensors
from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import IDS, LOGITS, MASK
from opensearch_neural_sparse.encode.engines.onnx_engine.model_graph import build_document_graph
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError
from opensearch_neural_sparse.models.spec import Activation

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.engines.batching import TokenBatch
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

FEATURE = "The ONNX engine"


class OnnxNetwork:
    """Runs a document encoder as one ONNX graph, pooling included.

    In float32 the vectors equal those of sentence-transformers within 3e-5. In int8, matrices are multiplied in 8 bits.

    Args:
        session: An `onnxruntime.InferenceSession`.
        activation: Activation of the pooled logits.
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
        return cls(open_session(graph, files.weights[0].resolve().parent, threads), Activation(files.spec.activation))

    def entries(self, batch: TokenBatch) -> Entries:
        """Encode a batch and return its positive entries, by row."""
        logits = self._session.run([LOGITS], {IDS: batch.ids, MASK: batch.mask})[0]
        return entries_of(logits, self._activation)

    def close(self) -> None:
        """Release the weights."""
        self._session = None


def runs_on_onnx(files: ModelFiles) -> bool:
    """Return whether the engine supports the architecture and the file format of a model."""
    return (
        files.document is not None and _is_safetensors(files.weights) and read_architecture(files.document) is not None
    )


def document_graph(files: ModelFiles, *, int8: bool = False) -> bytes:
    """Build the graph of a document encoder and serialise it.

    Raises:
        MissingDependencyError: onnx is not installed.
        ModelFilesError: The architecture or the file format is not supported, or a file is damaged.
    """
    weights = files.weights
    architecture = read_architecture(files.document) if files.document else None
    if architecture is None or not _is_safetensors(weights):
        raise ModelFilesError(
            f"The ONNX engine cannot run {files.spec.id!r} ({files.spec.backbone}, {weights[0].name}). It knows BERT, "
            "DistilBERT and GTE models in safetensors format. Use engine='torch'."
        )
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("onnx", "onnx", FEATURE) from error
    tensors = unpack(stored_tensors(weights), architecture)
    graph: bytes = build_document_graph(architecture, tensors, int8=int8).SerializeToString()
    return graph


def open_session(graph: bytes, folder: Path, threads: int | None = None) -> Any:
    """Load a graph with its weights in files of `folder`.

    Raises:
        MissingDependencyError: onnxruntime is not installed.
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
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _is_safetensors(weights: Sequence[Path]) -> bool:
    return all(path.suffix == ".safetensors" for path in weights)
