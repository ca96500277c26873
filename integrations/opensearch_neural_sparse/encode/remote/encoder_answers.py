"""Requests and answers of the two HTTP interfaces; no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from opensearch_neural_sparse.encode.sparse_vector import SMALLEST_WEIGHT, SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.errors import InvalidVectorError


class UnfitAnswerError(Exception):
    """An answer that does not fit the request.

    Args:
        reason: What is wrong with it.
        of_texts: Whether a text may be the cause.
        remedy: The way out.
    """

    def __init__(self, reason: str, *, of_texts: bool = False, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.of_texts, self.remedy = reason, of_texts, remedy


class EncodedText(NamedTuple):
    """A text's vector, and the number of its tokens that the encoder dropped."""

    vector: SparseVector
    dropped: int = 0


class Interface(Protocol):
    """Protocol of HTTP interfaces.

    Attributes:
        path: Path of a request.
    """

    path: str

    def body(self, texts: Sequence[str]) -> Mapping[str, Any]:
        """Return the body of a request, as JSON has it."""

    def read(self, answer: Any, texts: Sequence[str]) -> list[EncodedText]:
        """Return the vectors of an answer."""


class OwnInterface:
    """Interface of `serve-encoder`: vectors by token, and the fingerprints of the model in each answer.

    Args:
        tokenizer: Of the model's documents.
        query_sha256: Fingerprint of its query side.
        weights_sha256: Fingerprint of its document side.
    """

    path = "/encode"

    def __init__(self, tokenizer: SparseTokenizer, *, query_sha256: str, weights_sha256: str) -> None:
        self._tokenizer = tokenizer
        self._hashes = {"query_sha256": query_sha256, "weights_sha256": weights_sha256}

    def body(self, texts: Sequence[str]) -> Mapping[str, Any]:
        """Return the body of a request.

        Args:
            texts: The documents.
        """
        return {"texts": list(texts), "input_type": "document"}

    def read(self, answer: Any, texts: Sequence[str]) -> list[EncodedText]:
        """Return the vectors of an answer.

        Args:
            answer: The answer.
            texts: The documents that were sent.

        Raises:
            UnfitAnswerError: It is that of another model, has another number of vectors, or a vector is not valid.
        """
        if not isinstance(answer, Mapping):
            raise UnfitAnswerError("answered with something else than a JSON object")
        for name, expected in self._hashes.items():
            ensure_same_model(name, expected, answer.get(name))
        vectors, dropped = answer.get("vectors"), answer.get("dropped_tokens") or [0] * len(texts)
        rows = zip(_counted(vectors, len(texts)), _counted(dropped, len(texts)), strict=True)
        return [EncodedText(self._vector(row), max(0, int(count or 0))) for row, count in rows]

    def _vector(self, row: Any) -> SparseVector:
        if not isinstance(row, Mapping):
            raise UnfitAnswerError("answered with a vector that is no JSON object")
        vocabulary, tokens = self._tokenizer.vocabulary, self._tokenizer.tokens
        if unknown := next((token for token in row if token not in vocabulary), None):
            raise _unknown_token(unknown, len(tokens))
        return _checked({tokens[vocabulary[token]]: weight for token, weight in row.items()})


class TeiInterface:
    """Interface of Text Embeddings Inference: vectors by token id, of pooling `splade`.

    That pooling is log(1 + relu(x)), for every model; of one with a double logarithm the second is taken here.

    Args:
        tokenizer: Of the model's documents, with its truncation.
        double_log: Whether the model's activation is log(1 + log(1 + relu(x))).
    """

    path = "/embed_sparse"

    def __init__(self, tokenizer: SparseTokenizer, *, double_log: bool) -> None:
        self._tokenizer, self._double_log = tokenizer, double_log

    def body(self, texts: Sequence[str]) -> Mapping[str, Any]:
        """Return the body of a request.

        Args:
            texts: The documents.
        """
        return {"inputs": list(texts), "truncate": True}

    def read(self, answer: Any, texts: Sequence[str]) -> list[EncodedText]:
        """Return the vectors of an answer.

        Args:
            answer: The answer.
            texts: The documents that were sent.

        Raises:
            UnfitAnswerError: It has another number of vectors, or a vector is not valid.
        """
        rows = zip(_counted(answer, len(texts)), texts, strict=True)
        return [EncodedText(self._vector(row), self._dropped(text)) for row, text in rows]

    def _vector(self, row: Any) -> SparseVector:
        special, tokens = self._tokenizer.special_ids, self._tokenizer.tokens
        weights: dict[str, float] = {}
        try:
            entries = [(entry["index"], entry["value"]) for entry in row]
        except (KeyError, TypeError):
            raise UnfitAnswerError("answered with a vector that is no list of index and value") from None
        for index, value in entries:
            if not isinstance(index, int) or not 0 <= index < len(tokens):
                raise _unknown_token(index, len(tokens))
            if not isinstance(value, int | float) or not math.isfinite(value):
                raise UnfitAnswerError("answered with a weight that is no finite number", of_texts=True)
            if index in special or not tokens[index] or value < SMALLEST_WEIGHT:
                continue
            weights[tokens[index]] = math.log1p(value) if self._double_log else float(value)
        return _checked(weights)

    def _dropped(self, text: str) -> int:
        longest = self._tokenizer.max_length
        if longest is None or len(text) < longest - 2:  # a token has a character or more, but for the special ones
            return 0
        return self._tokenizer.dropped_tokens(text, add_special_tokens=True)


def ensure_same_model(name: str, expected: str | None, found: Any) -> None:
    """Raise UnfitAnswerError where a fingerprint is another than before.

    Args:
        name: What it is of.
        expected: The fingerprint that the encoder had, or that the model has.
        found: The one that it has now.
    """
    if found != expected:
        shown = found[:12] if isinstance(found, str) else found
        raise UnfitAnswerError(
            f"encodes with another model: its {name} is {shown}, not {(expected or '')[:12]}",
            remedy="Start it with the model of the index, or write to an index of its model.",
        )


def _counted(rows: Any, expected: int) -> list[Any]:
    if not isinstance(rows, list):
        raise UnfitAnswerError("answered without a list of vectors")
    if len(rows) != expected:
        raise UnfitAnswerError(f"answered {expected} texts with {len(rows)} vectors")
    return rows


def _checked(weights: Mapping[str, float]) -> SparseVector:
    try:
        return SparseVector(weights)
    except InvalidVectorError:
        raise UnfitAnswerError("answered with a weight that is no positive finite number", of_texts=True) from None


def _unknown_token(token: Any, size: int) -> UnfitAnswerError:
    kind = f"the token id {token!r}" if isinstance(token, int) else "a token"
    return UnfitAnswerError(
        f"answered with {kind} outside the model's vocabulary of {size} tokens",
        remedy="It runs another model: start it with the model that is named here.",
    )
