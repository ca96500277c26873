"""Matching tokens of query and document, with their scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from opensearch_neural_sparse.index.documents.feature_weights import stored_weight

_SHOWN_DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class TokenMatch:
    """A token of both query and document.

    Attributes:
        token: The token.
        query_weight: Its weight in the query.
        document_weight: Its weight in the document, as the index keeps it.
        score: Their product: what the token gave to the score.
    """

    token: str
    query_weight: float
    document_weight: float
    score: float


def match_tokens(query: Mapping[str, float], document: Mapping[str, float]) -> tuple[TokenMatch, ...]:
    """Return the tokens of both vectors, highest score first.

    For a sparse search their scores sum to the hit's score.

    Args:
        query: Token -> weight, as it was searched for.
        document: Token -> weight, as `_source` holds it.
    """
    matches = [_match(token, weight, document[token]) for token, weight in query.items() if token in document]
    return tuple(sorted(matches, key=lambda match: (-match.score, match.token)))


def print_matches(matches: Iterable[TokenMatch]) -> str:
    """Format matches as a table, one line each."""
    rows = [
        f"{match.score:10.{_SHOWN_DIGITS}f} = {match.query_weight:8.{_SHOWN_DIGITS}f} "
        f"x {match.document_weight:8.{_SHOWN_DIGITS}f}  {match.token}"
        for match in matches
    ]
    return "\n".join(["     score =    query x document  token", *rows])


def _match(token: str, query_weight: float, document_weight: float) -> TokenMatch:
    stored = stored_weight(document_weight)
    return TokenMatch(token=token, query_weight=query_weight, document_weight=stored, score=query_weight * stored)
