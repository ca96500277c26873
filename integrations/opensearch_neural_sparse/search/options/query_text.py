"""What a search is asked with: texts, token weights and options of the right kind."""

from __future__ import annotations

from collections.abc import Mapping

from opensearch_neural_sparse.index.documents.lone_surrogates import lone_surrogate


def check_query(query: object) -> None:
    """Raise TypeError where a query is neither a text nor token weights."""
    if not isinstance(query, str | Mapping):
        raise TypeError(f"A query is one text, or a mapping of token to weight, got {type(query).__name__}.")


def check_text(text: object) -> str:
    """Return a text that words are searched by.

    Raises:
        TypeError: No text.
        ValueError: Half of a surrogate pair in it, which JSON does not have.
    """
    if not isinstance(text, str):
        raise TypeError(f"Words are searched by a text, got {type(text).__name__}.")
    if (half := lone_surrogate(text)) is not None:
        raise ValueError(
            f"The text of the query holds {half!r}, half of a surrogate pair, which is no character; leave it out."
        )
    return text


def check_options(options: object, kind: type, name: str = "options", *, but: tuple[type, ...] | type = ()) -> None:
    """Raise TypeError where options are of another kind of search, among them those of a subclass `but`."""
    if not isinstance(options, kind) or isinstance(options, but):
        raise TypeError(f"{name} is a {kind.__name__}, got {type(options).__name__}.")
