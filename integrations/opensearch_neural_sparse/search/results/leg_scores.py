"""Score of a document in one leg of a hybrid search."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from opensearch_neural_sparse.search.results.token_matches import TokenMatch


@dataclass(frozen=True, kw_only=True)
class LegScore:
    """Score and rank of a document in one leg of a hybrid search.

    Attributes:
        score: The leg's own score of it.
        rank: Its rank among what the leg found, from 1, before documents were collapsed by the server; None where it
            lies below what was fused and so gave nothing.
        matches: The tokens it shares with the vector of a sparse leg beside the one that `SearchHit.matches` is of;
            None for every other leg.
    """

    score: float
    rank: int | None = None
    matches: tuple[TokenMatch, ...] | None = field(default=None, repr=False)

    def show(self, name: str) -> str:
        """Return the score as a line of text.

        Args:
            name: Name of the leg.
        """
        return f"{name}: {'no rank' if self.rank is None else f'rank {self.rank}'}, score {self.score:.4f}"

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain values, with `matches` if there are any."""
        matches = {} if self.matches is None else {"matches": [*map(asdict, self.matches)]}
        return {"score": self.score, "rank": self.rank, **matches}
