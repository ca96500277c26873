"""A search for metadata by its words, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from opensearch_neural_sparse.arguments import check_number, check_text, check_texts, check_type
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.search.filters.filter_clauses import Filter
from opensearch_neural_sparse.search.options.page import SearchPage, check_size
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions

LONGEST_WORD = 128
"""Characters of a word that is searched for in metadata; the server limits patterns to 1,000 characters."""
MOST_WORDS = 500
"""Most words of a query, each counted once for each field; the server limits a query to 1,024 clauses."""


class MetadataMode(Choice):
    """Match of words with values of metadata.

    `STRICT` finds values that contain every word; `FUZZY` finds those that contain any, or a word that differs by one
    edit (a letter more, less, another or two exchanged) from one of four letters or more.
    """

    STRICT = "strict"
    FUZZY = "fuzzy"


MetadataModeLike = MetadataMode | Literal["strict", "fuzzy"]
"""A `MetadataMode`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class MetadataSearch:
    """A search for rows of metadata: the values that documents have of some fields, each combination once.

    Upper and lower case count as equal. A row is as good as its best value for each part of the text: the similarity of
    both, by the groups of three letters in their words, plus `exact_match_weight` where the value contains the part.

    Attributes:
        text: Words, in parts that commas separate; the scores of the parts are added.
        fields: Fields that are searched and returned, by their names in the index.
        size: Most rows, 1 to 10,000.
        mode: How words match: `strict` or `fuzzy`.
        exact_match_weight: What is added to the score of a part that a value contains.
        candidates: How many of the best documents rows are taken from, 1 to 10,000.
        filter: A query clause, or a list of such, that documents satisfy.
        request: How the search travels.
        page: Candidates and filter as a page.

    Raises:
        FilterSyntaxError: A filter that is none.
        TypeError: A text, fields or options of another kind.
        ValueError: No fields, a number out of range, more words than a query can have, or too long a word.
    """

    text: str = field(kw_only=False, repr=False)
    fields: Sequence[str]
    size: int = 20
    mode: MetadataModeLike = MetadataMode.FUZZY
    exact_match_weight: float = 0.6
    candidates: int = 1000
    filter: Filter | None = field(default=None, repr=False)
    request: RequestOptions = DEFAULT_REQUEST
    page: SearchPage = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_text(text=self.text)
        check_texts(fields=self.fields)
        check_size(self.size)
        check_size(self.candidates, name="candidates")
        check_number(0, exact_match_weight=self.exact_match_weight)
        check_type(RequestOptions, request=self.request)
        object.__setattr__(self, "fields", tuple(dict.fromkeys(self.fields)))
        object.__setattr__(self, "mode", MetadataMode(self.mode))
        object.__setattr__(self, "page", SearchPage(size=self.candidates, filter=self.filter))
        _check_fields(self.fields)
        _check_words([word for words in self.parts for word in words], len(self.fields))

    @property
    def parts(self) -> list[list[str]]:
        """The words of each part of the text that has any."""
        return [words for part in self.text.split(",") if (words := part.split())]


def _check_fields(fields: Sequence[str]) -> None:
    if not fields or not all(fields):
        raise ValueError(f"fields names the metadata that is searched, such as ['category'], got {list(fields)!r}.")


def _check_words(words: Sequence[str], fields: int) -> None:
    if (searched := len(words) * fields) > MOST_WORDS:
        raise ValueError(
            f"A search for metadata has at most {MOST_WORDS} words, each counted once for each field, got {len(words)} "
            f"words in {fields} fields, which are {searched}. Shorten the text, or name fewer fields."
        )
    if (longest := max(map(len, words), default=0)) > LONGEST_WORD:
        raise ValueError(
            f"A word that is searched for in metadata has at most {LONGEST_WORD} characters, got one of {longest}. "
            "Search for a part of it."
        )
