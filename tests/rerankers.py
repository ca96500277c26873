"""Rerankers that need no model."""

from __future__ import annotations

from collections.abc import Sequence
from threading import current_thread


class CountingReranker:
    """Scores a text by the number after its last `#`, the higher the better, and remembers what it was asked.

    Attributes:
        calls: Query and texts of each call.
        threads: Names of the threads that it was called in.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, list[str]]] = []
        self.threads: set[str] = set()

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        self.calls.append((query, list(texts)))
        self.threads.add(current_thread().name)
        return [float(text.rpartition("#")[2]) for text in texts]

    @property
    def texts(self) -> list[str]:
        return [text for _, texts in self.calls for text in texts]
