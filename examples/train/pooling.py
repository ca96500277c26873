"""Max pooling whose gradient costs next to nothing: it only flows through the tokens that won.

Of the logits of a text, one for each of its places and each token of the vocabulary, pooling keeps the largest for each
token, and relu keeps those above zero: some hundred of thirty thousand. All others have no part in the gradient. So the
logits are compared without a gradient and thrown away, and those that won are computed once more with one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from opensearch_neural_sparse.encode.engines.torch_engine.mlm_head import VOCABULARY_CHUNK, PooledHead

if TYPE_CHECKING:
    from examples.train.student import Student


class WinnersPooling(torch.nn.Module):
    """Hidden states to document vectors, as decoder, max pooling and log(1 + log(1 + relu)) make them.

    Args:
        decoder: The last matrix of a masked-language model.
    """

    def __init__(self, decoder: torch.nn.Linear) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        hidden, mask = features["token_embeddings"], features["attention_mask"]
        with torch.no_grad():
            logits, places = self._largest(hidden, mask.bool())
            texts, tokens = (logits > 0).nonzero(as_tuple=True)
        winners = hidden[texts, places[texts, tokens]].float()
        weights, bias = self.decoder.weight[tokens], self.decoder.bias[tokens]
        vectors = hidden.new_zeros(logits.shape, dtype=torch.float32)
        values = ((winners * weights).sum(dim=1) + bias).relu().log1p().log1p()
        features["sentence_embedding"] = vectors.index_put((texts, tokens), values)
        return features

    def _largest(self, hidden: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return for each text and token the largest logit and its place, both [B, V]."""
        chunks = zip(
            self.decoder.weight.split(VOCABULARY_CHUNK), self.decoder.bias.split(VOCABULARY_CHUNK), strict=True
        )
        pairs = [
            torch.nn.functional.linear(hidden, weight, bias).masked_fill(~mask[..., None], -torch.inf).max(dim=1)
            for weight, bias in chunks
        ]
        return torch.cat([pair.values for pair in pairs], dim=1), torch.cat([pair.indices for pair in pairs], dim=1)


@contextmanager
def pooling_winners(student: Student) -> Iterator[None]:
    """Let a student's documents be pooled so while it learns; afterwards it is whole again."""
    model, modules = student.transformer.auto_model, student.encoder[0].sub_modules["document"]
    head, pooling = PooledHead.split(model), modules[1]
    if head is None or pooling.activation_function != "log1p_relu":
        raise SystemExit("Only a model whose decoder is one matrix, with log1p_relu over it, can be trained here.")
    modules[1] = WinnersPooling(head.decoder)
    try:
        yield
    finally:
        model.set_output_embeddings(head.decoder)
        modules[1] = pooling
