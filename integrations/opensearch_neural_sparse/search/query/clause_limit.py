"""Clause limit of a request, and truncation of longer queries.

The server counts the clauses of the whole request, filters in every leg included, and refuses more than
`indices.query.bool.max_clause_count`, 1,024 by default.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.search.query.query_text import EncodedQuery, QueryText
from opensearch_neural_sparse.search.query.resolved_legs import (
    ResolvedBm25Leg,
    ResolvedDenseLeg,
    ResolvedLeg,
    ResolvedSparseLeg,
    with_text,
    with_vector,
)

MOST_CLAUSES = 1000
"""Maximum number of clauses in a request; the rest is left to the server's own."""
FEWEST_SPARSE_TOKENS = 100
"""Minimum number of tokens of a sparse leg, whatever other clauses there are."""
FEWEST_WORDS = 100
_COMPOUND = ("must", "should", "filter", "must_not", "query", "queries", "positive", "negative")
"""Keys of nested queries."""
_OF_ONE_FIELD = frozenset({"match", "match_bool_prefix"})
_OF_SEVERAL_FIELDS = frozenset({"multi_match", "combined_fields", "query_string", "simple_query_string"})
"""Queries with a clause for each word, or for each word in each field."""
_WORD = re.compile("[\u2e80-\U0010ffff]|[^\\W\u2e80-\U0010ffff]+")
"""A word, or one character of a script that the standard analyzer splits into characters."""
_logger = logging.getLogger(__name__)


def fit_legs(legs: Sequence[ResolvedLeg], clauses: Sequence[Mapping[str, Any]]) -> tuple[ResolvedLeg, ...]:
    """Truncate legs, with a warning, so that one request may hold them with a filter in each.

    Args:
        legs: The legs of one request.
        clauses: The filter clauses that go into every leg.
    """
    spent = len(legs) * count_clauses(clauses) + sum(isinstance(leg, ResolvedDenseLeg) for leg in legs)
    sparse, words = ([leg for leg in legs if isinstance(leg, kind)] for kind in (ResolvedSparseLeg, ResolvedBm25Leg))
    reserved = MOST_CLAUSES - spent - FEWEST_SPARSE_TOKENS * len(sparse)
    longest = max(FEWEST_WORDS, reserved // max(1, len(words)))
    cut = [_shortened(leg, longest) if isinstance(leg, ResolvedBm25Leg) else leg for leg in legs]
    spent += sum(count_words(leg.text) * leg.searched for leg in cut if isinstance(leg, ResolvedBm25Leg))
    queries = [leg.vector for leg in cut if isinstance(leg, ResolvedSparseLeg)]
    spent += sum(query.most_tokens for query in queries if isinstance(query, QueryText))
    limits = iter(share_tokens([count_tokens(query) for query in queries], MOST_CLAUSES - spent))
    return tuple(
        with_vector(leg, limit_query(leg.vector, next(limits))) if isinstance(leg, ResolvedSparseLeg) else leg
        for leg in cut
    )


def limit_query(query: EncodedQuery, limit: int = MOST_CLAUSES) -> EncodedQuery:
    """Return a query with at most `limit` tokens; one that the server encodes stays as it is."""
    return query if isinstance(query, QueryText) else limit_tokens(query, limit)


def count_tokens(query: EncodedQuery) -> int:
    """Return the number of a query's tokens, 0 where the server encodes it."""
    return 0 if isinstance(query, QueryText) else len(query)


def limit_tokens(vector: SparseVector, limit: int = MOST_CLAUSES) -> SparseVector:
    """Return the vector, or its `limit` heaviest tokens with a warning."""
    if len(vector) <= limit:
        return vector
    _logger.warning("The query has %d tokens; the heaviest %d are searched for.", len(vector), limit)
    kept = dict(vector.top(limit))
    return SparseVector.from_trusted(kept, kept.values())


def tokens_left_out(before: Sequence[ResolvedLeg], after: Sequence[ResolvedLeg]) -> int:
    """Return the number of tokens truncated from the sparse legs."""
    counts = [
        sum(count_tokens(leg.vector) for leg in legs if isinstance(leg, ResolvedSparseLeg)) for legs in (before, after)
    ]
    return counts[0] - counts[1]


def words_left_out(before: Sequence[ResolvedLeg], after: Sequence[ResolvedLeg]) -> int:
    """Return the number of words truncated from the BM25 legs."""
    whole, cut = ([leg.text for leg in legs if isinstance(leg, ResolvedBm25Leg)] for legs in (before, after))
    return sum(map(count_cut, whole, cut))


def count_clauses(clauses: Sequence[Mapping[str, Any]]) -> int:
    """Count the clauses of filters as the server does: every leaf query, and every word of a text.

    A word is counted once for each field that is named. How many a pattern of names stands for, and how many words of
    the index a fuzzy one, the server alone knows.
    """
    return sum(map(_leaves, clauses))


def count_words(text: str) -> int:
    """Count the BM25 clauses of a text with the standard analyzer, an upper bound for a language's own."""
    return sum(1 for _ in _WORD.finditer(text))


def count_cut(text: str, limited: str) -> int:
    """Return the number of words truncated from a text; an unchanged text is not read."""
    return 0 if limited == text else count_words(text) - count_words(limited)


def limit_words(text: str, limit: int) -> str:
    """Return the text, or its first `limit` words with a warning."""
    if len(text) <= limit:
        return text
    words = list(_WORD.finditer(text))
    if len(words) <= limit:
        return text
    _logger.warning("The query has %d words; the first %d are searched for by BM25.", len(words), limit)
    return text[: words[limit - 1].end()] if limit else ""


def share_tokens(counts: Sequence[int], available: int) -> list[int]:
    """Return the token limit of each sparse leg: all its tokens, or a fair share of the available clauses."""
    limits = list(counts)
    ascending = sorted(range(len(counts)), key=lambda leg: counts[leg])
    for done, leg in enumerate(ascending):
        share = max(FEWEST_SPARSE_TOKENS, available // (len(counts) - done))
        limits[leg] = min(counts[leg], share)
        available -= limits[leg]
    return limits


def _shortened(leg: ResolvedBm25Leg, clauses: int) -> ResolvedBm25Leg:
    """Return a leg with as many words as there are clauses for, each a clause in every field."""
    return with_text(leg, limit_words(leg.text, max(1, clauses // leg.searched)))


def _leaves(query: object) -> int:
    if not isinstance(query, Mapping):
        return 0
    ((kind, body),) = query.items() if len(query) == 1 else (("", {}),)
    if (words := _words(kind, body)) is not None:
        return max(1, words)
    inner = [part for key in _COMPOUND for part in _parts(body, key)]
    return sum(map(_leaves, inner)) if inner else 1


def _words(kind: str, body: object) -> int | None:
    """Return the number of clauses of a full-text query; None for any other query."""
    if not isinstance(body, Mapping):
        return None
    if kind == "neural_sparse":
        return sum(len(asked.get("query_tokens") or ()) for asked in body.values() if isinstance(asked, Mapping))
    if kind in _OF_ONE_FIELD:
        texts = [asked.get("query") if isinstance(asked, Mapping) else asked for asked in body.values()]
        return sum(count_words(str(text)) for text in texts)
    if kind in _OF_SEVERAL_FIELDS:
        return count_words(str(body.get("query"))) * max(1, len(body.get("fields") or ()))
    return None


def _parts(body: object, key: str) -> list[object]:
    part = body.get(key) if isinstance(body, Mapping) else None
    if isinstance(part, list | tuple):
        return list(part)
    return [part] if isinstance(part, Mapping) else []
