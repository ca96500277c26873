"""Cutting of texts into passages by the server, before its model encodes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Literal, Self

from opensearch_neural_sparse.arguments import check_number
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.short_repr import short_repr


class ChunkingAlgorithm(Choice):
    """Algorithms of the server's processor `text_chunking`.

    `FIXED_TOKEN_LENGTH` counts words by an analyzer's tokenizer, `FIXED_CHAR_LENGTH` counts characters (OpenSearch 3),
    `DELIMITER` cuts after each occurrence of a text.
    """

    FIXED_TOKEN_LENGTH = "fixed_token_length"  # noqa: S105 (no password)
    FIXED_CHAR_LENGTH = "fixed_char_length"
    DELIMITER = "delimiter"


ChunkingAlgorithmLike = ChunkingAlgorithm | Literal["fixed_token_length", "fixed_char_length", "delimiter"]
"""A `ChunkingAlgorithm`, or its value as text."""

_DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        ChunkingAlgorithm.FIXED_TOKEN_LENGTH: {"token_limit": 384, "overlap_rate": 0.0, "tokenizer": "standard"},
        ChunkingAlgorithm.FIXED_CHAR_LENGTH: {"char_limit": 2048, "overlap_rate": 0.0},
        ChunkingAlgorithm.DELIMITER: {"delimiter": "\n\n"},
    }
)
"""Algorithm -> its parameters, with the server's own defaults; the first may stand in a rule's text."""
_MOST_OVERLAP = 0.5


@dataclass(frozen=True, kw_only=True)
class ServerChunking:
    """Cutting of texts into passages by the server's processor `text_chunking`.

    A parameter that is not given is the server's default; one of another algorithm is refused.

    Attributes:
        algorithm: How texts are cut.
        token_limit: Most words of a passage, for `fixed_token_length`; 384. A word has one or more tokens of the
            model, which reads no more than its own limit.
        char_limit: Most characters (UTF-16 units) of a passage, for `fixed_char_length`; 2048.
        delimiter: Text that ends a passage, for `delimiter`; an empty line.
        tokenizer: The analyzer's tokenizer that counts words, for `fixed_token_length`; `standard`.
        overlap_rate: Part of a passage that the next one repeats, 0 to 0.5, for the two fixed lengths; 0.
        max_chunk_limit: Most passages of a document; what is left of its text lies in the last one, which may then be
            longer than the model reads. None sets no limit.

    Raises:
        ValueError: A value out of range, or one that belongs to another algorithm.
    """

    algorithm: ChunkingAlgorithmLike = ChunkingAlgorithm.FIXED_TOKEN_LENGTH
    token_limit: int | None = None
    char_limit: int | None = None
    delimiter: str | None = None
    tokenizer: str | None = None
    overlap_rate: float | None = None
    max_chunk_limit: int | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "algorithm", ChunkingAlgorithm(self.algorithm))
        defaults = _DEFAULTS[self.algorithm]
        for name in (each.name for each in fields(self) if each.name not in ("algorithm", "max_chunk_limit")):
            given = getattr(self, name)
            if given is not None and name not in defaults:
                takes = ", ".join(defaults)
                raise ValueError(f"{name} cannot be used with {str(self.algorithm)!r}, which takes {takes}.")
            if given is None:
                object.__setattr__(self, name, defaults.get(name))
        for name in ("token_limit", "char_limit", "max_chunk_limit"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is a whole number of 1 or more, got {shown_value(value)}.")
        check_number(optional=True, overlap_rate=self.overlap_rate)
        if self.overlap_rate is not None and not 0 <= self.overlap_rate <= _MOST_OVERLAP:
            raise ValueError(f"overlap_rate lies between 0 and {_MOST_OVERLAP}, got {shown_value(self.overlap_rate)}.")
        for name in ("delimiter", "tokenizer"):
            if getattr(self, name) is not None and not (isinstance(getattr(self, name), str) and getattr(self, name)):
                raise ValueError(f"{name} is a text of at least one character, got {shown_value(getattr(self, name))}.")

    @classmethod
    def parse(cls, value: ServerChunking | Mapping[str, Any] | str | None) -> Self | ServerChunking | None:
        """Return how the server cuts texts, from plain values.

        Args:
            value: An algorithm and, after a colon, its limit or delimiter, such as `fixed_token_length:200` or
                `delimiter`; a mapping of attributes; an object of this class; or None.

        Raises:
            TypeError: Another type, or an unknown attribute.
            ValueError: No such algorithm, or a value that it does not take.
        """
        if value is None or isinstance(value, ServerChunking):
            return value
        if isinstance(value, str):
            name, _, given = value.partition(":")
            algorithm = ChunkingAlgorithm(name)
            parameter = next(iter(_DEFAULTS[algorithm]))
            if not given:
                return cls(algorithm=algorithm)
            by_text = algorithm is ChunkingAlgorithm.DELIMITER
            if not by_text and not given.isdecimal():
                raise ValueError(f"{parameter} is a whole number of 1 or more, got {given!r}.")
            limits: dict[str, Any] = {parameter: given if by_text else int(given)}
            return cls(algorithm=algorithm, **limits)
        if not isinstance(value, Mapping):
            raise TypeError(
                "chunking is a ServerChunking, a mapping of its attributes or a text such as "
                f"'fixed_token_length:200', got {type(value).__name__}."
            )
        known = [each.name for each in fields(cls)]
        if unknown := sorted(map(str, value.keys() - set(known))):
            raise TypeError(f"chunking has the unknown keys {', '.join(unknown)}; known are {', '.join(known)}.")
        return cls(**value)

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain values, without what is not of its algorithm."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        kept = {name: value for name, value in parts.items() if value is not None}
        return kept | {"algorithm": str(self.algorithm)}

    def to_algorithm(self) -> dict[str, Any]:
        """Return the `algorithm` of the server's processor, which sets no limit of passages unless one was given."""
        parameters = {name: getattr(self, name) for name in _DEFAULTS[self.algorithm]}
        return {str(self.algorithm): parameters | {"max_chunk_limit": self.max_chunk_limit or -1}}

    @property
    def without_limit(self) -> ServerChunking:
        """The same rule for as many passages as a text gives."""
        return replace(self, max_chunk_limit=None)

    def may_exceed(self, text: str) -> bool:
        """Return whether a text can have more passages than the limit; a short one cannot.

        Args:
            text: A document's text.
        """
        if self.max_chunk_limit is None:
            return False
        size = self.token_limit or self.char_limit or len(self.delimiter or "")
        step = max(1, size - int(size * (self.overlap_rate or 0.0)))
        return len(text) > self.max_chunk_limit * step


def passage_places(passages: Sequence[str], text: str | None) -> Iterator[tuple[int, int]]:
    """Yield start and end of the server's passages in a document's text; they are parts of it, in its order.

    Where a text repeats itself, a passage that overlaps the one before may be found earlier than it was cut.

    Args:
        passages: What the server cut.
        text: The document's text, or None, where all places are 0.
    """
    start = end = 0
    for number, passage in enumerate(passages):
        if text is None:
            yield 0, 0
            continue
        follows = text.startswith(passage, end)
        found = end if follows else text.find(passage, start + 1 if number else 0)
        start = end if found < 0 else found
        end = min(start + len(passage), len(text))
        yield start, end
