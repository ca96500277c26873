"""Regular expressions of the server over values of metadata, for its `case_insensitive`.

This ignores the case of ASCII alone, and OpenSearch 2.19 ignores none in fields of type `wildcard`. So letters stand
for both of their cases here, as far as the pattern is short enough.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_PATTERN = 1000
"""Characters of a pattern that an index takes (`index.max_regex_length`)."""
FEWEST_LETTERS = 4
"""Letters from which on a word is found with one edit."""
_NO_LETTER = "[^a-zA-Z0-9À-ӿ]"
"""A character between words: none of the Latin, Greek and Cyrillic letters."""


def equal(words: Sequence[str]) -> str | None:
    """Return a pattern of values that are these words, or None where it is longer than the server takes."""
    return _short(" ".join(map(_spelled, words)))


def containing(word: str) -> str:
    """Return a pattern of values that contain a word, also within another one."""
    return f".*{_spelled(word)}.*"


def nearly_containing(word: str) -> str | None:
    """Return a pattern of values with a word that is one edit from this one.

    Args:
        word: A word; one of less than four letters, or too long for a pattern, has no such.
    """
    if len(word) < FEWEST_LETTERS:
        return None
    return _short(_near([_letter(each) for each in word])) or _short(_near([_other_letter(each) for each in word]))


def _near(letters: Sequence[str]) -> str:
    return f"(.*{_NO_LETTER})?({_one_edit(letters)})({_NO_LETTER}.*)?"


def _one_edit(letters: Sequence[str]) -> str:
    """Return a pattern of one edit: a letter more, less or another, or two exchanged, at each place in turn."""
    pattern = "."
    for place in range(len(letters) - 1, -1, -1):
        letter, rest = letters[place], "".join(letters[place + 1 :])
        edits = [f"{letter}({pattern})", f".?{rest}", f".{letter}{rest}"]
        if place + 1 < len(letters):
            edits.append(f"{letters[place + 1]}{letter}{''.join(letters[place + 2 :])}")
        pattern = "|".join(edits)
    return pattern


def _spelled(word: str) -> str:
    return "".join(map(_letter, word))


def _letter(letter: str) -> str:
    """Return a pattern of a letter in both cases, or of another character as it is."""
    cases = dict.fromkeys(each for each in (letter, letter.lower(), letter.upper()) if len(each) == 1)
    if len(cases) > 1:
        return f"[{''.join(cases)}]"
    return letter if letter.isalnum() else f"\\{letter}"


def _other_letter(letter: str) -> str:
    """Return a pattern of a letter, in both cases unless it is one of ASCII."""
    return letter if letter.isascii() and letter.isalnum() else _letter(letter)


def _short(pattern: str) -> str | None:
    return pattern if len(pattern) <= LONGEST_PATTERN else None
