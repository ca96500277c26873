"""Highlighting of matching tokens as HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from html import escape

from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer

Place = tuple[str, int, int]
"""A token with its start and end in a text."""
_WORD = re.compile(r"\w+|[^\w\s]")
_CONTINUES = "##"


def highlight(text: str, scores: Mapping[str, float], tokenizer: SparseTokenizer | None = None) -> str:
    """Return a text as escaped HTML, each matching token in a `mark` with its score as the title.

    Args:
        text: The text.
        scores: Token that matched -> what it gave.
        tokenizer: The model's, which knows where its tokens lie; without it words are marked that are such a token, or
            that such tokens make up, in any case and with any accents.
    """
    places = tokenizer.token_places(text) if tokenizer is not None else _places(text, scores)
    parts, done = [], 0
    for token, start, end in places:
        if token in scores and done <= start < end:
            title = escape(f"{token}: {scores[token]:.4f}")
            parts += [escape(text[done:start]), f'<mark title="{title}">{escape(text[start:end])}</mark>']
            done = end
    return "".join([*parts, escape(text[done:])])


def _places(text: str, scores: Mapping[str, float]) -> Iterator[Place]:
    for word in _WORD.finditer(text):
        yield from _pieces("".join(map(_plain, word.group())), word.start(), scores)


def _pieces(word: str, start: int, scores: Mapping[str, float]) -> list[Place]:
    """Return the tokens of a word, longest first; none if they do not cover all of it."""
    places, done = [], 0
    while done < len(word):
        prefix = _CONTINUES if done else ""
        ends = (end for end in range(len(word), done, -1) if prefix + word[done:end] in scores)
        if (end := next(ends, None)) is None:
            return []
        places.append((prefix + word[done:end], start + done, start + end))
        done = end
    return places


def _plain(character: str) -> str:
    """Normalise a character to lower case without accents; one for one, so that positions stay."""
    return unicodedata.normalize("NFD", character)[0].lower()[:1]
