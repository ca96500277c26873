"""The documents of a write whose texts are longer than the model reads."""

from __future__ import annotations

from collections.abc import Iterable

from opensearch_neural_sparse.encode.truncation import Cuts, warn_of_cut_texts
from opensearch_neural_sparse.error_reasons import first_of

_NAMED = 5
"""Ids that are named in a warning; it holds all of them."""


class TruncatedDocuments:
    """Collects the documents of one write that were cut, for one warning of them all."""

    def __init__(self) -> None:
        self._by_limit: dict[int, dict[str, int]] = {}

    def note(self, texts: Iterable[tuple[str, str]], cuts: Cuts) -> None:
        """Note the documents that were cut.

        Args:
            texts: Ids and texts of documents that were encoded.
            cuts: The texts that were cut.
        """
        if not cuts:
            return
        for name, text in texts:
            if (cut := cuts.get(text)) is not None:
                self._by_limit.setdefault(cut.limit, {})[name] = cut.tokens

    def warn(self) -> None:
        """Warn of them; once, or once for each model where models read different numbers of tokens."""
        for limit, documents in self._by_limit.items():
            named = first_of(map(repr, documents), _NAMED)
            have = "document has" if len(documents) == 1 else "documents have"
            what = f"{len(documents)} {have} more than {limit} tokens ({named})"
            warn_of_cut_texts(what, sum(documents.values()), documents)
