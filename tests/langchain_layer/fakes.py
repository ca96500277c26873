"""Encoders without a model, for contract suites."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

from opensearch_neural_sparse import SparseVector
from opensearch_neural_sparse.models.files.resolve import ModelFiles


class SharedVocabularyEncoder:
    """Encode any text as weights of the same sixteen tokens.

    The standard suite searches for `bar` and expects `foo` as well, further down, as a dense index would give: there
    everything is some distance from everything. An inverted index finds documents that share a token with the query,
    and no others. So every text gets all sixteen tokens, weighted by the bytes of its hash and normalised to length 1:
    every document is found by every query, and best by its own text, for no two vectors of length 1 have a greater
    product than a vector with itself.
    """

    max_length = 512
    max_active_dims = None

    def __init__(self, files: ModelFiles) -> None:
        self.files = files

    def encode_query(self, text: str) -> SparseVector:
        weights = [byte + 1 for byte in hashlib.sha256(text.encode()).digest()[:16]]
        length = math.hypot(*weights)
        return SparseVector({f"shared{number}": weight / length for number, weight in enumerate(weights)})

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        return [self.encode_query(text) for text in texts]

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        return self.encode_queries(texts)

    def close(self) -> None:
        """Hold nothing."""
