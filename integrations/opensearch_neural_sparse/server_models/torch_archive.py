"""Write a document encoder as a TorchScript file that a server runs: token ids in, final weights out."""

from __future__ import annotations

import shutil
import warnings
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.encode.engines.torch_engine.mlm_head import activate
from opensearch_neural_sparse.encode.engines.torch_engine.network import load_sparse_encoder, masked_language_model
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.spec import Activation, Pooling

if TYPE_CHECKING:
    import torch

    from opensearch_neural_sparse.models.files.resolve import ModelFiles

BLOCK = 1 << 20
TRACED_LENGTH, CHECKED_LENGTH = 9, 21
"""Tokens of the traced texts, and of the text that the result is checked with."""
SMALLEST_VOCABULARY = 10
TOLERANCE = 1e-4


def torch_script_file(
    files: ModelFiles, used_ids: Collection[int], *, trust_remote_code: bool = False
) -> Iterator[bytes]:
    """Return a TorchScript file in blocks; the weights are float32.

    Args:
        files: The model's files, with the document side.
        used_ids: Token ids that have weights: those of tokens other than special ones.
        trust_remote_code: Whether to run code that lies in the model's folder.

    Raises:
        MissingDependencyError: torch or sentence-transformers is not installed.
        ModelFilesError: The model needs code that may not be run or that has no pinned revision, or it cannot be
            written as TorchScript.
    """
    encoder = load_sparse_encoder(files, device="cpu", trust_remote_code=trust_remote_code)
    model = masked_language_model(encoder).eval()
    server_model = _server_model(model, Activation(files.spec.activation), Pooling(files.spec.pooling), used_ids)
    with _without_tracer_warnings(), _numbered_from_zero():
        traced = _trace(server_model)
    if not _agree(server_model, traced):
        raise ModelFilesError(
            f"{files.spec.id!r} gives other weights as TorchScript for texts of another length than the one it was "
            "written with. Encode with the encoders of this package, or connect the server to an encoder service."
        )
    return _saved(traced)


def _server_model(model: Any, activation: Activation, pooling: Pooling, used_ids: Collection[int]) -> torch.nn.Module:
    """Return a masked language model with pooling and activation, in the form that a server calls."""
    import torch

    class ServerModel(torch.nn.Module):
        """Sparse encoder that takes and returns dictionaries."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model
            used = torch.zeros(model.config.vocab_size)
            used[[index for index in used_ids if index < len(used)]] = 1
            self.used: torch.Tensor
            self.register_buffer("used", used)

        def forward(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            """Return the weights [B, V] of token ids and mask [B, L]."""
            mask = inputs["attention_mask"]
            logits = self.model(input_ids=inputs["input_ids"], attention_mask=mask).logits
            real = logits * mask.unsqueeze(-1)
            if pooling is Pooling.SUM:
                weights = activate(real.relu(), activation).sum(dim=1)
            else:
                weights = activate(real.amax(dim=1).relu(), activation)
            return {"output": weights * self.used}

    return ServerModel().eval()


@contextmanager
def _without_tracer_warnings() -> Iterator[None]:
    """Hide that TorchScript is deprecated, and that branches are traced as taken: `_agree` checks the result."""
    from torch.jit._trace import TracerWarning

    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, TracerWarning):
            warnings.simplefilter("ignore", category)
        yield


@contextmanager
def _numbered_from_zero() -> Iterator[None]:
    """Number the classes of a traced model from zero, however many models this process has traced before."""
    import torch
    from torch.jit import _recursive, _state

    unit, types = _state._python_cu, _recursive.concrete_type_store  # noqa: SLF001 - there is no public way
    _state._python_cu = torch._C.CompilationUnit()  # noqa: SLF001
    _recursive.concrete_type_store = _recursive.ConcreteTypeStore()
    try:
        yield
    finally:
        _state._python_cu, _recursive.concrete_type_store = unit, types  # noqa: SLF001


def _trace(server_model: torch.nn.Module) -> Any:
    """Trace a model on two texts of unlike length."""
    import torch

    inputs = _inputs(2, TRACED_LENGTH)
    inputs["attention_mask"][1, TRACED_LENGTH // 2 :] = 0
    with torch.inference_mode():
        return torch.jit.trace(  # type: ignore[no-untyped-call]
            server_model, (inputs,), strict=False, check_trace=False
        )


def _agree(server_model: torch.nn.Module, traced: Any) -> bool:
    """Return whether a traced model gives the same weights for a text of another length, alone."""
    import torch

    inputs = _inputs(1, CHECKED_LENGTH)
    with torch.inference_mode():
        return torch.allclose(server_model(inputs)["output"], traced(inputs)["output"], rtol=0, atol=TOLERANCE)


def _inputs(texts: int, length: int) -> dict[str, torch.Tensor]:
    """Return token ids that every vocabulary has, and a mask without padding."""
    import torch

    ids = (torch.arange(texts * length) % SMALLEST_VOCABULARY).reshape(texts, length)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def _saved(traced: Any) -> Iterator[bytes]:
    with TemporaryDirectory(prefix="neural-sparse-") as folder:
        whole, path = Path(folder, "whole.pt"), Path(folder, "model.pt")
        with _without_tracer_warnings():
            traced.save(str(whole))
        _copy_without_debug_files(whole, path)
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block


def _copy_without_debug_files(whole: Path, path: Path) -> None:
    """Copy a TorchScript file without what names the callers and paths of the process that wrote it."""
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            if name.endswith((".debug_pkl", "serialization_id")):
                continue
            info = zipfile.ZipInfo(f"model/{name.partition('/')[2]}")
            with source.open(name) as old, target.open(info, "w", force_zip64=True) as new:
                shutil.copyfileobj(old, new, BLOCK)
