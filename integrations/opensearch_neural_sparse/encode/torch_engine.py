"""Run a document model with PyTorch, over the weights that sentence-transformers loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.extract import Entries
from opensearch_neural_sparse.encode.sparse_vector import SMALLEST_WEIGHT
from opensearch_neural_sparse.errors import MissingDependencyError

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.batches import TokenBatch
    from opensearch_neural_sparse.models.files import ModelFiles

CPU_TOKENS, GPU_TOKENS = 2048, 16384
FEATURE = "The torch engine"


class TorchNetwork:
    """A `SparseEncoder`'s document route, from token ids on.

    Args:
        model: A `sentence_transformers.SparseEncoder`, in evaluation mode.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.batch_tokens = CPU_TOKENS if model.device.type == "cpu" else GPU_TOKENS

    @classmethod
    def load(
        cls, files: ModelFiles, *, device: str | None = None, dtype: str = "float32", trust_remote_code: bool = False
    ) -> Self:
        """Load a model.

        Args:
            files: The model's files, with the document side.
            device: Where it runs, in torch's words; by default a GPU if there is one.
            dtype: Number format of weights and activations, in torch's words.
            trust_remote_code: Whether to run code that comes with the model.

        Raises:
            MissingDependencyError: torch or sentence-transformers is not installed.
        """
        try:
            import torch
            from sentence_transformers import SparseEncoder
        except ImportError as error:
            raise MissingDependencyError(error.name or "sentence_transformers", "encode", FEATURE) from error
        model = SparseEncoder(
            str(files.root), device=device, trust_remote_code=trust_remote_code, local_files_only=True
        )
        return cls(model.to(getattr(torch, dtype)).eval())

    def entries(self, batch: TokenBatch) -> Entries:
        """Return the positive entries of a batch, by row."""
        import torch

        device = self.model.device
        features = {
            "input_ids": torch.from_numpy(batch.ids).to(device),
            "attention_mask": torch.from_numpy(batch.mask).to(device),
            "modality": "text",
        }
        with torch.inference_mode():
            weights = self.model(features, task="document")["sentence_embedding"].float()
            rows, columns = (~(weights < SMALLEST_WEIGHT)).nonzero(as_tuple=True)
            return Entries(rows.cpu().numpy(), columns.cpu().numpy(), weights[rows, columns].cpu().numpy())

    def close(self) -> None:
        """Let go of the weights."""
        self.model = None
