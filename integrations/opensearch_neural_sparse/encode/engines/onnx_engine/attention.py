"""Build the attention of a layer: over the whole text, or over a window around each token."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import IDS, MASK, MICROSOFT, GraphBuilder

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.engines.onnx_engine.shape import Architecture, Attention

OUTSIDE = -1e9
"""Added to the scores of keys outside of a token's window."""


class AttentionGraph:
    """Adds attention over queries, keys and values [B, L, H].

    Padding is masked only in batches that have any: without a mask, the scores [heads, L, L] are never materialised.
    No node may be without use: with one, the ONNX Runtime 1.16 of the servers computes padded batches wrongly that
    follow an unpadded one.
    """

    def __init__(self, architecture: Architecture, builder: GraphBuilder) -> None:
        from onnx import TensorProto

        self.shape, self.g = architecture, builder
        if any(kind.window is not None for kind in architecture.attention):
            size = builder.op("Shape", IDS)
            self.batch, self.length = (builder.op("Gather", size, builder.ints(axis)) for axis in (0, 1))
        self.key_mask = builder.op("Cast", MASK, to=TensorProto.INT32)
        self.unpadded = builder.op("Cast", builder.op("ReduceMin", MASK, keepdims=0), to=TensorProto.BOOL)

    def attention(self, kind: Attention, query: str, key: str, value: str) -> str:
        """Add the attention of a layer."""
        if kind.rotary:
            query, key = self._rotated(query, kind.rotary), self._rotated(key, kind.rotary)
        whole = partial(self._whole, query, key, value)
        if kind.window is None:
            return whole()
        short = self.g.op(
            "LessOrEqual", self.g.op("Squeeze", self.length), self.g.op("Squeeze", self.g.ints(kind.window + 1))
        )
        return self.g.branch(short, whole, partial(self._by_blocks, query, key, value, kind.window))

    def _whole(self, query: str, key: str, value: str) -> str:
        return self.g.branch(
            self.unpadded,
            lambda: self._multi_head(query, key, value),
            lambda: self._multi_head(query, key, value, "", self.key_mask),
        )

    def _by_blocks(self, query: str, key: str, value: str, window: int) -> str:
        """Add attention to the tokens at most `window` away, in time and memory linear in the length.

        The text is cut into blocks of the window's width; the queries of a block see the keys of its own and of the
        two beside it.
        """
        width = max(window, 1)
        block = self.g.ints(width)
        rest = self.g.op("Mod", self.g.op("Sub", block, self.g.op("Mod", self.length, block)), block)
        filled = self.g.op("Add", self.length, rest)
        first, axis = self.g.ints(0), self.g.ints(1)
        ends = self.g.op("Concat", block, self.g.op("Add", block, rest), axis=0)

        def with_neighbours(rows: str, shape: str) -> str:
            padded = self.g.op("Pad", rows, ends, "", axis)
            starts = [self.g.ints(number * width) for number in range(3)]
            parts = [self.g.op("Slice", padded, start, self.g.op("Add", start, filled), axis) for start in starts]
            return self.g.op("Concat", *(self.g.op("Reshape", part, shape) for part in parts), axis=1)

        blocks = self.g.ints(-1, width, self.shape.hidden)
        queries = self.g.op("Pad", query, self.g.op("Concat", first, rest, axis=0), "", axis)
        mixed = self._multi_head(
            self.g.op("Reshape", queries, blocks),
            with_neighbours(key, blocks),
            with_neighbours(value, blocks),
            "",
            with_neighbours(self.key_mask, self.g.ints(-1, width)),
            self._window_bias(width, window),
        )
        shape = self.g.op("Concat", self.batch, filled, self.g.ints(self.shape.hidden), axis=0)
        return self.g.op("Slice", self.g.op("Reshape", mixed, shape), first, self.length, axis)

    def _window_bias(self, width: int, window: int) -> str:
        """Add what keeps the keys of three blocks that are further away than the window out: [1, 1, W, 3 W]."""
        import numpy as np

        distance = np.abs(np.arange(3 * width)[None, :] - width - np.arange(width)[:, None])
        bias = np.where(distance <= window, 0.0, OUTSIDE).astype(np.float32)
        return self.g.constant(f"window_{window}", bias[None, None])

    def _multi_head(self, *inputs: str) -> str:
        """Add the fused attention operator of ONNX Runtime."""
        return self.g.op("MultiHeadAttention", *inputs, domain=MICROSOFT, num_heads=self.shape.heads)

    def _rotated(self, value: str, frequencies: tuple[float, ...]) -> str:
        """Add the rotary position embedding of queries or keys."""
        import numpy as np

        kinds = list(dict.fromkeys(kind.rotary for kind in self.shape.attention))
        number = kinds.index(frequencies)
        angles = np.outer(np.arange(self.shape.positions), frequencies)
        cosines = self.g.constant(f"rotary_cosines_{number}", np.cos(angles).astype(np.float32))
        sines = self.g.constant(f"rotary_sines_{number}", np.sin(angles).astype(np.float32))
        return self.g.rotary(value, cosines, sines, heads=self.shape.heads)
