"""Patterns over values of metadata, read by Python's engine as the server reads them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.search.query.metadata.patterns import (
    FEWEST_LETTERS,
    LONGEST_PATTERN,
    containing,
    equal,
    nearly_containing,
)

AS_THE_SERVER = re.DOTALL | re.IGNORECASE | re.ASCII
ANY_WORD = st.text(st.characters(blacklist_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=12)
LETTERS = st.text("abcdeéñ", min_size=FEWEST_LETTERS, max_size=9)


def matches(pattern: str | None, value: str) -> bool:
    return pattern is not None and re.fullmatch(pattern, value, AS_THE_SERVER) is not None


@given(ANY_WORD, st.text(max_size=5), st.text(max_size=5))
def test_a_word_is_found_within_any_value_that_contains_it(word: str, before: str, after: str) -> None:
    assert matches(containing(word), before + word + after)


@given(LETTERS)
def test_case_does_not_matter(word: str) -> None:
    assert matches(containing(word.upper()), word)
    assert matches(containing(word), word.upper())


@given(ANY_WORD, st.text("abc*.?|&~#@<>\"'()[]{}\\$^-", max_size=8))
def test_a_value_without_the_word_is_not_found(word: str, value: str) -> None:
    cases = {value, value.lower(), value.upper()}
    if not any(each in other for each in (word, word.lower(), word.upper()) for other in cases):
        assert not matches(containing(word), value)


@given(LETTERS, st.data())
def test_one_edit_is_found_and_two_are_not(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(word) - 2))
    edited = [
        word[:place] + word[place + 1 :],
        word[:place] + "x" + word[place:],
        word[:place] + "x" + word[place + 1 :],
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        word + "x",
    ]
    pattern = nearly_containing(word)
    assert [matches(pattern, f"The {one.upper()}!") for one in edited] == [True] * len(edited)
    assert not matches(pattern, f"{word[:place]}xyz{word[place:]}")
    assert not matches(pattern, f"qq{word}")


def test_short_words_and_those_too_long_for_a_pattern_are_not_found_by_an_edit() -> None:
    assert nearly_containing("abc") is None
    assert nearly_containing("abcdefghijklmnop") is not None
    assert nearly_containing("a" * 100) is None
    assert len(nearly_containing("abcdefghijklmnop") or "") <= LONGEST_PATTERN


def test_whole_values_are_equal_in_any_case() -> None:
    assert matches(equal(["C++", "(modern)"]), "c++ (MODERN)")
    assert not matches(equal(["C++"]), "C++ (modern)")
    assert equal(["a" * 128] * 10) is None
