"""Truncation of long texts: counts and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from opensearch_neural_sparse.errors import TruncationWarning
from opensearch_neural_sparse.telemetry.caller import warn_caller


class Cut(NamedTuple):
    """Truncation of a text.

    Attributes:
        tokens: How many of its tokens are left out.
        limit: How many tokens the model reads.
    """

    tokens: int
    limit: int


Cuts = Mapping[str, Cut]
"""Text -> its truncation."""
_collected: ContextVar[dict[str, Cut] | None] = ContextVar("_collected", default=None)


@contextmanager
def collected_cuts() -> Iterator[Cuts]:
    """Collect the truncations of documents and queries within the block, instead of warnings."""
    cuts: dict[str, Cut] = {}
    token = _collected.set(cuts)
    try:
        yield cuts
    finally:
        _collected.reset(token)


def report_cuts(cuts: Cuts, texts: Sequence[str]) -> None:
    """Pass truncations to the current collector, or warn of them.

    Args:
        cuts: The texts that were cut.
        texts: All that were encoded.
    """
    if (collected := _collected.get()) is not None:
        collected.update(cuts)
    elif cuts:
        count, tokens, limit = _totals(cuts, texts)
        warn_of_cut_texts(f"{count} of {len(texts)} texts have more than {limit} tokens", tokens)


def warn_of_cut_queries(cuts: Cuts, queries: Sequence[str]) -> None:
    """Pass truncations of queries to the current collector, or warn of them, if there are any.

    Args:
        cuts: The queries that were cut.
        queries: All that were encoded.
    """
    if (collected := _collected.get()) is not None:
        collected.update(cuts)
        return
    if not cuts:
        return
    count, tokens, limit = _totals(cuts, queries)
    what = f"The query has {limit + tokens} tokens, more" if count == 1 else f"{count} queries have more tokens"
    message = (
        f"{what} than the {limit} that the model reads; the last {tokens} are not in its vector. Use a shorter query, "
        "or load the query encoder with a larger max_length if the model can take more."
    )
    warn_caller(TruncationWarning(message))


def warn_of_cut_texts(what: str, tokens: int, documents: Mapping[str, int] | None = None) -> None:
    """Warn of truncated texts.

    Args:
        what: How many they are, and how many tokens the model reads.
        tokens: How many tokens were cut off them, in all.
        documents: Ids of the documents, where they are known, and how many tokens were cut off each.
    """
    message = (
        f"{what}; what follows, {tokens} tokens in all, is in no vector. Split long texts into passages, or set "
        "max_length if the model can take more."
    )
    warn_caller(TruncationWarning(message, documents))


def _totals(cuts: Cuts, texts: Sequence[str]) -> tuple[int, int, int]:
    """Return the number of truncated texts, the number of their dropped tokens, and the model's limit."""
    cut = [cuts[text] for text in texts if text in cuts]
    return len(cut), sum(one.tokens for one in cut), cut[0].limit
