"""Build the ONNX graph of an encoder: token ids [B, L] in, the pooled logits of every token [B, V] out.

Padding needs no mask in max pooling: before the head, the hidden state of every padding position is overwritten with
that of the text's first token, which is part of the maximum anyway.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.engines.onnx_engine.attention import AttentionGraph
from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import IDS, LOGITS, MASK, GraphBuilder
from opensearch_neural_sparse.models.spec import Activation

if TYPE_CHECKING:
    from collections.abc import Callable

    import onnx

    from opensearch_neural_sparse.encode.engines.onnx_engine.shape import Architecture

SEGMENT = 512
"""Positions of a longer text that go through the head at once."""


def build_document_graph(
    architecture: Architecture, builder: GraphBuilder, sum_of: Activation | None = None
) -> onnx.ModelProto:
    """Build the model: token ids and mask [B, L] in, one number for each token of the vocabulary [B, V] out.

    Args:
        architecture: Architecture of the model.
        builder: Collects the nodes over its weights.
        sum_of: Activation of sum pooling, where the result is the sum of activations; None gives the largest logits.
    """
    hidden = BodyGraph(architecture, builder).hidden_states()
    vocabulary = builder.tensor(f"{architecture.names.word}.weight").shape[0]
    head = _HeadGraph(architecture, builder, vocabulary)
    builder.output(head.largest_logits(hidden) if sum_of is None else head.sums(hidden, sum_of), LOGITS)
    return builder.graph({LOGITS: ["B", vocabulary]})


class _Layers:
    """Adds linear layers and normalisations by the names of their tensors."""

    def __init__(self, architecture: Architecture, builder: GraphBuilder) -> None:
        self.shape, self.names, self.g = architecture, architecture.names, builder
        self.size = builder.op("Shape", IDS)
        self.cube = builder.op("Concat", self.size, builder.ints(architecture.hidden), axis=0)
        self.rows = builder.ints(-1, architecture.hidden)

    def linear(self, value: str, name: str) -> str:
        """Add a linear layer, with its bias where it has one."""
        bias = f"{name}.bias"
        return self.g.linear(value, f"{name}.weight", bias if self.g.has(bias) else None)

    def norm(self, value: str, name: str) -> str:
        """Add a layer normalisation."""
        weights = [self.g.weight(f"{name}.weight")]
        if self.shape.norm_bias:
            weights.append(self.g.weight(f"{name}.bias"))
        return self.g.op("LayerNormalization", value, *weights, axis=-1, epsilon=self.shape.epsilon)


class BodyGraph(_Layers):
    """Builds a model without its head; hidden states are rows [B * L, H] throughout.

    Models of other heads than that of a masked language model are built on it, from tensors that
    `architecture.graph_tensors` renamed.

    Attributes:
        g: The builder.
        size: Name of the shape [2] of the token ids: B and L.
        cube: Name of the shape [3] of hidden states by text: B, L and H.
    """

    def __init__(self, architecture: Architecture, builder: GraphBuilder) -> None:
        super().__init__(architecture, builder)
        self.mix = AttentionGraph(architecture, builder)

    def hidden_states(self) -> str:
        """Add the embeddings and all layers, and return the last hidden states [B * L, H]."""
        hidden = self.embeddings()
        for number in range(self.shape.layers):
            hidden = self.pre_norm_layer(hidden, number) if self.shape.pre_norm else self.layer(hidden, number)
        if self.names.final_norm:
            hidden = self.norm(hidden, self.names.final_norm)
        return hidden

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
        """Add the position embeddings: of the longest text in the batch, or by counting what is no padding."""
        from onnx import TensorProto

        table = self.g.weight(f"{self.names.position}.weight")
        if self.shape.padding_id is None:
            length = self.g.op("Gather", self.size, self.g.ints(1))
            return self.g.op("Slice", table, self.g.ints(0), length, self.g.ints(0))
        padding = self.g.ints(self.shape.padding_id)
        real = self.g.op("Cast", self.g.op("Not", self.g.op("Equal", IDS, padding)), to=TensorProto.INT64)
        counted = self.g.op("Mul", self.g.op("CumSum", real, self.g.ints(1)), real)
        return self.g.op("Gather", table, self.g.op("Add", counted, padding))

    def layer(self, hidden: str, number: int) -> str:
        """Add a transformer layer that normalises the sums of its blocks."""
        prefix = self.names.layer.format(number)
        hidden = self.norm(self.g.op("Add", hidden, self.attention(hidden, number)), prefix + self.names.attention_norm)
        block = self.linear(self.feed_forward(hidden, prefix), prefix + self.names.down)
        return self.norm(self.g.op("Add", hidden, block), prefix + self.names.output_norm)

    def pre_norm_layer(self, hidden: str, number: int) -> str:
        """Add a transformer layer that normalises what goes into its blocks; the embeddings are normal already."""
        prefix = self.names.layer.format(number)
        normal = self.norm(hidden, prefix + self.names.attention_norm) if number else hidden
        hidden = self.g.op("Add", hidden, self.attention(normal, number))
        normal = self.norm(hidden, prefix + self.names.output_norm)
        return self.g.op("Add", hidden, self.linear(self.feed_forward(normal, prefix), prefix + self.names.down))

    def attention(self, hidden: str, number: int) -> str:
        """Add the attention of a layer, with the linear layers before and after it."""
        prefix = self.names.layer.format(number)
        query, key, value = (
            self.g.op("Reshape", self.linear(hidden, prefix + part), self.cube)
            for part in (self.names.query, self.names.key, self.names.value)
        )
        mixed = self.mix.attention(self.shape.attention[number], query, key, value)
        return self.linear(self.g.op("Reshape", mixed, self.rows), prefix + self.names.attention_output)

    def feed_forward(self, hidden: str, prefix: str) -> str:
        """Add the first half of the feed-forward block, gated where the model has a gate."""
        wide = self.linear(hidden, prefix + self.names.up)
        if self.names.gate is None:
            return self.g.activation(wide, self.shape.activation)
        gate = self.g.activation(self.linear(hidden, prefix + self.names.gate), self.shape.activation)
        return self.g.op("Mul", gate, wide)


class _HeadGraph(_Layers):
    """Builds the masked-language head and the pooling over the tokens of a text."""

    def __init__(self, architecture: Architecture, builder: GraphBuilder, vocabulary: int) -> None:
        super().__init__(architecture, builder)
        self.vocabulary = vocabulary

    def largest_logits(self, hidden: str) -> str:
        """Add max pooling: the largest logit of each token of the vocabulary over a text."""
        cube = self.transform(self.without_padding(hidden))
        largest = self.by_segments(cube, "Max", -math.inf, lambda part, _: self.max_products(part))
        return self.g.op("Add", largest, self.g.weight(bias)) if (bias := self.bias()) else largest

    def sums(self, hidden: str, activation: Activation) -> str:
        """Add sum pooling: the sum of each vocabulary token's activations over the tokens of a text."""
        cube = self.transform(hidden)
        return self.by_segments(cube, "Add", 0.0, lambda part, mask: self.activation_sums(part, mask, activation))

    def without_padding(self, hidden: str) -> str:
        """Fill the padding of hidden states with the text's first token, so that it cannot raise the maximum."""
        from onnx import TensorProto

        cube = self.g.op("Reshape", hidden, self.cube)
        first = self.g.op("Slice", cube, self.g.ints(0), self.g.ints(1), self.g.ints(1))
        own = self.g.op("Unsqueeze", self.g.op("Cast", MASK, to=TensorProto.BOOL), self.g.ints(2))
        return self.g.op("Reshape", self.g.op("Where", own, cube, first), self.rows)

    def transform(self, hidden: str) -> str:
        """Add the transform of the head, before the projection to the vocabulary, and return its states [B, L, H]."""
        dense = self.g.activation(self.linear(hidden, self.names.head_dense), self.shape.head_activation)
        return self.g.op("Reshape", self.norm(dense, self.names.head_norm), self.cube)

    def by_segments(self, cube: str, join: str, start: float, pool: Callable[[str, str], str]) -> str:
        """Pool hidden states [B, L, H] and their mask; long ones in a loop, which bounds the memory of the logits."""
        from onnx import TensorProto, helper

        if self.shape.positions <= SEGMENT:
            return pool(cube, MASK)
        step, axis = self.g.ints(SEGMENT), self.g.ints(1)
        length = self.g.op("Gather", self.size, axis)
        rounds = self.g.op("Div", self.g.op("Add", length, self.g.ints(SEGMENT - 1)), step)
        shape = self.g.op(
            "Concat", self.g.op("Gather", self.size, self.g.ints(0)), self.g.ints(self.vocabulary), axis=0
        )
        initial = self.g.op(
            "ConstantOfShape", shape, value=helper.make_tensor("initial", TensorProto.FLOAT, [1], [start])
        )

        def next_segment(number: str, pooled: str) -> str:
            begin = self.g.op("Mul", self.g.op("Unsqueeze", number, self.g.ints(0)), step)
            end = self.g.op("Add", begin, step)
            part, mask = (self.g.op("Slice", whole, begin, end, axis) for whole in (cube, MASK))
            return self.g.op(join, pooled, pool(part, mask))

        return self.g.loop(self.g.op("Squeeze", rounds), initial, next_segment)

    def max_products(self, cube: str) -> str:
        """Add the largest product of each vocabulary token's weights with the hidden states of a text."""
        return self.g.op("ReduceMax", self.logits(cube, None), self.g.ints(1), keepdims=0)

    def activation_sums(self, cube: str, mask: str, activation: Activation) -> str:
        """Add the activations of logits, summed over a text's own tokens by a product with the mask."""
        import numpy as np
        from onnx import TensorProto

        one = self.g.constant("one", np.array(1, np.float32))
        value = self.g.op("Max", self.logits(cube, self.bias()), self.g.constant("zero", np.array(0, np.float32)))
        for _ in range(_LOGARITHMS[activation]):
            value = self.g.op("Log", self.g.op("Add", value, one))
        own = self.g.op("Unsqueeze", self.g.op("Cast", mask, to=TensorProto.FLOAT), self.g.ints(1))
        return self.g.op("Squeeze", self.g.op("MatMul", own, value), self.g.ints(1))

    def logits(self, cube: str, bias: str | None) -> str:
        """Add the projection of hidden states [B, S, H] to the vocabulary [B, S, V]."""
        flat = self.g.linear(self.g.op("Reshape", cube, self.rows), self.projection(), bias)
        size = self.g.op("Slice", self.g.op("Shape", cube), self.g.ints(0), self.g.ints(2))
        return self.g.op("Reshape", flat, self.g.op("Concat", size, self.g.ints(self.vocabulary), axis=0))

    def projection(self) -> str:
        """Return the weights of the projection: the embedding matrix, unless the head has its own."""
        own = f"{self.names.decoder}.weight"
        return own if self.g.has(own) or not self.shape.tied else f"{self.names.word}.weight"

    def bias(self) -> str | None:
        """Return the bias of the projection."""
        names = [f"{self.names.decoder}.bias", f"{self.names.head_bias}.bias"]
        return next(filter(self.g.has, names), names[-1]) if self.shape.decoder_bias else None


_LOGARITHMS = {Activation.PLAIN: 0, Activation.RELU: 1, Activation.LOG1P_RELU: 2}
"""Number of times that log(1 + x) follows relu(x)."""
