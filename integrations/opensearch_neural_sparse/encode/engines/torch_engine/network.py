"""Inference with PyTorch, on the weights that sentence-transformers loads."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.engines.extraction import Entries
from opensearch_neural_sparse.encode.engines.torch_engine.gte import native_model_folder
from opensearch_neural_sparse.encode.engines.torch_engine.mlm_head import PooledHead
from opensearch_neural_sparse.encode.sparse_vector import SMALLEST_WEIGHT
from opensearch_neural_sparse.errors import MissingDependencyError
from opensearch_neural_sparse.models.spec import Activation

if TYPE_CHECKING:
    import torch

    from opensearch_neural_sparse.encode.engines.batching import TokenBatch
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

logger = logging.getLogger(__name__)

CPU_TOKENS, GPU_TOKENS = 512, 16384
FEATURE = "The torch engine"


class TorchNetwork:
    """Document side of a `SparseEncoder`, from token ids on, on CPU or GPU.

    In float32 it computes what sentence-transformers computes, within 3e-5, but never holds the logits [B, L, V]. A
    model that cannot be split for that runs as sentence-transformers runs it, with a warning.

    Args:
        model: A `sentence_transformers.SparseEncoder`. It is split, so it should belong to this object alone.
        activation: What the model does to its logits.

    Attributes:
        head: The model's split head; None if sentence-transformers' own path is used.
        batch_tokens: How many tokens at once suit the device.
    """

    def __init__(self, model: Any, activation: Activation) -> None:
        self.device = model.device
        self.batch_tokens = CPU_TOKENS if self.device.type == "cpu" else GPU_TOKENS
        self.head = _split(model.eval())
        self._activation = activation
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
            ModelFilesError: The model needs code that may not be run, or that has no pinned revision.
        """
        try:
            import torch
            from sentence_transformers import SparseEncoder
        except ImportError as error:
            raise MissingDependencyError(error.name or "sentence_transformers", "encode", FEATURE) from error
        with native_model_folder(files, trust_remote_code=trust_remote_code) as folder:
            model = SparseEncoder(
                str(folder), device=device, trust_remote_code=trust_remote_code, local_files_only=True
            )
        return cls(model.to(getattr(torch, dtype)), Activation(files.spec.activation))

    def entries(self, batch: TokenBatch) -> Entries:
        """Return the positive entries of a batch, by row."""
        import torch

        ids = torch.from_numpy(batch.ids).to(self.device)
        mask = torch.from_numpy(batch.mask).to(self.device)
        with torch.inference_mode():
            values = self._whole(ids, mask) if self.head is None else self.head.logits(ids, mask)
            rows, columns = (~(values < SMALLEST_WEIGHT)).nonzero(as_tuple=True)  # a NaN stays in, to be found out
            weights = values[rows, columns]
            if self.head is not None:
                weights = weights.log1p().log1p() if self._activation is Activation.LOG1P_RELU else weights.log1p()
            return Entries(rows.cpu().numpy(), columns.cpu().numpy(), weights.cpu().numpy())

    def close(self) -> None:
        """Release the weights."""
        self.head, self._modules = None, ()

    def _whole(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        features: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        for module in self._modules:
            features = module(features)
        weights: torch.Tensor = features["sentence_embedding"].float()
        return weights


def _document_modules(model: Any) -> Sequence[Any]:
    return list(getattr(model[0], "sub_modules", {"document": model})["document"])


def _masked_model(transformer: Any) -> Any:
    return getattr(transformer, "model", None) or transformer.auto_model


def _split(model: Any) -> PooledHead | None:
    modules = _document_modules(model)
    if [type(module).__name__ for module in modules[1:]] != ["SpladePooling"]:
        return None
    return PooledHead.split(_masked_model(modules[0]))
