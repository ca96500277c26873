"""Build the ONNX graph of a document encoder: token ids [B, L] in, the largest logit of every token [B, V] out.

Padding needs no mask in the pooling: before the head, the hidden state of every padding position is overwritten with
that of the text's first token, which is part of the maximum anyway.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import (
    IDS,
    LOGITS,
    MASK,
    GraphBuilder,
    QuantisedGraphBuilder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx

    from opensearch_neural_sparse.encode.engines.onnx_engine.architecture import Architecture
    from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import StoredTensor

_MICROSOFT = "com.microsoft"
SEGMENT = 512
"""Positions of a longer text that go through the head at once."""


def build_document_graph(
    architecture: Architecture, tensors: Mapping[str, StoredTensor], *, int8: bool = False
) -> onnx.ModelProto:
    """Build the model: token ids and mask [B, L] in, the largest logit of every token [B, V] out.

    Args:
        architecture: Architecture of the model.
        tensors: Locations of its weights, by name.
        int8: Multiply in 8 bits.
    """
    builder = (QuantisedGraphBuilder if int8 else GraphBuilder)(tensors)
    return _DocumentGraph(architecture, builder).build()


class _DocumentGraph:
    """Builds one graph; hidden states are rows [B * L, H] throughout."""

    def __init__(self, architecture: Architecture, builder: GraphBuilder) -> None:
        from onnx import TensorProto

        self.shape, self.names, self.g = architecture, architecture.names, builder
        self.size = builder.op("Shape", IDS)
        self.cube = builder.op("Concat", self.size, builder.ints(architecture.hidden), axis=0)
        self.rows = builder.ints(-1, architecture.hidden)
        shortest = builder.op("ReduceMin", MASK, keepdims=0)
        self.unpadded = builder.op("Cast", shortest, to=TensorProto.BOOL)

    def build(self) -> onnx.ModelProto:
        """Build all layers and return the model."""
        from onnx import TensorProto

        key_mask = self.g.op("Cast", MASK, to=TensorProto.INT32)
        hidden = self.embeddings()
        for number in range(self.shape.layers):
            hidden = self.layer(hidden, self.names.layer.format(number), key_mask)
        vocabulary = self.g.tensor(f"{self.names.word}.weight").shape[0]
        self.g.output(self.pooled_logits(self.head(self.without_padding(hidden)), vocabulary), LOGITS)
        return self.g.graph(vocabulary)

    def embeddings(self) -> str:
        """Add the embedding layer: the sum of token, position and type embeddings, normalised."""
        word = f"{self.names.word}.weight"
        total = self.g.to_float32(self.g.op("Gather", self.g.stored(word), IDS), word)
        if self.names.token_type and self.g.has(f"{self.names.token_type}.weight"):
            total = self.g.op("Add", total, self.g.op("Gather", self.token_types(), self.g.ints(0)))
        if self.names.position:
            total = self.g.op("Add", total, self.positions())
        return self.norm(self.g.op("Reshape", total, self.rows), self.names.embeddings_norm)

    def token_types(self) -> str:
        """Add the embeddings of token types; a single text has the first type alone."""
        return self.g.weight(f"{self.names.token_type}.weight")

    def positions(self) -> str:
        """Add the position embeddings of the longest text in the batch."""
        table = self.g.weight(f"{self.names.position}.weight")
        length = self.g.op("Gather", self.size, self.g.ints(1))
        return self.g.op("Slice", table, self.g.ints(0), length, self.g.ints(0))

    def layer(self, hidden: str, prefix: str, key_mask: str) -> str:
        """Add a transformer layer."""
        attention = self.linear(self.attention(hidden, prefix, key_mask), prefix + self.names.attention_output)
        hidden = self.norm(self.g.op("Add", hidden, attention), prefix + self.names.attention_norm)
        block = self.linear(self.feed_forward(hidden, prefix), prefix + self.names.down)
        return self.norm(self.g.op("Add", hidden, block), prefix + self.names.output_norm)

    def attention(self, hidden: str, prefix: str, key_mask: str) -> str:
        """Add the attention of a layer, masked only in batches with padding."""
        query, key, value = (
            self.g.op("Reshape", self.linear(hidden, prefix + part), self.cube)
            for part in (self.names.query, self.names.key, self.names.value)
        )
        if self.shape.rotary:
            query, key = self.rotated(query), self.rotated(key)
        mixed = self.g.branch(
            self.unpadded,  # without a mask, the scores [heads, L, L] are never materialised
            lambda: self.multi_head_attention(query, key, value),
            lambda: self.multi_head_attention(query, key, value, "", key_mask),
        )
        return self.g.op("Reshape", mixed, self.rows)

    def multi_head_attention(self, *inputs: str) -> str:
        """Add the fused attention operator of ONNX Runtime."""
        return self.g.op("MultiHeadAttention", *inputs, domain=_MICROSOFT, num_heads=self.shape.heads)

    def rotated(self, value: str) -> str:
        """Add the rotary position embedding of queries or keys."""
        import numpy as np

        angles = np.outer(np.arange(self.shape.positions), self.shape.rotary)
        cosines = self.g.constant("rotary_cosines", np.cos(angles).astype(np.float32))
        sines = self.g.constant("rotary_sines", np.sin(angles).astype(np.float32))
        heads = self.shape.heads
        return self.g.op("RotaryEmbedding", value, self.g.ints(0), cosines, sines, domain=_MICROSOFT, num_heads=heads)

    def feed_forward(self, hidden: str, prefix: str) -> str:
        """Add the first half of the feed-forward block, gated where the model has a gate."""
        wide = self.linear(hidden, prefix + self.names.up)
        if self.names.gate is None:
            return self.g.activation(wide, self.shape.activation)
        gate = self.g.activation(self.linear(hidden, prefix + self.names.gate), self.shape.activation)
        return self.g.op("Mul", gate, wide)

    def without_padding(self, hidden: str) -> str:
        """Fill the padding of hidden states with the text's first token, so that it cannot raise the maximum."""
        from onnx import TensorProto

        cube = self.g.op("Reshape", hidden, self.cube)
        first = self.g.op("Slice", cube, self.g.ints(0), self.g.ints(1), self.g.ints(1))
        own = self.g.op("Unsqueeze", self.g.op("Cast", MASK, to=TensorProto.BOOL), self.g.ints(2))
        return self.g.op("Reshape", self.g.op("Where", own, cube, first), self.rows)

    def head(self, hidden: str) -> str:
        """Add the transform of the masked-language head, before the projection to the vocabulary."""
        dense = self.g.activation(self.linear(hidden, self.names.head_dense), self.shape.head_activation)
        return self.norm(dense, self.names.head_norm)

    def pooled_logits(self, hidden: str, vocabulary: int) -> str:
        """Add max pooling: the largest logit of each token of the vocabulary over a text."""
        cube = self.g.op("Reshape", hidden, self.cube)
        pool = self.max_products if self.shape.positions <= SEGMENT else self.max_products_by_segment
        largest = pool(cube, vocabulary)
        bias = f"{self.names.head_bias}.bias"
        return self.g.op("Add", largest, self.g.weight(bias if self.g.has(bias) else f"{self.names.decoder}.bias"))

    def max_products(self, cube: str, vocabulary: int) -> str:
        """Add the largest product of each token embedding with the hidden states of a text."""
        logits = self.g.linear(self.g.op("Reshape", cube, self.rows), f"{self.names.word}.weight", None)
        size = self.g.op("Slice", self.g.op("Shape", cube), self.g.ints(0), self.g.ints(2))
        shape = self.g.op("Concat", size, self.g.ints(vocabulary), axis=0)
        return self.g.op("ReduceMax", self.g.op("Reshape", logits, shape), self.g.ints(1), keepdims=0)

    def max_products_by_segment(self, cube: str, vocabulary: int) -> str:
        """Add the same maximum as a loop over segments, which bounds the memory of the logits for any length."""
        from onnx import TensorProto, helper

        step, axis = self.g.ints(SEGMENT), self.g.ints(1)
        length = self.g.op("Gather", self.size, axis)
        rounds = self.g.op("Div", self.g.op("Add", length, self.g.ints(SEGMENT - 1)), step)
        lowest = helper.make_tensor("lowest", TensorProto.FLOAT, [1], [-math.inf])
        batch = self.g.op("Gather", self.size, self.g.ints(0))
        initial = self.g.op(
            "ConstantOfShape", self.g.op("Concat", batch, self.g.ints(vocabulary), axis=0), value=lowest
        )

        def next_segment(number: str, largest: str) -> str:
            start = self.g.op("Mul", self.g.op("Unsqueeze", number, self.g.ints(0)), step)
            part = self.g.op("Slice", cube, start, self.g.op("Add", start, step), axis)
            return self.g.op("Max", largest, self.max_products(part, vocabulary))

        return self.g.loop(self.g.op("Squeeze", rounds), initial, next_segment)

    def linear(self, value: str, name: str) -> str:
        """Add a linear layer, with its bias where it has one."""
        bias = f"{name}.bias"
        return self.g.linear(value, f"{name}.weight", bias if self.g.has(bias) else None)

    def norm(self, value: str, name: str) -> str:
        """Add a layer normalisation."""
        scale, bias = self.g.weight(f"{name}.weight"), self.g.weight(f"{name}.bias")
        return self.g.op("LayerNormalization", value, scale, bias, axis=-1, epsilon=self.shape.epsilon)
