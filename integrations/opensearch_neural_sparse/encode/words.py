"""Words of texts, as DeepImpact has them: whole, normalised, without punctuation; no machine-learning library."""

from __future__ import annotations

import string
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Self, overload

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SURROGATE, SparseTokenizer
from opensearch_neural_sparse.errors import InvalidVectorError, ModelFilesError
from opensearch_neural_sparse.models.spec import Family

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from opensearch_neural_sparse.models.files.resolve import ModelFiles

LONGEST_WORD = 1000
"""Most characters of a word that has a weight; longer ones, such as encoded files, have none on either side."""
_PUNCTUATION = frozenset(string.punctuation)


class WordPieces(NamedTuple):
    """Token ids of a text, and its words.

    Attributes:
        ids: Token ids with special tokens, cut at the longest text.
        places: Word -> place of its first piece in `ids`, at its first occurrence; of words that are not cut off.
        dropped: Number of tokens that were cut off.
    """

    ids: list[int]
    places: dict[str, int]
    dropped: int


class WordTokenizer(SparseTokenizer):
    """A tokenizer of which whole words are the keys of vectors; texts are cut, and documents encoded, by its pieces.

    Words are what its pre-tokeniser makes of a normalised text. Every word is in `vocabulary`, with an id that is the
    word itself, and `tokens[id]` is the word again.

    Args:
        tokenizer: A fast tokenizer; it is changed, so it should belong to this object alone.
        max_length: Longest text in tokens, special tokens included; None does not truncate.

    Raises:
        ModelFilesError: The tokenizer does not say what a word is.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_length: int | None = None) -> None:
        super().__init__(tokenizer, max_length=max_length)
        if tokenizer.pre_tokenizer is None:
            raise ModelFilesError("The tokenizer has no pre_tokenizer, so nothing says what a word is. Use BERT's own.")
        self.vocabulary: Mapping[str, int] = WordVocabulary()
        self.tokens: Sequence[str] = _Words()

    def words(self, text: str) -> list[str]:
        """Return the distinct words of a text, in the order of their first occurrence.

        Args:
            text: The text.
        """
        return list(dict.fromkeys(filter(_has_weight, self._split(text))))

    def pieces(self, text: str) -> WordPieces:
        """Return the token ids of a text, and where each of its words begins.

        Args:
            text: The text.
        """
        words = self._split(text)
        encoding = self._tokenizer.encode(words, is_pretokenized=True)
        places: dict[str, int] = {}
        last = None
        for place, number in enumerate(encoding.word_ids):
            if number is not None and number != last and _has_weight(words[number]):
                places.setdefault(words[number], place)
            last = number
        dropped = sum(len(part.ids) - sum(part.special_tokens_mask) for part in encoding.overflowing)
        return WordPieces(encoding.ids, places, dropped)

    def token_places(self, text: str) -> list[tuple[str, int, int]]:
        """Return each word of a text with its start and end, in characters.

        Args:
            text: Any text.
        """
        from tokenizers import PreTokenizedString

        split = PreTokenizedString(SURROGATE.sub("\ufffd", text))
        if (normaliser := self._tokenizer.normalizer) is not None:
            split.normalize(normaliser.normalize)
        self._tokenizer.pre_tokenizer.pre_tokenize(split)
        return [(word, start, end) for word, (start, end), _ in split.get_splits("original", "char")]

    def _split(self, text: str) -> list[str]:
        whole = text.encode("utf-8", "ignore").decode()  # half of a surrogate pair is no Unicode
        if (normaliser := self._tokenizer.normalizer) is not None:
            whole = normaliser.normalize_str(whole)
        return [word for word, _ in self._tokenizer.pre_tokenizer.pre_tokenize_str(whole)]


class WordVocabulary(Mapping[str, int]):
    """Ids of words, which no model numbers: the bytes of a word, after a byte 1, as one whole number.

    It has every word, so that it cannot be listed; `word_of` gives the word of an id.
    """

    def __getitem__(self, word: str) -> int:
        if word not in self:
            raise KeyError(word)
        return int.from_bytes(b"\1" + word.encode())

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and 0 < len(word) <= LONGEST_WORD

    def __iter__(self) -> Iterator[str]:
        raise TypeError("The words of a language cannot be listed: a model of whole words has no vocabulary.")

    def __len__(self) -> int:
        raise TypeError("The words of a language cannot be counted: a model of whole words has no vocabulary.")

    def __bool__(self) -> bool:
        return True

    def word_of(self, number: int) -> str:
        """Return the word of an id.

        Args:
            number: The id.

        Raises:
            InvalidVectorError: It is the id of no word.
        """
        try:
            content = number.to_bytes((number.bit_length() + 7) // 8)
            word = content[1:].decode()
        except (OverflowError, ValueError, AttributeError):
            content, word = b"", ""
        if content[:1] != b"\1" or word not in self:
            raise InvalidVectorError(number, None, "it is the id of no word; a model of whole words has no token ids")
        return word


class _Words(Sequence[str]):
    """The words by their ids, as `SparseTokenizer.tokens` has tokens."""

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...

    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        if isinstance(number, slice):
            raise TypeError("Words have no order.")
        return _VOCABULARY.word_of(number)

    def __len__(self) -> int:
        return sys.maxsize


_VOCABULARY = WordVocabulary()


class WordQueryEncoder:
    """Encode queries as the set of their words, each of weight 1, as DeepImpact does.

    It runs no transformer and imports no machine-learning library.

    Args:
        tokenizer: Reads the words.
        prompt: Text put before every query that is not blank.
    """

    def __init__(self, tokenizer: WordTokenizer, *, prompt: str = "") -> None:
        self.tokenizer, self.prompt = tokenizer, prompt

    @classmethod
    def from_files(cls, files: ModelFiles, *, prompt: str = "") -> Self:
        """Load the query side of a DeepImpact model.

        Args:
            files: The model's files.
            prompt: Text put before every query that is not blank.

        Raises:
            ModelFilesError: A model of another family, or its tokenizer is missing or damaged.
        """
        if files.spec.family is not Family.DEEP_IMPACT:
            raise ModelFilesError(f"{files.spec.id!r} is a {files.spec.family} model, of which queries are no words.")
        return cls(WordTokenizer.from_file(files.query_tokenizer), prompt=prompt)

    def encode_query(self, text: str) -> SparseVector:
        """Return the vector of a query; words in the order of their first occurrence.

        Args:
            text: The query.
        """
        words = self.tokenizer.words(self.prompt + text) if text and not text.isspace() else []
        return SparseVector.from_trusted(words, [1.0] * len(words))

    def encode_queries(self, texts: Sequence[str]) -> list[SparseVector]:
        """Return the vectors of queries, in their order.

        Args:
            texts: The queries.
        """
        return list(map(self.encode_query, texts))


def load_query_tokenizer(files: ModelFiles) -> SparseTokenizer:
    """Load the tokenizer of a model's query side, of which the vocabulary has the keys of its vectors.

    Args:
        files: The model's files.

    Raises:
        ModelFilesError: The file is missing or is not a tokenizer's.
    """
    kind = WordTokenizer if files.spec.family is Family.DEEP_IMPACT else SparseTokenizer
    return kind.from_file(files.query_tokenizer)


def _has_weight(word: str) -> bool:
    return word not in _PUNCTUATION and len(word) <= LONGEST_WORD
