"""Validation of queries: texts, token weights and options."""

from __future__ import annotations

from collections.abc import Mapping

from opensearch_neural_sparse.index.documents.lone_surrogates import lone_surrogate


def check_query(query: object) -> None:
    """Raise TypeError unless a query is a text or token weights."""
    if not isinstance(query, str | Mapping):
        raise TypeError(f"A query is one text, or a mapping of token to weight, got {type(query).__name__}.")


def check_text(text: object) -> str:
    """Validate the text of a BM25 query.

    Raises:
        TypeError: No text.
        ValueError: Half of a surrogate pair in it, which JSON does not have.
    """
    if not isinstance(text, str):
        raise TypeError(f"A BM25 query is one text, got {type(text).__name__}.")
    if (half := lone_surrogate(text)) is not None:
        raise ValueError(
            f"The text of the query holds {half!r}, half of a surrogate pair, which is no character; leave it out."
        )
    return text


def check_options(options: object, kind: type, name: str = "options", *, but: tuple[type, ...] | type = ()) -> None:
    """Raise TypeError unless options are of the expected class, and not of its subclass `but`."""
    if not isinstance(options, kind) or isinstance(options, but):
        raise TypeError(f"{name} is a {kind.__name__}, got {type(options).__name__}.")
