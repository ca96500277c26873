"""Shape of a transformer: its options, the names of its tensors, and the options of config.json that have no graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.models.files.json_file import JsonObject

ACTIVATIONS = ("gelu", "relu", "gelu_new", "gelu_pytorch_tanh")


@dataclass(frozen=True, kw_only=True)
class TensorNames:
    """Tensor names of an architecture, without `.weight` and `.bias`; those of a layer without its prefix.

    A part that the architecture lacks is None. `packed` maps a tensor that stacks several others to their names.
    `body` is the prefix that the names of a masked language model's body share.
    """

    body: str
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
    final_norm: str | None = None
    head_dense: str
    head_norm: str
    head_bias: str
    decoder: str
    packed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Attention of a layer.

    Attributes:
        rotary: Inverse frequencies of rotary attention, fastest first; empty for learned positions.
        window: Largest distance of a token that another attends to; None is the whole text.
    """

    rotary: tuple[float, ...] = ()
    window: int | None = None


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Architecture of a masked language model.

    Attributes:
        names: Names of its tensors.
        attention: Attention of each layer.
        heads: Number of attention heads.
        hidden: Width of the hidden states.
        epsilon: Epsilon of the layer normalisations.
        activation: Activation of the feed-forward block, by its name in transformers.
        head_activation: Activation of the masked-language head.
        positions: Longest text in tokens.
        padding_id: Token id that has no position, where the first token's position is the number after it; None
            where positions count from 0.
        pre_norm: Whether a layer normalises what goes into its two blocks, rather than their sums.
        norm_bias: Whether layer normalisations have a bias.
        decoder_bias: Whether the projection to the vocabulary has a bias.
        tied: Whether that projection is the embedding matrix, unless the checkpoint has other weights for it.
    """

    names: TensorNames
    attention: tuple[Attention, ...]
    heads: int
    hidden: int
    epsilon: float
    activation: str
    head_activation: str
    positions: int
    padding_id: int | None = None
    pre_norm: bool = False
    norm_bias: bool = True
    decoder_bias: bool = True
    tied: bool = True

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.attention)


Options = Mapping[str, tuple[Any, ...]]
"""Values of a config's field that have a graph; the first is the one of a field that is missing or null."""


def obstacle(options: Options, config: JsonObject) -> str | None:
    """Return the first option of a config that has no graph, in words; None if there is none.

    Args:
        options: Values that have a graph, by field; a dot separates the name of an inner object from its field's.
        config: The config.
    """
    for name, allowed in options.items():
        *outer, last = name.split(".")
        inner = config
        for each in outer:
            inner = inner.inner(each)
        value = inner.content.get(last)
        if value is not None and not any(type(value) is type(each) and value == each for each in allowed):
            return f"config.json has {name} {json.dumps(value)[:60]}"
    return None


def head_width(config: JsonObject) -> int:
    """Return the width of an attention head.

    Raises:
        ModelFilesError: The hidden states do not divide into heads of an even width.
    """
    hidden, heads = config.whole("hidden_size", least=1), config.whole("num_attention_heads", least=1)
    if hidden % heads or (hidden // heads) % 2:
        config.refuse("num_attention_heads", f"a divisor of hidden_size {hidden} that leaves an even width")
    return hidden // heads
