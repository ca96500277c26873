"""A GTE model as its authors lay it out, with random weights, and its computation written down in numpy."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HIDDEN, HEADS, LAYERS, INNER = 32, 2, 2, 48
Array = NDArray[np.float64]


def write_gte(folder: Path, *, vocabulary: int, rope_scaling: dict[str, Any] | None, seed: int = 0) -> dict[str, Array]:
    """Replace the transformer in `folder`, and return its weights."""
    from safetensors.numpy import save_file

    weights = random_weights(vocabulary, seed)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(gte_config(vocabulary, rope_scaling)))
    return {name: weight.astype(np.float64) for name, weight in weights.items()}


def gte_config(vocabulary: int, rope_scaling: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "architectures": ["NewForMaskedLM"],
        "auto_map": {
            "AutoConfig": "Alibaba-NLP/new-impl--configuration.NewConfig",
            "AutoModelForMaskedLM": "Alibaba-NLP/new-impl--modeling.NewForMaskedLM",
        },
        "attention_probs_dropout_prob": 0.0,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": HIDDEN,
        "initializer_range": 0.02,
        "intermediate_size": INNER,
        "layer_norm_eps": 1e-12,
        "layer_norm_type": "layer_norm",
        "logn_attention_clip1": False,
        "logn_attention_scale": False,
        "max_position_embeddings": 8192,
        "model_type": "new",
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "pack_qkv": True,
        "pad_token_id": 0,
        "position_embedding_type": "rope",
        "rope_scaling": rope_scaling,
        "rope_theta": 160000,
        "torch_dtype": "float32",
        "type_vocab_size": 0,
        "unpad_inputs": False,
        "use_memory_efficient_attention": False,
        "vocab_size": vocabulary,
    }


def random_weights(vocabulary: int, seed: int) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    weights: dict[str, NDArray[np.float32]] = {}

    def add(name: str, *shape: int, mean: float = 0.0, spread: float = 0.2) -> None:
        weights[name] = random.normal(mean, spread, shape).astype(np.float32)

    def norm(name: str) -> None:
        add(f"{name}.weight", HIDDEN, mean=1.0)
        add(f"{name}.bias", HIDDEN)

    add("new.embeddings.word_embeddings.weight", vocabulary, HIDDEN)
    norm("new.embeddings.LayerNorm")
    for number in range(LAYERS):
        prefix = f"new.encoder.layer.{number}."
        add(f"{prefix}attention.qkv_proj.weight", 3 * HIDDEN, HIDDEN)
        add(f"{prefix}attention.qkv_proj.bias", 3 * HIDDEN)
        add(f"{prefix}attention.o_proj.weight", HIDDEN, HIDDEN)
        add(f"{prefix}attention.o_proj.bias", HIDDEN)
        norm(f"{prefix}attn_ln")
        add(f"{prefix}mlp.up_gate_proj.weight", 2 * INNER, HIDDEN)
        add(f"{prefix}mlp.down_proj.weight", HIDDEN, INNER)
        add(f"{prefix}mlp.down_proj.bias", HIDDEN)
        norm(f"{prefix}mlp_ln")
    add("lm_head.dense.weight", HIDDEN, HIDDEN)
    add("lm_head.dense.bias", HIDDEN)
    norm("lm_head.norm")
    add("lm_head.decoder.bias", vocabulary, mean=-3.0, spread=0.5)
    return weights


def gte_logits(weights: dict[str, Array], ids: Sequence[int], frequencies: Array) -> Array:
    """Return the largest logit of each token over one text, [V]; numpy alone, float64 throughout."""
    norm = partial(layer_norm, weights)
    embeddings = weights["new.embeddings.word_embeddings.weight"]
    hidden = norm(embeddings[list(ids)], "new.embeddings.LayerNorm")
    for number in range(LAYERS):
        prefix = f"new.encoder.layer.{number}."
        attention = linear(weights, self_attention(weights, hidden, prefix, frequencies), f"{prefix}attention.o_proj")
        hidden = norm(hidden + attention, f"{prefix}attn_ln")
        up, gate = np.split(hidden @ weights[f"{prefix}mlp.up_gate_proj.weight"].T, 2, axis=1)
        hidden = norm(hidden + linear(weights, gelu(gate) * up, f"{prefix}mlp.down_proj"), f"{prefix}mlp_ln")
    head = norm(gelu(linear(weights, hidden, "lm_head.dense")), "lm_head.norm")
    return (head @ embeddings.T + weights["lm_head.decoder.bias"]).max(axis=0)


def self_attention(weights: dict[str, Array], hidden: Array, prefix: str, frequencies: Array) -> Array:
    query, key, value = np.split(linear(weights, hidden, f"{prefix}attention.qkv_proj"), 3, axis=1)
    width = HIDDEN // HEADS
    outputs = []
    for head in range(HEADS):
        part = slice(head * width, (head + 1) * width)
        scores = rotate(query[:, part], frequencies) @ rotate(key[:, part], frequencies).T / sqrt(width)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        outputs.append(shares / shares.sum(axis=1, keepdims=True) @ value[:, part])
    return np.concatenate(outputs, axis=1)


def rotate(vectors: Array, frequencies: Array) -> Array:
    """Turn the pair (i, i + width / 2) of every row by row number x frequency i; complex numbers do it."""
    half = vectors.shape[1] // 2
    pairs = vectors[:, :half] + 1j * vectors[:, half:]
    pairs = pairs * np.exp(1j * np.outer(np.arange(len(vectors)), frequencies))
    return np.concatenate([pairs.real, pairs.imag], axis=1)


def ntk_frequencies(theta: float, factor: float) -> Array:
    """Return the inverse frequencies of rotary attention under fixed NTK scaling; a factor of 1 scales nothing."""
    width = HIDDEN // HEADS
    inverse = 1 / (theta * factor) ** (np.arange(0, width, 2) / width)
    return inverse / factor ** (2 / width)


def linear(weights: dict[str, Array], values: Array, name: str) -> Array:
    return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def layer_norm(weights: dict[str, Array], values: Array, name: str) -> Array:
    centred = values - values.mean(axis=1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-12)
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def gelu(values: Array) -> Array:
    return values * 0.5 * (1 + np.vectorize(erf)(values / sqrt(2)))
