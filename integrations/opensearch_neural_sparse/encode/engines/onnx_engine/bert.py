"""BERT, DistilBERT, RoBERTa, XLM-R and CamemBERT: learned positions, full attention, normalisation after blocks."""

from __future__ import annotations

from dataclasses import replace

from opensearch_neural_sparse.encode.engines.onnx_engine.shape import (
    ACTIVATIONS,
    Architecture,
    Attention,
    Options,
    TensorNames,
)
from opensearch_neural_sparse.models.files.json_file import JsonObject

BERT_NAMES = TensorNames(
    body="bert.",
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
ROBERTA_NAMES = replace(
    BERT_NAMES,
    body="roberta.",
    word="roberta.embeddings.word_embeddings",
    position="roberta.embeddings.position_embeddings",
    token_type="roberta.embeddings.token_type_embeddings",  # noqa: S106 - a tensor's name
    embeddings_norm="roberta.embeddings.LayerNorm",
    layer="roberta.encoder.layer.{}.",
    head_dense="lm_head.dense",
    head_norm="lm_head.layer_norm",
    head_bias="lm_head",
    decoder="lm_head.decoder",
)
DISTILBERT_NAMES = TensorNames(
    body="distilbert.",
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
_OPTIONS: Options = {
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
    "tie_word_embeddings": (True, False),
    "pruned_heads": ({},),
}
BERT_OPTIONS: Options = {**_OPTIONS, "hidden_act": ACTIVATIONS}
DISTILBERT_OPTIONS: Options = {**_OPTIONS, "activation": ACTIVATIONS}


def read_bert(config: JsonObject) -> Architecture:
    """Read a config of model_type `bert`."""
    activation = config.text("hidden_act", "gelu")
    return Architecture(
        names=BERT_NAMES,
        attention=(Attention(),) * config.whole("num_hidden_layers", least=1),
        heads=config.whole("num_attention_heads", least=1),
        hidden=config.whole("hidden_size", least=1),
        epsilon=config.number("layer_norm_eps", 1e-12),
        activation=activation,
        head_activation=activation,
        positions=config.whole("max_position_embeddings", 512, least=1),
        tied=config.flag("tie_word_embeddings", default=True),
    )


def read_roberta(config: JsonObject) -> Architecture:
    """Read a config of model_type `roberta`, `xlm-roberta` or `camembert`.

    The first token has the position after the padding token's id, and the head has an exact GELU.
    """
    padding = config.whole("pad_token_id", 1)
    return replace(
        read_bert(config),
        names=ROBERTA_NAMES,
        head_activation="gelu",
        positions=config.whole("max_position_embeddings", 512, least=padding + 2) - padding - 1,
        padding_id=padding,
    )


def read_distilbert(config: JsonObject) -> Architecture:
    """Read a config of model_type `distilbert`."""
    activation = config.text("activation", "gelu")
    return Architecture(
        names=DISTILBERT_NAMES,
        attention=(Attention(),) * config.whole("n_layers", least=1),
        heads=config.whole("n_heads", least=1),
        hidden=config.whole("dim", least=1),
        epsilon=1e-12,
        activation=activation,
        head_activation=activation,
        positions=config.whole("max_position_embeddings", 512, least=1),
        tied=config.flag("tie_word_embeddings", default=True),
    )
