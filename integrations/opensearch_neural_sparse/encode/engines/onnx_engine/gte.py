"""GTE (model_type `new`): rotary positions and gated feed-forward blocks."""

from __future__ import annotations

from opensearch_neural_sparse.encode.engines.onnx_engine.shape import (
    ACTIVATIONS,
    Architecture,
    Attention,
    Options,
    TensorNames,
    head_width,
    obstacle,
)
from opensearch_neural_sparse.models.files.json_file import JsonObject

GTE_NAMES = TensorNames(
    body="new.",
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
_PLAIN: Options = {
    "position_embedding_type": ("rope",),
    "is_decoder": (False,),
    "logn_attention_scale": (False,),
    "layer_norm_type": ("layer_norm",),
    "pack_qkv": (True,),
    "tie_word_embeddings": (True,),
    "rope_scaling.type": ("ntk",),
    "rope_scaling.mixed_b": (),
}
GTE_OPTIONS: Options = {**_PLAIN, "hidden_act": ACTIVATIONS}


def read_gte(config: JsonObject) -> Architecture:
    """Read a config of model_type `new`."""
    rotary = Attention(rotary=rotary_frequencies(config))
    return Architecture(
        names=GTE_NAMES,
        attention=(rotary,) * config.whole("num_hidden_layers", least=1),
        heads=config.whole("num_attention_heads", least=1),
        hidden=config.whole("hidden_size", least=1),
        epsilon=config.number("layer_norm_eps", 1e-12),
        activation=config.text("hidden_act", "gelu"),
        head_activation="gelu",
        positions=config.whole("max_position_embeddings", 512, least=1),
    )


def is_plain(config: JsonObject) -> bool:
    """Return whether a config of model_type `new` has no option but those that transformers' `gte` has, too."""
    return obstacle(_PLAIN, config) is None


def rotary_theta(config: JsonObject) -> tuple[float, float]:
    """Return base and divisor of the rotary frequencies for a config of model_type `new`.

    With the fixed NTK scaling of https://kexue.fm/archives/9706, which is what those models use, the base is
    multiplied by the factor and every frequency divided by factor^(2 / head width).
    """
    base, factor = config.number("rope_theta", 10000.0), config.inner("rope_scaling").number("factor", 1.0)
    width = head_width(config)
    return base * factor, factor ** (2 / width)


def rotary_frequencies(config: JsonObject) -> tuple[float, ...]:
    """Return the inverse rotary frequencies [head width / 2] of a config of model_type `new`."""
    base, divisor = rotary_theta(config)
    width = head_width(config)
    return tuple(1.0 / base ** (index / width) / divisor for index in range(0, width, 2))
