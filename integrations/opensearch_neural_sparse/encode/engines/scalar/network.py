"""A network that weighs the tokens of a text by one linear layer, with any inference engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from opensearch_neural_sparse.encode.engines.extraction import Entries
from opensearch_neural_sparse.encode.sparse_vector import SMALLEST_WEIGHT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from opensearch_neural_sparse.encode.engines.batching import TokenBatch


class TokenScores(NamedTuple):
    """Weights of the tokens of a batch.

    Attributes:
        weights: relu(linear(hidden state)) of each token, float32 [B, L]; of padding, any number.
        dense: Hidden state of each text's first token, at length 1, float32 [B, H]; None where it was not asked for.
    """

    weights: NDArray[np.float32]
    dense: NDArray[np.float32] | None = None


class TokenScorer(Protocol):
    """Protocol of inference engines that weigh tokens.

    Attributes:
        batch_tokens: How many tokens at once, padding included, suit it.
    """

    batch_tokens: int

    def scores(self, batch: TokenBatch, *, dense: bool = False) -> TokenScores:
        """Return the weights of the tokens of a batch, and the dense vectors of its texts where they are wanted."""

    def close(self) -> None:
        """Release the weights."""


class ScalarNetwork:
    """Largest weight of each token of a text, where it occurs several times.

    Args:
        scorer: What runs the model.

    Attributes:
        scorer: What runs the model.
        batch_tokens: How many tokens at once suit it.
    """

    def __init__(self, scorer: TokenScorer) -> None:
        self.scorer, self.batch_tokens = scorer, scorer.batch_tokens

    def entries(self, batch: TokenBatch) -> Entries:
        """Return the positive weights of a batch, by text, then by token id."""
        return largest_by_token(batch, self.scorer.scores(batch).weights)

    def entries_with_dense(self, batch: TokenBatch) -> tuple[Entries, NDArray[np.float32]]:
        """Return the positive weights of a batch, and its dense vectors of length 1 [B, H], from one forward pass."""
        scores = self.scorer.scores(batch, dense=True)
        if scores.dense is None:
            raise RuntimeError("The engine gave no dense vectors.")
        return largest_by_token(batch, scores.weights), scores.dense

    def sums(self, batch: TokenBatch) -> Entries:
        """Return the sum of the weights of each token over a text, as queries of uniCOIL have it."""
        return summed_by_token(batch, self.scorer.scores(batch).weights)

    def close(self) -> None:
        """Release the weights."""
        self.scorer.close()


def largest_by_token(batch: TokenBatch, weights: NDArray[np.float32]) -> Entries:
    """Return the largest weight of each token id of each text; a weight that is not a number stays one."""
    import numpy as np

    groups, rows, columns, own = _groups(batch, weights)
    largest = np.zeros(len(rows), dtype=np.float32)
    np.maximum.at(largest, groups, own)
    return Entries(rows, columns, largest)


def summed_by_token(batch: TokenBatch, weights: NDArray[np.float32]) -> Entries:
    """Return the sum of the weights of each token id of each text."""
    import numpy as np

    groups, rows, columns, own = _groups(batch, weights)
    sums = np.bincount(groups, weights=own.astype(np.float64), minlength=len(rows))
    return Entries(rows, columns, sums.astype(np.float32))


def _groups(
    batch: TokenBatch, weights: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Group the positive weights by text and token id: group of each, row and id of each group, and the weights."""
    import numpy as np

    rows, places = np.nonzero((batch.mask > 0) & ~(weights < SMALLEST_WEIGHT))  # a NaN stays in, to be found out
    width = int(batch.ids.max(initial=0)) + 1
    keys, groups = np.unique(rows * width + batch.ids[rows, places], return_inverse=True)
    of_rows, of_columns = np.divmod(keys, width)
    return groups.ravel(), of_rows, of_columns, weights[rows, places]
