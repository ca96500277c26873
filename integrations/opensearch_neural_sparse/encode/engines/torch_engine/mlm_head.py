"""Masked language model head with pooling, without materialising the logits [B, L, V]."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.models.spec import Activation

if TYPE_CHECKING:
    import torch

    Pool = Callable[[torch.Tensor, slice, torch.Tensor], torch.Tensor]

VOCABULARY_CHUNK = 2048
"""Number of vocabulary columns per step; a step's logits then fit into a processor's cache."""
PROBE_TOLERANCE, HALF_PROBE_TOLERANCE = 1e-3, 2e-2
"""Tolerance of the split's check, relative to the largest logit: above the error of float32, and of half precision."""


class PooledHead:
    """A masked language model split before its decoder, the last matrix.

    The decoder runs on real tokens only, a chunk of the vocabulary at a time, and each text's values are pooled at
    once. Bias and activation grow with the logit, so they come after a maximum, on [B, V]; a sum comes after them.

    Args:
        body: The model, its decoder taken out: it returns what the decoder would get.
        decoder: The decoder, a `torch.nn.Linear` [V, H].
    """

    def __init__(self, body: Any, decoder: torch.nn.Linear) -> None:
        self.body, self.decoder = body, decoder

    @classmethod
    def split(cls, model: Any) -> Self | None:
        """Split a model; return None and restore it if the parts do not reproduce its logits.

        Args:
            model: A `*ForMaskedLM` of transformers; on success its decoder is gone.
        """
        import torch

        decoder = getattr(model, "get_output_embeddings", lambda: None)()
        if not isinstance(decoder, torch.nn.Linear):
            return None
        ids = torch.arange(decoder.out_features, device=model.device)[None, : _probe_length(model)]
        mask = torch.ones_like(ids)
        gap = torch.nn.Identity()
        with torch.inference_mode():
            whole = model(input_ids=ids, attention_mask=mask).logits.amax(dim=1).float()
            _replace(model, decoder, gap)
            head = cls(model, decoder)
            parts = head.logits_of(model(input_ids=ids, attention_mask=mask).logits, mask)
        tolerance = PROBE_TOLERANCE if decoder.weight.dtype is torch.float32 else HALF_PROBE_TOLERANCE
        if parts is not None and torch.allclose(whole, parts, rtol=0, atol=tolerance * float(whole.abs().max())):
            return head
        _replace(model, gap, decoder)
        return None

    def logits(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the largest logit of every token over each text, float32 [B, V].

        Args:
            ids: Token ids [B, L].
            mask: 1 on the texts' tokens, 0 on padding [B, L].
        """
        logits = self.logits_of(self.body(input_ids=ids, attention_mask=mask).logits, mask)
        if logits is None:
            raise RuntimeError("The width of the model's hidden states changed after the split.")
        return logits

    def logits_of(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor | None:
        """Return the largest logits [B, V] of hidden states [B, L, H]; None if their width does not fit the decoder."""
        if hidden.shape[-1] != self.decoder.in_features:
            return None
        pooled = self._pooled(hidden, mask, lambda values, _, lengths: largest_by_text(values, lengths)).float()
        return pooled if self.decoder.bias is None else pooled + self.decoder.bias.float()

    def sums(self, ids: torch.Tensor, mask: torch.Tensor, activation: Activation) -> torch.Tensor:
        """Return the sum of every token's activations over each text, float32 [B, V].

        Args:
            ids: Token ids [B, L].
            mask: 1 on the texts' tokens, 0 on padding [B, L].
            activation: Activation of the logits.
        """
        bias = self.decoder.bias

        def add(values: torch.Tensor, chunk: slice, lengths: torch.Tensor) -> torch.Tensor:
            logits = values.float() if bias is None else values.float() + bias[chunk].float()
            return sum_by_text(activate(logits.relu_(), activation), lengths)

        return self._pooled(self.body(input_ids=ids, attention_mask=mask).logits, mask, add).float()

    def _pooled(self, hidden: torch.Tensor, mask: torch.Tensor, pool: Pool) -> torch.Tensor:
        """Return the pooled logits [B, V] of hidden states [B, L, H], made of logits without bias."""
        lengths, real, weight = mask.sum(dim=1), hidden[mask.bool()], self.decoder.weight
        starts = range(0, len(weight), VOCABULARY_CHUNK)
        chunks = [slice(start, start + VOCABULARY_CHUNK) for start in starts]
        first, *rest = chunks
        part = pool(real @ weight[first].T, first, lengths)
        pooled = part.new_empty((len(mask), len(weight)))
        pooled[:, first] = part
        for chunk in rest:
            pooled[:, chunk] = pool(real @ weight[chunk].T, chunk, lengths)
        return pooled


def activate(values: torch.Tensor, activation: Activation) -> torch.Tensor:
    """Apply the activation to values that are not negative: log(1 + x), twice for v3 models."""
    return values.log1p().log1p() if activation is Activation.LOG1P_RELU else values.log1p()


def largest_by_text(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the largest value of each column over the rows of each text, [B, C].

    Args:
        values: The rows of all texts, one text after the other, [T, C].
        lengths: How many rows each text has, [B].
    """
    import torch

    if values.is_cuda:  # one kernel; on the CPU, where a call costs little, it is ten times slower than the loop
        return torch.segment_reduce(values, "max", lengths=lengths, axis=0, unsafe=True)
    return torch.stack([text.amax(dim=0) for text in torch.split(values, lengths.tolist())])


def sum_by_text(values: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the sum of each column over the rows of each text, [B, C].

    Args:
        values: The rows of all texts, one text after the other, [T, C].
        lengths: How many rows each text has, [B].
    """
    import torch

    if values.is_cuda:
        return torch.segment_reduce(values, "sum", lengths=lengths, axis=0, unsafe=True)
    return torch.stack([text.sum(dim=0) for text in torch.split(values, lengths.tolist())])


def _replace(model: Any, module: torch.nn.Module, other: torch.nn.Module) -> None:
    path = next(name for name, own in model.named_modules() if own is module)
    parent, _, leaf = path.rpartition(".")
    setattr(model.get_submodule(parent), leaf, other)


def _probe_length(model: Any) -> int:
    return min(8, getattr(model.config, "max_position_embeddings", 8))
