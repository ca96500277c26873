"""Batches of texts: by count and size as they are read, and by length within a budget of padded tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Item = TypeVar("Item")


class TokenBatch(NamedTuple):
    """A padded batch of token ids.

    Attributes:
        ids: Token ids, int64 [B, L], shorter texts padded on the right.
        mask: 1 on a text's own tokens, 0 on padding, int64 [B, L].
    """

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


class HeldError(Generic[Item]):
    """Items of a source, with its error held back until those before it are passed on.

    Args:
        source: Read once.
    """

    def __init__(self, source: Iterable[Item]) -> None:
        self._source = source
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[Item]:
        try:
            yield from self._source
        except Exception as error:  # noqa: BLE001  raised by `release`
            self._error = error

    def release(self) -> None:
        """Raise the error of the source, if there was one."""
        if self._error is not None:
            raise self._error


def bounded_batches(
    items: Iterable[Item], size_of: Callable[[Item], int], *, count: int, size: int
) -> Iterator[list[Item]]:
    """Yield items in batches, in their order; an item larger than `size` is a batch of its own.

    An error of the source is raised after a batch of the items before it.

    Args:
        items: Read once, at most one item beyond a batch.
        size_of: Returns the size of an item.
        count: Most items of a batch.
        size: Most that the sizes of a batch's items add up to.
    """
    held, batch, room = HeldError(items), list[Item](), size
    for item in held:
        needed = size_of(item)
        if batch and needed > room:
            yield batch
            batch, room = [], size
        batch.append(item)
        room -= needed
        if len(batch) == count or room <= 0:
            yield batch
            batch, room = [], size
    if batch:
        yield batch
    held.release()


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
