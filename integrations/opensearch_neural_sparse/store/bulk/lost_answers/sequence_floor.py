"""Sequence numbers of documents that were there before a write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.errors import NeuralSparseError


@dataclass(frozen=True)
class SequenceFloor:
    """The highest sequence number of each shard, before a write.

    Attributes:
        shards: Number of the shard -> its highest sequence number.
    """

    shards: Mapping[int, int]

    @classmethod
    def of(cls, response: Any) -> SequenceFloor | None:
        """Read the response of `GET /<index>/_stats?level=shards`; None where it holds no numbers.

        Args:
            response: The response, or the error.
        """
        if not isinstance(response, Mapping):
            return None
        try:
            (index,) = response["indices"].values()
            copies = {int(number): copies for number, copies in index["shards"].items()}
            return cls({number: max(_highest(copy) for copy in those) for number, those in copies.items()})
        except (KeyError, TypeError, ValueError, AttributeError, NeuralSparseError):
            return None

    def is_later(self, seq_no: object, shard: int | None = None) -> bool | None:
        """Return whether a document was written after the floor was read; None where that cannot be known.

        Args:
            seq_no: The document's sequence number.
            shard: The number of its shard, where that is known.
        """
        if not (isinstance(seq_no, int) and self.shards):
            return None
        if shard is not None and shard in self.shards:
            return seq_no > self.shards[shard]
        if seq_no > max(self.shards.values()):
            return True
        return False if seq_no <= min(self.shards.values()) else None


def _highest(copy: Mapping[str, Any]) -> int:
    return int(copy["seq_no"]["max_seq_no"])
