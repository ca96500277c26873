"""Extraction of sparse vectors from a batch's logits, in one pass.

Only the non-zero entries are ever touched: activations are computed on them alone, tokens looked up in one array
access. Special tokens, ids without a token and tokens with an empty name are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from opensearch_neural_sparse.encode.sparse_vector import SMALLEST_WEIGHT, SparseVector
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.spec import Activation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Entries(NamedTuple):
    """The positive entries of a batch [B, V], by row, then by column.

    Attributes:
        rows: Row of each entry, int64 [N], ascending.
        columns: Token id of each entry, int64 [N].
        weights: Weight of each entry, float32 [N].
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    weights: NDArray[np.float32]


def activate(logits: NDArray[np.float32], activation: Activation) -> NDArray[np.float32]:
    """Apply the activation to positive logits: log(1 + x), twice for v3 models; `PLAIN` leaves them as they are."""
    import numpy as np

    if activation is Activation.PLAIN:
        return logits
    weights = np.log1p(logits)
    return np.log1p(weights, out=weights) if activation is Activation.LOG1P_RELU else weights


def entries_of(logits: NDArray[np.float32], activation: Activation) -> Entries:
    """Extract the positive entries of pooled logits and apply the activation.

    Args:
        logits: Largest logit of each token over a document, [B, V]; left as it is.
        activation: What the model does to its logits.
    """
    import numpy as np

    flat = np.flatnonzero(~(logits.ravel() < SMALLEST_WEIGHT))  # a NaN stays in, to be found out
    rows, columns = np.divmod(flat, logits.shape[1])
    return Entries(rows, columns, activate(logits.ravel()[flat], activation))


class VectorMaker:
    """Builds sparse vectors from entries, without special tokens.

    Args:
        tokens: The vocabulary: `tokens[id]` is the token of `id`.
        excluded: Ids that never come out: the special tokens.
        max_active_dims: Keep this many of the heaviest tokens of a document; None keeps all.
    """

    def __init__(
        self, tokens: Sequence[str], excluded: Collection[int] = (), *, max_active_dims: int | None = None
    ) -> None:
        import numpy as np

        self.max_active_dims = max_active_dims
        self._tokens = np.array(tokens, dtype=object)
        self._usable = np.array([bool(token) for token in tokens], dtype=bool)
        self._usable[[index for index in excluded if index < len(tokens)]] = False

    def vectors(self, entries: Entries, count: int) -> list[SparseVector]:
        """Return one vector per row, `count` in all, with tokens in id order.

        Raises:
            ModelFilesError: A weight is infinite or not a number.
        """
        import numpy as np

        entries = self._allowed(entries)
        if not np.isfinite(entries.weights).all():
            raise ModelFilesError(
                "The model computed a weight that is not finite: its weights are damaged, or too large for the number "
                "format in use. Encode with dtype='float32', and check the model's files."
            )
        bounds = np.searchsorted(entries.rows, np.arange(count + 1)).tolist()
        return [self._vector(entries, start, stop) for start, stop in pairwise(bounds)]

    def _allowed(self, entries: Entries) -> Entries:
        inside = entries.columns < len(self._usable)
        keep = inside & self._usable[entries.columns * inside]
        return Entries(entries.rows[keep], entries.columns[keep], entries.weights[keep])

    def _vector(self, entries: Entries, start: int, stop: int) -> SparseVector:
        import numpy as np

        columns, weights = entries.columns[start:stop], entries.weights[start:stop]
        if self.max_active_dims is not None and stop - start > self.max_active_dims:
            heaviest = np.sort(np.argsort(-weights, kind="stable")[: self.max_active_dims])
            columns, weights = columns[heaviest], weights[heaviest]
        return SparseVector.from_trusted(self._tokens[columns].tolist(), weights.tolist())
