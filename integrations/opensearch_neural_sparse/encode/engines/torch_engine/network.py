"""Inference with PyTorch, on the weights that sentence-transformers loads."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.engines.extraction import Entries
from opensearch_neural_sparse.encode.engines.torch_engine.gte import native_model_folder
from opensearch_neural_sparse.encode.engines.torch_engine.mlm_head import PooledHead, activate
from opensearch_neural_sparse.encode.sparse_vector import SMALLEST_WEIGHT
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError
from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.files.metadata import check_activations
from opensearch_neural_sparse.models.files.newer_config import check_transformers_reads
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.models.spec import Activation, Pooling

if TYPE_CHECKING:
    import torch

    from opensearch_neural_sparse.encode.engines.batching import TokenBatch
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

logger = logging.getLogger(__name__)

CPU_TOKENS, GPU_TOKENS = 512, 16384
FEATURE = "The torch engine"
_CODE_FILES = ("config.json", "tokenizer_config.json")
"""Files by which transformers finds code of a model."""
_OTHER_FORMATS = ("onnx", "openvino")
"""Folders of a model's copies in other formats, which are not loaded."""


class TorchNetwork:
    """Document side of a `SparseEncoder`, from token ids on, on CPU or GPU.

    In float32 it computes what sentence-transformers computes, within 3e-5, but never holds the logits [B, L, V]. A
    model that cannot be split for that runs as sentence-transformers runs it, with a warning.

    Args:
        model: A `sentence_transformers.SparseEncoder`. It is split, so it should belong to this object alone.
        activation: What the model does to its logits.
        pooling: Pooling over the tokens of a text.

    Attributes:
        head: The model's split head; None if sentence-transformers' own path is used.
        batch_tokens: How many tokens at once suit the device.
    """

    def __init__(self, model: Any, activation: Activation, pooling: Pooling = Pooling.MAX) -> None:
        self.device = model.device
        self.batch_tokens = CPU_TOKENS if self.device.type == "cpu" else GPU_TOKENS
        self.head = _split(model.eval())
        self._activation, self._pooling = activation, pooling
        self._modules: Sequence[Any] = _document_modules(model)
        if self.head is None:
            logger.warning(
                "The head of %s is of a kind that the fast path does not know, so sentence-transformers' own path is "
                "used. It needs more memory: tokens of a batch x size of the vocabulary x 8 bytes.",
                type(_masked_model(self._modules[0])).__name__,
            )

    @classmethod
    def load(
        cls, files: ModelFiles, *, device: str | None = None, dtype: str = "float32", trust_remote_code: bool = False
    ) -> Self:
        """Load a model.

        Args:
            files: The model's files, with the document side.
            device: Where it runs, in torch's words; by default a GPU if there is one.
            dtype: Number format of weights and activations, in torch's words.
            trust_remote_code: Whether to run code that lies in the model's folder.

        Raises:
            MissingDependencyError: torch or sentence-transformers is not installed.
            ModelFilesError: The model needs code that may not be run, or that has no pinned revision; its weights are
                pickled; its config.json is for a newer transformers; or sentence-transformers cannot load it.
        """
        model = load_sparse_encoder(files, device=device, dtype=dtype, trust_remote_code=trust_remote_code)
        return cls(model, Activation(files.spec.activation), Pooling(files.spec.pooling))

    def entries(self, batch: TokenBatch) -> Entries:
        """Return the positive entries of a batch, by row."""
        import torch

        ids = torch.from_numpy(batch.ids).to(self.device)
        mask = torch.from_numpy(batch.mask).to(self.device)
        with torch.inference_mode():
            values, activated = self._values(ids, mask)
            rows, columns = (~(values < SMALLEST_WEIGHT)).nonzero(as_tuple=True)  # a NaN stays in, to be found out
            weights = values[rows, columns] if activated else activate(values[rows, columns], self._activation)
            return Entries(rows.cpu().numpy(), columns.cpu().numpy(), weights.cpu().numpy())

    def close(self) -> None:
        """Release the weights."""
        self.head, self._modules = None, ()

    def _values(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, bool]:
        """Return the pooled values [B, V], and whether they are activated."""
        if self.head is None:
            return self._whole(ids, mask), True
        if self._pooling is Pooling.SUM:
            return self.head.sums(ids, mask, self._activation), True
        return self.head.logits(ids, mask), False

    def _whole(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        features: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        for module in self._modules:
            features = module(features)
        weights: torch.Tensor = features["sentence_embedding"].float()
        return weights


def load_sparse_encoder(
    files: ModelFiles, *, device: str | None = None, dtype: str = "float32", trust_remote_code: bool = False
) -> Any:
    """Load a model as a `sentence_transformers.SparseEncoder`; the arguments are those of `TorchNetwork.load`.

    Of a model with two transformers only the one that the files are of is loaded.

    Raises:
        MissingDependencyError: torch or sentence-transformers is not installed.
        ModelFilesError: The model needs code that may not be run, or that has no pinned revision; its weights are
            pickled; its config.json is for a newer transformers; or sentence-transformers cannot load it.
    """
    try:
        import torch
        from sentence_transformers import SparseEncoder
    except ImportError as error:
        raise MissingDependencyError(error.name or "sentence_transformers", "encode", FEATURE) from error
    if not trust_remote_code:
        _refuse_pickles(files)
        _refuse_mapped_code(files)
    config = read_object(files.weights[0].parent / "config.json")
    check_activations(config)
    check_transformers_reads(config)
    with native_model_folder(files, trust_remote_code=trust_remote_code) as folder:
        try:
            options: dict[str, Any] = {"trust_remote_code": trust_remote_code, "local_files_only": True}
            if files.query_route is None and files.route is Side.DOCUMENT:
                model = SparseEncoder(str(folder), device=device, **options)
            else:
                model = SparseEncoder(modules=_route_modules(files, folder, options), device=device)
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # of any library that reads a part of the folder
            raise ModelFilesError(_unreadable(files, error)) from error
    return model.to(getattr(torch, dtype))


def _route_modules(files: ModelFiles, folder: Path, options: dict[str, Any]) -> list[Any]:
    """Return one transformer of a model's folder, or of a copy of it, and its pooling."""
    from sentence_transformers.sparse_encoder.modules import MLMTransformer, SpladePooling

    transformer = folder / files.weights[0].parent.relative_to(files.root)
    settings: dict[str, Any] = {
        "pooling_strategy": str(files.spec.pooling),
        "activation_function": str(files.spec.activation),
    }
    pooling = SpladePooling(**settings)
    return [MLMTransformer.load(str(transformer), **options), pooling]


def masked_language_model(model: Any) -> Any:
    """Return the masked language model of a `SparseEncoder`, its document side."""
    return _masked_model(_document_modules(model)[0])


def _refuse_pickles(files: ModelFiles) -> None:
    """Raise ModelFilesError for pickled weights, unless they are those of a published model at its pinned commit."""
    pickled = [path.name for path in files.weights if path.suffix != ".safetensors"]
    pinned = files.revision is not None and files.revision == files.spec.revision
    if pickled and not pinned:
        raise ModelFilesError(
            f"The weights of {files.spec.id!r} are pickled ({pickled[0]}), a format that can carry code. Save the "
            "model in safetensors format (SparseEncoder.save_pretrained), or set trust_remote_code=True."
        )


def _refuse_mapped_code(files: ModelFiles) -> None:
    """Raise ModelFilesError where a module beside the transformer maps a class to code.

    For the transformer itself the library is given the refusal; for a static query side it would ask on the terminal.
    """
    transformer = files.weights[0].parent
    for path in sorted(each for name in _CODE_FILES for each in files.root.rglob(name)):
        loaded = path.parent != transformer and path.parent.name not in _OTHER_FORMATS
        if loaded and "auto_map" in read_object(path).content:
            raise ModelFilesError(
                f"{path} maps a class to code in auto_map, which is not run. Remove auto_map from the file, or set "
                "trust_remote_code=True if you have read the code."
            )


def _unreadable(files: ModelFiles, error: Exception) -> str:
    reason = f"{type(error).__name__}: {error}".splitlines()[0]
    return (
        f"sentence-transformers cannot load {files.spec.id!r} from {files.root}: {reason} Download or save the model "
        "again."
    )


def _document_modules(model: Any) -> Sequence[Any]:
    return list(getattr(model[0], "sub_modules", {"document": model})["document"])


def _masked_model(transformer: Any) -> Any:
    return getattr(transformer, "model", None) or transformer.auto_model


def _split(model: Any) -> PooledHead | None:
    modules = _document_modules(model)
    if [type(module).__name__ for module in modules[1:]] != ["SpladePooling"]:
        return None
    return PooledHead.split(_masked_model(modules[0]))
