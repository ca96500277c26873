"""Encoders that need no model: every word is a token, weighted by its hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

from opensearch_neural_sparse import ModelFiles, SparseVector


def word_vector(text: str) -> SparseVector:
    words = dict.fromkeys(re.findall(r"\w+", text.lower()))
    return SparseVector({word: 0.5 + hashlib.sha256(word.encode()).digest()[0] / 64 for word in words})


class WordEncoder:
    """Encodes queries and documents alike, and remembers what it was asked."""

    max_active_dims: int | None = None

    def __init__(self, files: ModelFiles, *, max_length: int = 512) -> None:
        self.files = files
        self.max_length = max_length
        self.calls: list[list[str]] = []
        self.closed = False

    def encode_query(self, text: str) -> SparseVector:
        return word_vector(text)

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        return [word_vector(text) for text in texts]

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        self.calls.append(list(texts))
        return [word_vector(text) for text in texts]

    def close(self) -> None:
        self.closed = True
