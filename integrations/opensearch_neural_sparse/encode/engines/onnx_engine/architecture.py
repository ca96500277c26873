"""Read the architecture of a transformer from its config.json, and rename its tensors to those of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from opensearch_neural_sparse.encode.engines.onnx_engine.bert import (
    BERT_OPTIONS,
    DISTILBERT_OPTIONS,
    read_bert,
    read_distilbert,
    read_roberta,
)
from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import StoredTensor
from opensearch_neural_sparse.encode.engines.onnx_engine.gte import GTE_OPTIONS, read_gte
from opensearch_neural_sparse.encode.engines.onnx_engine.modernbert import modernbert_obstacle, read_modernbert
from opensearch_neural_sparse.encode.engines.onnx_engine.shape import Architecture, obstacle
from opensearch_neural_sparse.models.files.json_file import JsonObject, read_object

KNOWN = "BERT, DistilBERT, RoBERTa, XLM-R, CamemBERT, ModernBERT and GTE"
"""Architectures of the engine, for messages."""
_Obstacle = Callable[[JsonObject], str | None]
_READERS: Mapping[str, tuple[_Obstacle, Callable[[JsonObject], Architecture]]] = {
    "bert": (partial(obstacle, BERT_OPTIONS), read_bert),
    "distilbert": (partial(obstacle, DISTILBERT_OPTIONS), read_distilbert),
    "roberta": (partial(obstacle, BERT_OPTIONS), read_roberta),
    "xlm-roberta": (partial(obstacle, BERT_OPTIONS), read_roberta),
    "camembert": (partial(obstacle, BERT_OPTIONS), read_roberta),
    "modernbert": (modernbert_obstacle, read_modernbert),
    "new": (partial(obstacle, GTE_OPTIONS), read_gte),
}
_OLD_NAMES = {".gamma": ".weight", ".beta": ".bias"}
"""Names that TensorFlow gave the weights of layer normalisations, which checkpoints converted from it still have."""


def read_architecture(folder: Path) -> Architecture | None:
    """Read the architecture from a model's config.json; None if the engine does not support it."""
    config = read_object(folder / "config.json")
    if _obstacle(config):
        return None
    _, read = _READERS[config.text("model_type")]
    return read(config)


def why_unsupported(folder: Path) -> str | None:
    """Return why the engine does not support a model's architecture; None if it does."""
    return _obstacle(read_object(folder / "config.json"))


def _obstacle(config: JsonObject) -> str | None:
    kind = config.text("model_type", "")
    if kind not in _READERS:
        return f"config.json has model_type {kind!r}"
    find, _ = _READERS[kind]
    return find(config)


def graph_tensors(
    checkpoint: Mapping[str, StoredTensor], architecture: Architecture, *, prefix: str | None = None
) -> dict[str, StoredTensor]:
    """Rename the tensors of a checkpoint to those of the graph, split packed ones, and leave out a copy of tied ones.

    Args:
        checkpoint: Tensors by name, as the files have them.
        architecture: Architecture of the model.
        prefix: What the names of the body begin with in the checkpoint, such as "" for a body that was saved alone;
            None is the prefix of a masked language model.
    """
    names = architecture.names
    old = names.body if prefix is None else prefix
    tensors = {_new_name(name, old, names.body): tensor for name, tensor in checkpoint.items()}
    _split_packed(tensors, architecture)
    if architecture.tied:
        _tie(tensors, f"{names.word}.weight", f"{names.decoder}.weight")
    return tensors


def _split_packed(tensors: dict[str, StoredTensor], architecture: Architecture) -> None:
    for number in range(architecture.layers):
        layer = architecture.names.layer.format(number)
        for packed, parts in architecture.names.packed.items():
            for suffix in (".weight", ".bias"):
                whole = tensors.pop(f"{layer}{packed}{suffix}", None)
                if whole is not None:
                    split = [f"{layer}{part}{suffix}" for part in parts]
                    tensors.update(zip(split, whole.split(len(parts)), strict=True))


def _tie(tensors: dict[str, StoredTensor], word: str, decoder: str) -> None:
    """Keep one of two tied tensors; both only where they differ, when transformers does not tie them either."""
    if decoder in tensors and (word not in tensors or tensors[word].equals(tensors[decoder])):
        copy = tensors.pop(decoder)
        tensors.setdefault(word, copy)


def _new_name(name: str, old_prefix: str, prefix: str) -> str:
    if name.startswith(old_prefix):
        name = prefix + name.removeprefix(old_prefix)
    for old, new in _OLD_NAMES.items():
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name
