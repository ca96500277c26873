"""Read the architecture of a transformer from its config.json, and name its tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import StoredTensor

ACTIVATIONS = frozenset({"gelu", "relu", "gelu_new", "gelu_pytorch_tanh"})


@dataclass(frozen=True, kw_only=True)
class TensorNames:
    """Tensor names of an architecture, without `.weight` and `.bias`; those of a layer without its prefix.

    A part that the architecture lacks is None. `packed` maps a tensor that stacks several others to their names.
    """

    word: str
    position: str | None = None
    token_type: str | None = None
    embeddings_norm: str
    layer: str
    query: str
    key: str
    value: str
    attention_output: str
    attention_norm: str
    gate: str | None = None
    up: str
    down: str
    output_norm: str
    head_dense: str
    head_norm: str
    head_bias: str
    decoder: str
    packed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_BERT = TensorNames(
    word="bert.embeddings.word_embeddings",
    position="bert.embeddings.position_embeddings",
    token_type="bert.embeddings.token_type_embeddings",  # noqa: S106 - a tensor's name
    embeddings_norm="bert.embeddings.LayerNorm",
    layer="bert.encoder.layer.{}.",
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    attention_output="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    up="intermediate.dense",
    down="output.dense",
    output_norm="output.LayerNorm",
    head_dense="cls.predictions.transform.dense",
    head_norm="cls.predictions.transform.LayerNorm",
    head_bias="cls.predictions",
    decoder="cls.predictions.decoder",
)
_DISTILBERT = TensorNames(
    word="distilbert.embeddings.word_embeddings",
    position="distilbert.embeddings.position_embeddings",
    embeddings_norm="distilbert.embeddings.LayerNorm",
    layer="distilbert.transformer.layer.{}.",
    query="attention.q_lin",
    key="attention.k_lin",
    value="attention.v_lin",
    attention_output="attention.out_lin",
    attention_norm="sa_layer_norm",
    up="ffn.lin1",
    down="ffn.lin2",
    output_norm="output_layer_norm",
    head_dense="vocab_transform",
    head_norm="vocab_layer_norm",
    head_bias="vocab_projector",
    decoder="vocab_projector",
)
_GTE = TensorNames(
    word="new.embeddings.word_embeddings",
    token_type="new.embeddings.token_type_embeddings",  # noqa: S106 - a tensor's name
    embeddings_norm="new.embeddings.LayerNorm",
    layer="new.encoder.layer.{}.",
    query="attention.q_proj",
    key="attention.k_proj",
    value="attention.v_proj",
    attention_output="attention.o_proj",
    attention_norm="attn_ln",
    gate="mlp.gate_proj",
    up="mlp.up_proj",
    down="mlp.down_proj",
    output_norm="mlp_ln",
    head_dense="lm_head.dense",
    head_norm="lm_head.norm",
    head_bias="lm_head.decoder",
    decoder="lm_head.decoder",
    packed={
        "attention.qkv_proj": ("attention.q_proj", "attention.k_proj", "attention.v_proj"),
        "mlp.up_gate_proj": ("mlp.up_proj", "mlp.gate_proj"),
    },
)
_TENSOR_NAMES = {"bert": _BERT, "distilbert": _DISTILBERT, "new": _GTE}


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Architecture of a masked language model.

    Attributes:
        names: Names of its tensors.
        layers: Number of layers.
        heads: Number of attention heads.
        hidden: Width of the hidden states.
        epsilon: Epsilon of the layer normalisations.
        activation: Activation of the feed-forward block, by its name in transformers.
        head_activation: Activation of the masked-language head.
        positions: Longest text in tokens.
        rotary: Inverse frequencies of rotary attention, fastest first; empty for learned positions.
    """

    names: TensorNames
    layers: int
    heads: int
    hidden: int
    epsilon: float
    activation: str
    head_activation: str
    positions: int
    rotary: tuple[float, ...] = ()


def read_architecture(folder: Path) -> Architecture | None:
    """Read the architecture from a model's config.json; None if the engine does not support it."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind = config.get("model_type")
    if kind not in _TENSOR_NAMES or not is_plain(config):
        return None
    distilbert = kind == "distilbert"
    activation = config.get("activation" if distilbert else "hidden_act", "gelu")
    if activation not in ACTIVATIONS:
        return None
    return Architecture(
        names=_TENSOR_NAMES[kind],
        layers=config["n_layers" if distilbert else "num_hidden_layers"],
        heads=config["n_heads" if distilbert else "num_attention_heads"],
        hidden=config["dim" if distilbert else "hidden_size"],
        epsilon=1e-12 if distilbert else config.get("layer_norm_eps", 1e-12),
        activation=activation,
        head_activation="gelu" if kind == "new" else activation,
        positions=config.get("max_position_embeddings", 512),
        rotary=rotary_frequencies(config) if kind == "new" else (),
    )


def is_plain(config: Mapping[str, Any]) -> bool:
    """Return whether the graph implements every option that a config sets."""
    return (
        config.get("position_embedding_type", "absolute") in {"absolute", "rope"}
        and not config.get("is_decoder", False)
        and not config.get("logn_attention_scale", False)
        and config.get("layer_norm_type", "layer_norm") == "layer_norm"
        and config.get("pack_qkv", True)
        and config.get("tie_word_embeddings", True)
        and (config.get("rope_scaling") or {}).get("type", "ntk") == "ntk"
        and (config.get("rope_scaling") or {}).get("mixed_b") is None
    )


def rotary_theta(config: Mapping[str, Any]) -> tuple[float, float]:
    """Return base and divisor of the rotary frequencies for a config of model_type `new`.

    With the fixed NTK scaling of https://kexue.fm/archives/9706, which is what those models use, the base is
    multiplied by the factor and every frequency divided by factor^(2 / head width).
    """
    base = float(config.get("rope_theta", 10000.0))
    factor = float((config.get("rope_scaling") or {}).get("factor", 1.0))
    width = config["hidden_size"] // config["num_attention_heads"]
    return base * factor, factor ** (2 / width)


def rotary_frequencies(config: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the inverse rotary frequencies [head width / 2] of a config of model_type `new`."""
    base, divisor = rotary_theta(config)
    width = config["hidden_size"] // config["num_attention_heads"]
    return tuple(1.0 / base ** (index / width) / divisor for index in range(0, width, 2))


def unpack(checkpoint: Mapping[str, StoredTensor], architecture: Architecture) -> dict[str, StoredTensor]:
    """Split the packed tensors of a checkpoint by name; no weight is read."""
    tensors = dict(checkpoint)
    for number in range(architecture.layers):
        prefix = architecture.names.layer.format(number)
        for packed, parts in architecture.names.packed.items():
            for suffix in (".weight", ".bias"):
                whole = tensors.pop(f"{prefix}{packed}{suffix}", None)
                if whole is not None:
                    names = [f"{prefix}{part}{suffix}" for part in parts]
                    tensors.update(zip(names, whole.split(len(parts)), strict=True))
    return tensors
