"""Choice and loading of the inference engine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from opensearch_neural_sparse.errors import Choice, MissingDependencyError
from opensearch_neural_sparse.models.files.scalar.families import TRAITS

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.engines.transformer_encoder import Network
    from opensearch_neural_sparse.models.files.resolve import ModelFiles


class Engine(Choice):
    """Inference engine of the transformer.

    `TORCH` runs every model that sentence-transformers can load, on CPU and GPU; `ONNX` runs BERT, DistilBERT, RoBERTa,
    XLM-R, CamemBERT, ModernBERT and GTE models on the CPU, without torch. `AUTO` takes ONNX where it is installed and
    can do what is asked for.
    """

    AUTO = "auto"
    TORCH = "torch"
    ONNX = "onnx"


EngineLike = Engine | Literal["auto", "torch", "onnx"]
"""An `Engine`, or its value as text."""


class Precision(Choice):
    """Number format of inference: `INT8` for the ONNX engine, half precisions for torch.

    `FLOAT32` is exact. `INT8` is about four times as fast and loses some relevance: with the bundled model on
    Cranfield, NDCG@10 falls from .3716 to .3702 and the median cosine of a vector with the exact one is .996; measure
    it with your own model (`python -m benchmarks.precision`). Numbers are scaled by batch, so a vector varies a little
    with the texts beside it.
    """

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"


PrecisionLike = Precision | Literal["float32", "bfloat16", "float16", "int8"]
"""A `Precision`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """Inference options of a model.

    Attributes:
        engine: What runs it.
        dtype: Number format.
        device: Where, in torch's words; None is a GPU for torch if there is one.
        threads: Number of threads of the ONNX engine; None is one for each physical core.
        trust_remote_code: Whether torch may run code that comes with the model.
    """

    engine: Engine = Engine.AUTO
    dtype: Precision = Precision.FLOAT32
    device: str | None = None
    threads: int | None = None
    trust_remote_code: bool = False


def load_network(files: ModelFiles, options: NetworkOptions) -> Network:
    """Load a model's document transformer.

    Raises:
        ModelFilesError: The engine does not know the model, or its files are damaged.
        MissingDependencyError: No engine is installed, or not the one asked for.
        ValueError: The engine has no such device or number format.
    """
    if files.spec.family in TRAITS:
        return _load_scalar_network(files, options)
    if choose_engine(files, options) is Engine.ONNX:
        from opensearch_neural_sparse.encode.engines.onnx_engine.network import OnnxNetwork

        _refuse_for_onnx(options)
        return OnnxNetwork.load(files, int8=options.dtype is Precision.INT8, threads=options.threads)
    from opensearch_neural_sparse.encode.engines.torch_engine.network import TorchNetwork

    _refuse_for_torch(options)
    return TorchNetwork.load(
        files, device=options.device, dtype=options.dtype, trust_remote_code=options.trust_remote_code
    )


def choose_engine(files: ModelFiles, options: NetworkOptions) -> Engine:
    """Return the requested engine, or the best installed one that supports the options.

    Raises:
        MissingDependencyError: `AUTO`, and no engine that could do it is installed.
    """
    if options.engine is not Engine.AUTO:
        return options.engine
    for_onnx = not _onnx_obstacles(options) and _runs_on_onnx(files)
    if for_onnx and _installed("onnx", "onnxruntime"):
        return Engine.ONNX
    if _installed("torch", "sentence_transformers"):
        return Engine.TORCH
    if for_onnx:
        raise MissingDependencyError("onnxruntime", "onnx", "Encoding documents (without the extra 'encode')")
    raise MissingDependencyError("sentence_transformers", "encode", f"Encoding documents with {files.spec.id!r}")


def _load_scalar_network(files: ModelFiles, options: NetworkOptions) -> Network:
    from opensearch_neural_sparse.encode.engines.scalar.network import ScalarNetwork

    if options.trust_remote_code:
        raise ValueError(f"{files.spec.family} models run no code of their folders; leave trust_remote_code out.")
    if choose_engine(files, options) is Engine.ONNX:
        from opensearch_neural_sparse.encode.engines.scalar.onnx_scorer import OnnxScorer

        _refuse_for_onnx(options)
        return ScalarNetwork(OnnxScorer.load(files, int8=options.dtype is Precision.INT8, threads=options.threads))
    from opensearch_neural_sparse.encode.engines.scalar.torch_scorer import TorchScorer

    _refuse_for_torch(options)
    return ScalarNetwork(TorchScorer.load(files, device=options.device, dtype=options.dtype))


def _runs_on_onnx(files: ModelFiles) -> bool:
    if files.spec.family in TRAITS:
        from opensearch_neural_sparse.encode.engines.scalar.onnx_scorer import scores_on_onnx

        return scores_on_onnx(files)
    from opensearch_neural_sparse.encode.engines.onnx_engine.network import runs_on_onnx

    return runs_on_onnx(files)


def _refuse_for_torch(options: NetworkOptions) -> None:
    if options.dtype is Precision.INT8:
        raise ValueError("The torch engine has no dtype 'int8'; use engine='onnx', or dtype 'bfloat16' or 'float16'.")


def _onnx_obstacles(options: NetworkOptions) -> list[str]:
    asked = {
        f"device={options.device!r}": options.device not in (None, "cpu"),
        f"dtype={options.dtype.value!r}": options.dtype not in (Precision.FLOAT32, Precision.INT8),
        "trust_remote_code=True": options.trust_remote_code,
    }
    return [option for option, is_obstacle in asked.items() if is_obstacle]


def _refuse_for_onnx(options: NetworkOptions) -> None:
    if obstacles := _onnx_obstacles(options):
        raise ValueError(f"The ONNX engine has no {', '.join(obstacles)}; use engine='torch'.")


def _installed(*modules: str) -> bool:
    return all(find_spec(module) is not None for module in modules)
