"""Truncated documents of a bulk write."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from opensearch_neural_sparse.encode.truncation import Cuts, warn_of_cut_texts
from opensearch_neural_sparse.error_reasons import first_of

_NAMED = 5
"""Number of ids in the text of a warning; its attribute has all of them."""
_LOGGED = 100
"""Number of ids in a line of a log."""
_logger = logging.getLogger(__name__)


class TruncatedDocuments:
    """Collects the truncated documents of one write for a single warning."""

    def __init__(self) -> None:
        self._by_limit: dict[int, dict[str, int]] = {}

    def note(self, texts: Iterable[tuple[str, str]], cuts: Cuts) -> None:
        """Record truncated documents.

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
        """Warn of the truncated documents, once per model limit."""
        for limit, documents in self._by_limit.items():
            tokens = sum(documents.values())
            logged = first_of(map(repr, documents), _LOGGED)
            _logger.info("Texts cut to %d tokens in %d documents: %s.", limit, len(documents), logged)
            named = first_of(map(repr, documents), _NAMED)
            have = "document has" if len(documents) == 1 else "documents have"
            what = f"{len(documents)} {have} more than {limit} tokens ({named})"
            warn_of_cut_texts(what, tokens, documents)
