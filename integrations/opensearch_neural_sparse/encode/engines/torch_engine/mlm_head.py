"""Masked language model head with max pooling, without materialising the logits [B, L, V]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import torch

VOCABULARY_CHUNK = 2048
"""Number of vocabulary columns per step; a step's logits then fit into a processor's cache."""
PROBE_TOLERANCE = 2e-2
"""Tolerance of the split's check, relative to the largest logit: above the error of half precision."""


class PooledHead:
    """A masked language model split before its decoder, the last matrix.

    The decoder runs on real tokens only, a chunk of the vocabulary at a time, and the largest value of each text is
    kept at once. Bias and activation grow with the logit, so they come after the maximum, on [B, V].

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
        if parts is not None and torch.allclose(whole, parts, rtol=0, atol=PROBE_TOLERANCE * float(whole.abs().max())):
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
        lengths = mask.sum(dim=1)
        real = hidden[mask.bool()]
        weight = self.decoder.weight
        pooled = real.new_empty((len(mask), len(weight)))
        for start in range(0, len(weight), VOCABULARY_CHUNK):
            chunk = slice(start, start + VOCABULARY_CHUNK)
            pooled[:, chunk] = largest_by_text(real @ weight[chunk].T, lengths)
        pooled = pooled.float()
        return pooled if self.decoder.bias is None else pooled + self.decoder.bias.float()


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


def _replace(model: Any, module: torch.nn.Module, other: torch.nn.Module) -> None:
    path = next(name for name, own in model.named_modules() if own is module)
    parent, _, leaf = path.rpartition(".")
    setattr(model.get_submodule(parent), leaf, other)


def _probe_length(model: Any) -> int:
    return min(8, getattr(model.config, "max_position_embeddings", 8))
