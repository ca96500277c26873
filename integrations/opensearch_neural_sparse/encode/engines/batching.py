"""Batches of texts by length, within a budget of padded tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TokenBatch(NamedTuple):
    """A padded batch of token ids.

    Attributes:
        ids: Token ids, int64 [B, L], shorter texts padded on the right.
        mask: 1 on a text's own tokens, 0 on padding, int64 [B, L].
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


def plan_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the positions of each batch's texts, longest texts first.

    Texts of about the same length share a batch, so that little is padding, and the largest batch comes first, so that
    memory that does not suffice shows at once.

    Args:
        lengths: Number of tokens of each text.
        budget: Most tokens of a batch, padding included. A longer text is a batch of its own.
    """
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


def pad_batch(ids: Sequence[Sequence[int]], pad_id: int) -> TokenBatch:
    """Pad the token ids of texts to [B, L], where L is the longest text's length."""
    import numpy as np

    width = max(map(len, ids))
    padded = np.full((len(ids), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(ids), width), dtype=np.int64)
    for row, text in enumerate(ids):
        padded[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return TokenBatch(padded, mask)
