"""Highlighting of matching tokens as HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer

Place = tuple[str, int, int]
"""A token with its start and end in a text."""
_WORD = re.compile(r"\w+|[^\w\s]")
_SPACE, _CONTINUES, _BYTES = " ", "##", "\u0120"
_BEGINS = (_BYTES, "\u2581")
"""Characters that begin a word in tokens of byte-level BPE and of SentencePiece."""


def highlight(
    text: str, scores: Mapping[str, float], tokenizer: SparseTokenizer | None = None, *, style: str = ""
) -> str:
    """Return a text as escaped HTML, each matching token in a `mark` with its score as the title.

    Args:
        text: The text.
        scores: Token that matched -> what it gave.
        tokenizer: The model's, which knows where its tokens lie; without it words are marked that are such a token, or
            that such tokens make up, in any case and with any accents.
        style: CSS declarations of each `mark`; none leave its look to the page.
    """
    places = tokenizer.token_places(text) if tokenizer is not None else _places(text, scores)
    parts, done = [], 0
    look = f' style="{escape(style)}"' if style else ""
    for token, start, end in places:
        if token in scores and done <= start < end:
            title = escape(f"{token}: {scores[token]:.4f}")
            parts += [escape(text[done:start]), f'<mark title="{title}"{look}>{escape(text[start:end])}</mark>']
            done = end
    return "".join([*parts, escape(text[done:])])


def first_match(text: str, scores: Mapping[str, float]) -> int | None:
    """Return where the first matching token begins, by the words of a text; None where none matches."""
    return next((start for token, start, _ in _places(text, scores) if token in scores), None)


def _places(text: str, scores: Mapping[str, float]) -> Iterator[Place]:
    marker = next((each for each in _BEGINS if any(token.startswith(each) for token in scores)), None)
    tokens = {_spelling(token, marker): token for token in scores}
    first = (_SPACE,) if marker is None else (_SPACE, "")
    for word in _WORD.finditer(text):
        yield from _pieces(word.group(), word.start(), tokens, first)


def _spelling(token: str, marker: str | None) -> str:
    """Return what a token stands for in a text, with a space before it where it begins a word."""
    if marker == _BYTES:
        return bytes(_BYTE_VALUES.get(character, 0) for character in token).decode(errors="replace")
    if marker is not None:
        return token.replace(marker, _SPACE)
    return token.removeprefix(_CONTINUES) if token.startswith(_CONTINUES) else _SPACE + token


def _pieces(word: str, start: int, tokens: Mapping[str, str], first: Sequence[str]) -> list[Place]:
    """Return the tokens of a word, longest first; none if they do not cover all of it."""
    plain, places, done = "".join(map(_plain, word)), list[Place](), 0
    while done < len(word):
        prefixes = ("",) if done else first
        found = (
            (tokens[prefix + spelled], end)
            for end in range(len(word), done, -1)
            for spelled in (word[done:end], plain[done:end])
            for prefix in prefixes
            if prefix + spelled in tokens
        )
        token, end = next(found, ("", 0))
        if not end:
            return []
        places.append((token, start + done, start + end))
        done = end
    return places


def _byte_values() -> dict[str, int]:
    """Return the byte that each character of a token of byte-level BPE stands for."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    shown = {chr(byte): byte for byte in printable}
    return shown | {chr(256 + place): byte for place, byte in enumerate(others)}


def _plain(character: str) -> str:
    """Normalise a character to lower case without accents; one for one, so that positions stay."""
    return unicodedata.normalize("NFD", character)[0].lower()[:1]


_BYTE_VALUES = _byte_values()
