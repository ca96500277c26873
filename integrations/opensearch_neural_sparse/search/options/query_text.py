"""Validation of queries: texts, token weights and options."""

from __future__ import annotations

from collections.abc import Mapping

from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.index.documents.lone_surrogates import lone_surrogate


def check_language(language: str | None) -> None:
    """Raise TypeError for the language of a query that is no text."""
    if language is not None and not (isinstance(language, str) and language):
        raise TypeError(
            f"language is the name of one of the index's languages, such as 'de', got {shown_value(language)}."
        )


def check_query(query: object) -> None:
    """Raise TypeError unless a query is a text or token weights."""
    if not isinstance(query, str | Mapping):
        raise TypeError(f"A query is one text, or a mapping of token to weight, got {type(query).__name__}.")


def check_query_text(text: object) -> str:
    """Validate the text of a BM25 query.

    Raises:
        TypeError: No text.
        ValueError: Half of a surrogate pair in it, which JSON does not have.
    """
    if not isinstance(text, str):
        raise TypeError(f"A BM25 query is one text, got {type(text).__name__}.")
    if (half := lone_surrogate(text)) is not None:
        raise ValueError(
            f"The text of the query holds {half!r}, half of a surrogate pair, which is not a character; leave it out."
        )
    return text
