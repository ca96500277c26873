"""Two-phase search: heavy query tokens find documents, light ones refine the scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.arguments import check_count, check_number
from opensearch_neural_sparse.encode.pruning import Prune, PruneType, PruneTypeLike
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.short_repr import short_repr

SMALLEST_WINDOW_LIMIT = 50


@dataclass(frozen=True, kw_only=True)
class TwoPhase:
    """Options of two-phase search, with the server's names and defaults.

    The heavy tokens of the query find documents; the light ones are added to the scores of the best of these, the
    window. Within the window scores are exact; a document that only light tokens match is not found.

    Attributes:
        prune_type: Pruning type that selects the heavy tokens.
        prune_ratio: Ratio of the pruning type.
        expansion_rate: Size of the window as a multiple of the hits that are asked for; at least 1.
        max_window_size: Largest window; at least 50, and at most the index's `max_rescore_window`.

    Raises:
        ValueError: A parameter that the server does not take.
    """

    prune_type: PruneTypeLike = PruneType.MAX_RATIO
    prune_ratio: float = 0.4
    expansion_rate: float = 5.0
    max_window_size: int = 10_000

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "prune_type", PruneType(self.prune_type))
        if self.prune_type is PruneType.NONE:
            raise ValueError("Two phases need a rule that splits the query; prune_type 'none' has none.")
        Prune(type=self.prune_type, ratio=self.prune_ratio)
        check_number(1, expansion_rate=self.expansion_rate)
        check_count(SMALLEST_WINDOW_LIMIT, max_window_size=self.max_window_size)

    def split(self, vector: SparseVector) -> tuple[SparseVector, SparseVector]:
        """Split a query vector into heavy and light tokens, as the server does.

        Args:
            vector: Token weights of a query.
        """
        heavy = Prune(type=self.prune_type, ratio=self.prune_ratio)(vector)
        light = {token: weight for token, weight in vector.items() if token not in heavy}
        return heavy, SparseVector.from_trusted(light, light.values())

    def window(self, size: int) -> int:
        """Return the number of hits per shard that the second phase rescores, for `size` hits.

        Args:
            size: Hits that are asked for.

        Raises:
            ValueError: More than `max_window_size`.
        """
        window = int(size * self.expansion_rate)
        if window > self.max_window_size:
            raise ValueError(
                f"{size} hits with expansion_rate {self.expansion_rate} need a window of {window}, above "
                f"max_window_size {self.max_window_size}. Ask for fewer hits, or lower expansion_rate."
            )
        return window

    def pipeline(self) -> dict[str, Any]:
        """Return the inline search pipeline with the server's two-phase processor."""
        parameters = {
            "prune_type": str(self.prune_type),
            "prune_ratio": self.prune_ratio,
            "expansion_rate": self.expansion_rate,
            "max_window_size": self.max_window_size,
        }
        processor = {"enabled": True, "two_phase_parameter": parameters}
        return {"request_processors": [{"neural_sparse_two_phase_processor": processor}]}
