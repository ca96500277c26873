"""Splitting of long documents into passages by the model's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from opensearch_neural_sparse.arguments import check_count, check_text, check_type
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.short_repr import short_repr

Span = tuple[int, int]
"""Start and end of a token, in characters."""


@dataclass(frozen=True, kw_only=True)
class ChunkOptions:
    """Size and overlap of passages.

    Attributes:
        tokens: Most tokens of a passage, without special tokens and prompt, which take up room of their own.
        overlap: How many tokens two neighbours share, about; cuts go to the beginning of a word.

    Raises:
        ValueError: No token at all, or an overlap that leaves nothing new.
    """

    tokens: int = 256
    overlap: int = 32

    __repr__ = short_repr

    def __post_init__(self) -> None:
        check_count(1, tokens=self.tokens)
        check_count(overlap=self.overlap)
        if not 0 <= self.overlap <= self.tokens // 2:
            raise ValueError(f"overlap is {self.overlap}; it may be 0 to {self.tokens // 2}, half of a passage.")

    def ensure_fits(self, longest: int, *, around: int) -> None:
        """Raise ValueError if passages, with `around` tokens of prompt and special tokens, exceed the model's limit.

        Args:
            longest: Most tokens that the model reads.
            around: Tokens that come on top of a passage: prompt, beginning and end.
        """
        if self.tokens + around > longest:
            raise ValueError(
                f"Chunks of {self.tokens} tokens, with {around} of prompt and special tokens, are longer than the "
                f"{longest} that the model takes. Give {longest - around} tokens or fewer."
            )


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A passage of a document: `text` is the document's text from `start` to `end`.

    Attributes:
        id: The document's id, `#` and the passage's number.
        number: Its number in the document, from 0.
        text: The passage.
        start: Its first character in the document.
        end: The character after its last one.
    """

    id: str
    number: int
    text: str
    start: int
    end: int


def chunk_text(
    text: str, tokenizer: SparseTokenizer, *, document_id: str, options: ChunkOptions | None = None
) -> list[Chunk]:
    """Split a document into overlapping passages, at word starts where possible.

    A word that is longer than half a passage is cut anywhere, and so is text without spaces. A text without tokens has
    no passages; a short one is a single passage.

    Args:
        text: The document's text.
        tokenizer: The model's document tokenizer, without truncation.
        document_id: The document's id.
        options: How long passages are.
    """
    check_text(text=text, document_id=document_id)
    check_type(SparseTokenizer, tokenizer=tokenizer)
    check_type(ChunkOptions, optional=True, options=options)
    options = options or ChunkOptions()
    spans = tokenizer.token_spans(text)
    chunks: list[Chunk] = []
    first = 0
    while first < len(spans):
        stop = _fitting_stop(text, tokenizer, spans, first, options.tokens)
        start, end = spans[first][0], spans[stop - 1][1]
        number = len(chunks)
        chunks.append(Chunk(id=f"{document_id}#{number}", number=number, text=text[start:end], start=start, end=end))
        if stop == len(spans):
            break
        first = max(first + 1, _word_start(spans, stop - options.overlap, stop - 2 * options.overlap))
    return chunks


def _fitting_stop(text: str, tokenizer: SparseTokenizer, spans: Sequence[Span], first: int, tokens: int) -> int:
    """Return the end (exclusive) of the passage that starts at token `first`."""
    stop = min(first + tokens, len(spans))
    if stop < len(spans):
        stop = _word_start(spans, stop, first + tokens // 2)
    # A part of a word may fall into more tokens than it had in the whole.
    while stop > first + 1 and len(tokenizer.token_spans(text[spans[first][0] : spans[stop - 1][1]])) > tokens:
        stop -= 1
    return stop


def _word_start(spans: Sequence[Span], position: int, lowest: int) -> int:
    """Return the last word start from `position` down to `lowest`, else `position`."""
    for candidate in range(position, max(lowest, 0), -1):
        if spans[candidate][0] > spans[candidate - 1][1]:
            return candidate
    return position
