"""ModernBERT: rotary positions, attention to the whole text or a window, gated blocks, normalisation before blocks."""

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

MODERNBERT_NAMES = TensorNames(
    body="model.",
    word="model.embeddings.tok_embeddings",
    embeddings_norm="model.embeddings.norm",
    layer="model.layers.{}.",
    query="attn.query",
    key="attn.key",
    value="attn.value",
    attention_output="attn.Wo",
    attention_norm="attn_norm",
    gate="mlp.gate",
    up="mlp.up",
    down="mlp.Wo",
    output_norm="mlp_norm",
    final_norm="model.final_norm",
    head_dense="head.dense",
    head_norm="head.norm",
    head_bias="decoder",
    decoder="decoder",
    packed={"attn.Wqkv": ("attn.query", "attn.key", "attn.value"), "mlp.Wi": ("mlp.gate", "mlp.up")},
)
FULL, SLIDING = "full_attention", "sliding_attention"
_THETAS = {FULL: ("global_rope_theta", 160000.0), SLIDING: ("local_rope_theta", 10000.0)}
"""Base of the rotary frequencies by kind of layer: its field in configs before transformers 5, and its default."""
_OPTIONS: Options = {
    "hidden_activation": ACTIVATIONS,
    "classifier_activation": ACTIVATIONS,
    "tie_word_embeddings": (True, False),
    "position_embedding_type": ("absolute", "rope"),
    "rope_scaling": ({},),
    "head_dim": (),
    f"rope_parameters.{FULL}.rope_type": ("default",),
    f"rope_parameters.{SLIDING}.rope_type": ("default",),
}


def modernbert_obstacle(config: JsonObject) -> str | None:
    """Return the first option of a config of model_type `modernbert` that has no graph; None if there is none."""
    unknown = sorted({*config.texts("layer_types")} - {FULL, SLIDING})
    if unknown:
        return f"config.json has layer_types {unknown[0]!r}"
    return obstacle(_OPTIONS, config)


def read_modernbert(config: JsonObject) -> Architecture:
    """Read a config of model_type `modernbert`, of transformers 5 or before."""
    kinds = {
        FULL: Attention(rotary=_frequencies(config, FULL)),
        SLIDING: Attention(
            rotary=_frequencies(config, SLIDING), window=config.whole("local_attention", 128, least=1) // 2
        ),
    }
    return Architecture(
        names=MODERNBERT_NAMES,
        attention=tuple(kinds[kind] for kind in _layer_kinds(config)),
        heads=config.whole("num_attention_heads", least=1),
        hidden=config.whole("hidden_size", least=1),
        epsilon=config.number("norm_eps", 1e-5),
        activation=config.text("hidden_activation", "gelu"),
        head_activation=config.text("classifier_activation", "gelu"),
        positions=config.whole("max_position_embeddings", 8192, least=1),
        pre_norm=True,
        norm_bias=config.flag("norm_bias", default=False),
        decoder_bias=config.flag("decoder_bias", default=True),
        tied=config.flag("tie_word_embeddings", default=True),
    )


def _layer_kinds(config: JsonObject) -> list[str]:
    layers = config.whole("num_hidden_layers", least=1)
    kinds = config.texts("layer_types")
    if not kinds:
        period = config.whole("global_attn_every_n_layers", 3, least=1)
        return [SLIDING if number % period else FULL for number in range(layers)]
    if len(kinds) != layers:
        config.refuse("layer_types", f"a list of {layers} texts, one a layer")
    return kinds


def _frequencies(config: JsonObject, kind: str) -> tuple[float, ...]:
    field, default = _THETAS[kind]
    base = config.inner("rope_parameters").inner(kind).number("rope_theta", config.number(field, default))
    width = head_width(config)
    return tuple(1.0 / base ** (index / width) for index in range(0, width, 2))
