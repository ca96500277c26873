"""Tokenisation of texts: token ids, strings and spans."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from opensearch_neural_sparse.arguments import (
    check_count,
    check_flag,
    check_members,
    check_path,
    check_text,
    check_texts,
)
from opensearch_neural_sparse.errors import ModelFilesError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

SHORT = 10_000
"""Characters below which a single text is tokenised fastest by `encode`, which also makes offsets."""
SURROGATE = re.compile("[\ud800-\udfff]")


class SparseTokenizer:
    """A model's tokenizer without padding and with a given truncation, whatever its file says.

    Special tokens that a text spells out, such as a literal `[SEP]`, become special ids, as in sentence-transformers;
    encoders leave `special_ids` out of every vector. That holds for `[UNK]` too, which is one of them.

    Args:
        tokenizer: A fast tokenizer; it is changed, so it should belong to this object alone.
        max_length: Longest result in tokens, special tokens included where they are added; None does not truncate.

    Attributes:
        tokens: Token of each id; an id that no token has is the empty string.
        vocabulary: Token -> id.
        special_ids: Ids of the special tokens.
        max_length: Longest result in tokens, or None.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_length: int | None = None) -> None:
        check_members("encode", "get_vocab", tokenizer=tokenizer)
        check_count(1, optional=True, max_length=max_length)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if max_length is not None:
            tokenizer.enable_truncation(max_length)
        self._tokenizer = tokenizer
        self.max_length = max_length
        self.vocabulary: Mapping[str, int] = tokenizer.get_vocab()
        self.tokens: Sequence[str] = _by_id(self.vocabulary)
        added = tokenizer.get_added_tokens_decoder()
        self.special_ids = frozenset(index for index, token in added.items() if token.special)

    @classmethod
    def from_file(cls, path: Path, *, max_length: int | None = None) -> Self:
        """Load a `tokenizer.json`.

        Args:
            path: The file.
            max_length: Longest result in tokens; None does not truncate.

        Raises:
            ModelFilesError: The file is missing or is not a tokenizer's.
        """
        from tokenizers import Tokenizer

        check_path(path=path)
        if not _is_file(path):
            raise ModelFilesError(f"{path} is missing.")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise ModelFilesError(f"{path} is not the file of a fast tokenizer: {error}.") from error
        return cls(tokenizer, max_length=max_length)

    def query_ids(self, text: str) -> list[int]:
        """Return the ids of a query, without added special tokens.

        Args:
            text: The query.
        """
        check_text(text=text)
        ids: list[int] = self._encode([text], add_special_tokens=False)[0].ids
        return ids

    def batch_query_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of queries as a batch; faster than one by one from about a thousand texts.

        Args:
            texts: The queries.
        """
        check_texts(texts=texts)
        return [encoding.ids for encoding in self._encode(texts, add_special_tokens=False)]

    def batch_document_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of documents, with the transformer's special tokens.

        Args:
            texts: The documents.
        """
        check_texts(texts=texts)
        return [encoding.ids for encoding in self._encode(texts, add_special_tokens=True)]

    def batch_cut_documents(self, texts: Sequence[str]) -> list[tuple[list[int], int]]:
        """Return the ids of documents, as `batch_document_ids` does, each with the number of its tokens cut off.

        Args:
            texts: The documents.
        """
        check_texts(texts=texts)
        encodings = self._encode(texts, add_special_tokens=True)
        longest = self.max_length
        return [
            (ids, _dropped(encoding, special=True) if longest is not None and len(ids) >= longest else 0)
            for encoding in encodings
            for ids in (encoding.ids,)
        ]

    def dropped_tokens(self, text: str, *, add_special_tokens: bool = False) -> int:
        """Return the number of a text's tokens that truncation drops.

        Args:
            text: The text.
            add_special_tokens: Whether special tokens take up room, as in documents.
        """
        check_text(text=text)
        check_flag(add_special_tokens=add_special_tokens)
        return _dropped(self._encode([text], add_special_tokens=add_special_tokens)[0], special=add_special_tokens)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each token in a text, in characters, without added special tokens.

        Args:
            text: Any text.
        """
        return [(start, end) for _, start, end in self.token_places(text)]

    def token_places(self, text: str) -> list[tuple[str, int, int]]:
        """Return each token of a text with its start and end, in characters, without added special tokens.

        The space before a word, which tokenizers of SentencePiece and byte-level BPE count to the word, is left out; a
        token of white space alone is empty, at its end.

        Args:
            text: Any text.
        """
        check_text(text=text)
        found = self._tokenizer.encode(SURROGATE.sub("\ufffd", text), add_special_tokens=False)
        places = zip(found.tokens, found.offsets, strict=True)
        return [(token, end - len(text[start:end].lstrip()), end) for token, (start, end) in places]

    def _encode(self, texts: Sequence[str], *, add_special_tokens: bool) -> list[Encoding]:
        try:
            if len(texts) == 1 and len(texts[0]) < SHORT:
                return [self._tokenizer.encode(texts[0], add_special_tokens=add_special_tokens)]
            return self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=add_special_tokens)
        except TypeError:
            if not all(isinstance(text, str) for text in texts):
                raise
            # Half of a surrogate pair, as a cut-off emoji leaves it, is no Unicode; the library takes none of the text.
            whole = [text.encode("utf-8", "ignore").decode() for text in texts]
            return self._tokenizer.encode_batch_fast(whole, add_special_tokens=add_special_tokens)


def _dropped(encoding: Encoding, *, special: bool) -> int:
    """Return the number of tokens that truncation dropped, special tokens left out where those were added."""
    return sum(len(part.ids) - (sum(part.special_tokens_mask) if special else 0) for part in encoding.overflowing)


def _is_file(path: str | Path) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a name that is too long for any
        return False


def _by_id(vocabulary: Mapping[str, int]) -> tuple[str, ...]:
    tokens = [""] * (max(vocabulary.values()) + 1)
    for token, index in vocabulary.items():
        tokens[index] = token
    return tuple(tokens)
