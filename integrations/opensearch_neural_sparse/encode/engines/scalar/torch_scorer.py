"""Weights of tokens with PyTorch: a plain transformer and one linear layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.engines.scalar.checkpoint import (
    Head,
    head_name,
    make_head,
    plain_tensors,
    read_head_file,
)
from opensearch_neural_sparse.encode.engines.scalar.network import TokenScores
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError
from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.files.newer_config import check_transformers_reads
from opensearch_neural_sparse.models.files.scalar.pickled import pickled_names

if TYPE_CHECKING:
    import torch

    from opensearch_neural_sparse.encode.engines.batching import TokenBatch
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

CPU_TOKENS, GPU_TOKENS = 1024, 16384
FEATURE = "The torch engine"
_UNUSED = ("pooler.", "embeddings.position_ids")


class TorchScorer:
    """Weigh tokens with a transformer of transformers' own, on CPU or GPU; no code of a model's folder is run.

    Args:
        body: The transformer; it returns `last_hidden_state`.
        head: The linear layer.
        device: Where it runs.

    Attributes:
        batch_tokens: How many tokens at once suit the device.
    """

    def __init__(self, body: Any, head: torch.nn.Linear, device: torch.device) -> None:
        self._body: Any = body
        self._head, self._device = head, device
        self.batch_tokens = CPU_TOKENS if device.type == "cpu" else GPU_TOKENS

    @classmethod
    def load(cls, files: ModelFiles, *, device: str | None = None, dtype: str = "float32") -> Self:
        """Load a model.

        Args:
            files: The model's files, with the document side.
            device: Where it runs, in torch's words; by default a GPU if there is one.
            dtype: Number format of weights and activations, in torch's words.

        Raises:
            MissingDependencyError: torch or transformers is not installed.
            ModelFilesError: The transformer is of an unknown kind, weights are missing or damaged, reading a file
                could run code, or config.json is for a newer transformers.
        """
        try:
            import torch
            import transformers  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError(error.name or "torch", "encode", FEATURE) from error
        own = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        tensors = plain_tensors(_read_weights(files))
        head = read_head_file(files) or make_head(
            files.weights[0],
            {name: _numbers(each) for name, each in tensors.items() if head_name(files) in name},
            head_name(files),
        )
        body = _build_body(files, tensors)
        number_format = getattr(torch, dtype)
        return cls(body.to(own, number_format).eval(), _layer(head).to(own, number_format), own)

    def scores(self, batch: TokenBatch, *, dense: bool = False) -> TokenScores:
        """Return the weights of the tokens of a batch, and the dense vectors of its texts where they are wanted."""
        import torch

        ids = torch.from_numpy(batch.ids).to(self._device)
        mask = torch.from_numpy(batch.mask).to(self._device)
        with torch.inference_mode():
            hidden = self._body(input_ids=ids, attention_mask=mask).last_hidden_state
            weights = self._head(hidden).relu().squeeze(-1).float().cpu().numpy()
            if not dense:
                return TokenScores(weights)
            first = torch.nn.functional.normalize(hidden[:, 0].float(), dim=-1)
            return TokenScores(weights, first.cpu().numpy())

    def close(self) -> None:
        """Release the weights."""
        self._body = None


def _read_weights(files: ModelFiles) -> dict[str, Any]:
    """Read all weights; a pickled file gives its tensors alone, and is refused where it names anything else."""
    tensors: dict[str, Any] = {}
    for path in files.weights:
        tensors |= _read_file(path)
    return tensors


def _read_file(path: Path) -> Mapping[str, Any]:
    import torch
    from safetensors.torch import load_file

    if path.suffix != ".safetensors":
        pickled_names(path)  # refuses what is no table of tensors before torch opens it
    try:
        content: Any = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True, mmap=False)
        )
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # of either library
        reason = str(error).splitlines()[0] if str(error) else ""
        raise ModelFilesError(
            f"{path} cannot be read ({type(error).__name__}: {reason}). Download the model again, or save it in "
            "safetensors format from a source you trust."
        ) from error
    if not isinstance(content, Mapping):
        raise ModelFilesError(f"{path} holds no table of tensors. Download the model again.")
    nested: Mapping[str, Any] = content.get("model_state_dict", content)
    return {name: each for name, each in nested.items() if isinstance(each, torch.Tensor)}


def _build_body(files: ModelFiles, tensors: Mapping[str, Any]) -> Any:
    from transformers import AutoConfig, AutoModel

    folder = files.weights[0].parent
    check_transformers_reads(read_object(folder / "config.json"))
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        body = AutoModel.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
        wanted = body.state_dict()
        missing, _ = body.load_state_dict({name: tensors[name] for name in wanted if name in tensors}, strict=False)
    except MemoryError:
        raise
    except Exception as error:  # of transformers, at a config or tensors that do not fit
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ModelFilesError(
            f"transformers cannot load {files.spec.id!r} from {folder}: {reason} Download or save the model again."
        ) from error
    if lacking := [name for name in missing if not name.startswith(_UNUSED)]:
        raise ModelFilesError(
            f"{files.weights[0]} lacks {len(lacking)} tensors that its config.json requires, such as {lacking[0]!r}. "
            "Download or save the model again."
        )
    return body


def _layer(head: Head) -> torch.nn.Linear:
    import torch

    layer = torch.nn.Linear(len(head.weight), 1)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weight)[None])
        layer.bias.fill_(head.bias)
    return layer.eval()


def _numbers(tensor: Any) -> Any:
    return tensor.float().numpy()
